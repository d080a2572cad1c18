"""Serializers: `StrictSerializer` for the bodies that clients send, `Row` for the rows that the API returns."""

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from django.db.models import Expression, F, Model, QuerySet
from rest_framework import serializers

from athena.api.fields import MAX_REPORTED_ERRORS


class StrictSerializer(serializers.Serializer[Any]):
    """The serializer of a request body. Its fields come from `athena.api.fields`. Unknown keys are refused.

    Read-only keys are ignored: the fields declared so, and the keys of `Meta.row` (the row that the API returns) that
    the body does not take. So a client may change a row that it has read and send it back whole.

    `null` for an optional field is the same as leaving it out, except for a field with `allow_null`, which it empties.
    """

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, Mapping):
            data = {
                name: value for name, value in data.items() if value is not None or not self.is_left_out_by_null(name)
            }
        return super().run_validation(data)

    def is_left_out_by_null(self, name: str) -> bool:
        """Whether `null` for this field is the same as leaving it out."""
        field = self.fields.get(name)
        if field is None or field.allow_null:
            return False
        return not field.required or bool(getattr(self.root, "partial", False))

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            row = getattr(getattr(self, "Meta", None), "row", None)
            known = set(self.fields) | set(row.keys() if row is not None else ())
            unknown_names = (str(name) for name in data if name not in known)
            unknown = {name: ["There is no such field."] for name in islice(unknown_names, MAX_REPORTED_ERRORS)}
            if unknown:
                raise serializers.ValidationError(unknown | self._find_other_errors(data))
        return super().to_internal_value(data)

    def _find_other_errors(self, data: Any) -> dict[str, Any]:
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            return dict(error.detail) if isinstance(error.detail, dict) else {}
        return {}


class Row(serializers.Serializer[Any]):
    """One row of a response: it defines both the columns of the query and the schema of the response.

    A field is the column or annotation of the same name, or what `Meta.expressions` maps it to: an expression or a
    lookup path. The values are returned as the database gives them.
    """

    @classmethod
    def keys(cls) -> Collection[str]:
        return cls._declared_fields.keys()

    @classmethod
    def read(cls, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, dict[str, Any]]":
        """The queryset as dictionaries with the declared keys."""
        expressions: dict[str, str | Expression] = getattr(getattr(cls, "Meta", None), "expressions", {})
        computed = {
            name: F(expression) if isinstance(expression, str) else expression
            for name, expression in expressions.items()
        }
        rows: QuerySet[Any, dict[str, Any]] = queryset.annotate(**computed).values(*cls.keys())
        return rows

    @classmethod
    def of(cls, row: Model) -> dict[str, Any]:
        """This one row, read from the database as `read` does."""
        return cls.read(row._meta.model._default_manager.filter(pk=row.pk)).get()
