"""Answers as rows: a shape is declared once, and is both the SQL's columns and the schema's documentation."""

from typing import Any

from django.db.models import Expression, F, Model, QuerySet
from rest_framework import serializers


class Row(serializers.Serializer):  # type: ignore[type-arg]
    """The shape of one row of an answer.

    A field is the column (or annotation) of its name, or what `Meta.expressions` says: an expression or a lookup path.
    """

    @classmethod
    def read(cls, queryset: "QuerySet[Any, Any]") -> "QuerySet[Any, Any]":
        """The queryset as dicts with just the declared keys, straight from the database."""
        expressions: dict[str, str | Expression] = getattr(getattr(cls, "Meta", None), "expressions", {})
        named = [name for name in cls._declared_fields if name not in expressions]
        computed = {name: F(what) if isinstance(what, str) else what for name, what in expressions.items()}
        return queryset.values(*named, **computed)

    @classmethod
    def of(cls, row: Model) -> dict[str, Any]:
        """One row by its key, as `read` gives it."""
        found: dict[str, Any] = cls.read(type(row)._default_manager.filter(pk=row.pk)).get()
        return found
