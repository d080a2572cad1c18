"""Rows: what goes out. A shape is declared once, and is both the columns of the query and the schema's answer."""

from collections.abc import Collection
from typing import Any

from django.db.models import Expression, F, Model, QuerySet
from rest_framework import serializers


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
