"""Request bodies: what is unknown is refused, what is read-only is ignored, what is known is strict."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class StrictSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """A body whose unknown keys are errors.

    `Meta.read_only_keys` are names that an answer of the same resource has: a client may send back what it read, and
    they are ignored.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            ignored = set(getattr(getattr(self, "Meta", None), "read_only_keys", ()))
            unknown = [key for key in data if key not in self.fields and key not in ignored]
            if unknown:
                raise serializers.ValidationError({key: ["Unknown field."] for key in unknown})
        return super().to_internal_value(data)
