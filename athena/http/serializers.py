"""Request bodies: what is unknown is refused, what is read-only is ignored, what is known is strict."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A body whose unknown keys are errors.

    `Meta.row` is the shape in which the same resource is answered: a client may send back what it read, and the keys
    that it can't set are ignored.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            row = getattr(getattr(self, "Meta", None), "row", None)
            known = {*self.fields, *(row._declared_fields if row else ())}
            unknown = [key for key in data if key not in known]
            if unknown:
                raise serializers.ValidationError({key: ["Unknown field."] for key in unknown})
        return super().to_internal_value(data)
