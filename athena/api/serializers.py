"""Serializers: `StrictSerializer` for the bodies that clients send, `Row` for the rows that the API returns."""

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from django.db.models import Expression, F, Model, QuerySet
from rest_framework import serializers

from athena.api.fields import MAX_REPORTED_ERRORS


class StrictSerializer(serializers.Serializer[Any]):
    """A body. Its fields come from `athena.api.fields`; unknown keys are refused (the first few by
    their names), read-only keys ignored.

    Read-only are the fields declared so, and those keys of `Meta.row` (the shape in which the resource goes out) that
    the body does not take: what was read can be changed and sent back whole.

    A field that may be left out may also be `null`, which means left out; one that is declared with `allow_null` is a
    column that can be empty, and `null` empties it.
    """

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if value is not None or not self.means_left_out(name)}
        return super().run_validation(data)

    def means_left_out(self, name: str) -> bool:
        """Whether `null` for this field is as good as nothing."""
        field = self.fields.get(name)
        if field is None or field.allow_null:
            return False
        return not field.required or bool(getattr(self.root, "partial", False))

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            row = getattr(getattr(self, "Meta", None), "row", None)
            known = set(self.fields) | set(row.keys() if row is not None else ())
            strange = (str(name) for name in data if name not in known)
            unknown = {name: ["There is no such field."] for name in islice(strange, MAX_REPORTED_ERRORS)}
            if unknown:
                raise serializers.ValidationError(unknown | self._errors_of_the_rest(data))
        return super().to_internal_value(data)

    def _errors_of_the_rest(self, data: Any) -> dict[str, Any]:
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            return dict(error.detail) if isinstance(error.detail, dict) else {}
        return {}


class Row(serializers.Serializer[Any]):
    """The shape of one row of an answer.

    A field is the column (or annotation) of its name, or what `Meta.expressions` says: an expression or a lookup path.
    The values go out as the database gives them.
    """

    @classmethod
    def keys(cls) -> Collection[str]:
        return cls._declared_fields.keys()

    @classmethod
    def read(cls, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, dict[str, Any]]":
        """The queryset as dictionaries with just the declared keys, straight from the database."""
        expressions: dict[str, str | Expression] = getattr(getattr(cls, "Meta", None), "expressions", {})
        computed = {name: F(what) if isinstance(what, str) else what for name, what in expressions.items()}
        rows: QuerySet[Any, dict[str, Any]] = queryset.annotate(**computed).values(*cls.keys())
        return rows

    @classmethod
    def of(cls, row: Model) -> dict[str, Any]:
        """One row by its key, as `read` gives it."""
        return cls.read(row._meta.model._default_manager.filter(pk=row.pk)).get()
