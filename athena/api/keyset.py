"""Keyset pages: the order of a list, and the condition for the rows after a given row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Expression, OrderBy
from django.utils.functional import cached_property


@dataclass(frozen=True)
class _OrderColumn:
    """One column of the order. It is annotated under its own name, since the row need not contain it."""

    name: str
    expression: F | Expression
    descending: bool
    nullable: bool
    nulls_first: bool = False

    def reversed(self) -> "_OrderColumn":
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def order(self) -> OrderBy:
        nulls = {"nulls_first": True} if self.nulls_first else {"nulls_last": True}
        return OrderBy(self.expression, descending=self.descending, **(nulls if self.nullable else {}))

    def equal_to(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True} if value is None else {self.name: value})

    def after(self, value: Any) -> Q:
        """The condition for rows strictly after `value` in this column."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.nulls_first else Q(pk__in=())
        condition = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        if self.nullable and not self.nulls_first:
            condition |= Q(**{f"{self.name}__isnull": True})
        return condition

    def not_before(self, value: Any) -> Q:
        return Q(**{f"{self.name}__{'lte' if self.descending else 'gte'}": value})


class Keyset:
    """The order of a `.values()` queryset, and its pages.

    The order is by columns, annotations or expressions, then by id in the direction of the last of them. NULLs come
    last in both directions.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]", order: Iterable[Any]) -> None:
        parts = [_split_order(part) for part in order]
        if not parts or parts[-1][0] not in (F("id"), F("pk")):
            parts.append((F("pk"), parts[-1][1] if parts else False))
        self._keys = [
            _OrderColumn(f"_order_{number}", expression, descending, _nullable(queryset, expression))
            for number, (expression, descending) in enumerate(parts)
        ]
        self._plain = queryset
        self.name = f"{queryset.model._meta.label} {parts!r}"

    def read(self, limit: int, position: Sequence[Any] | None = None, backwards: bool = False) -> list[dict[str, Any]]:
        """The rows after `position` (backwards: before it, nearest first), each with the columns of the order."""
        keys = [key.reversed() for key in self._keys] if backwards else self._keys
        rows = self._queryset
        if position is not None:
            rows = rows.filter(_rows_after(keys, self._parse_position(position)))
            if not keys[0].nullable:  # redundant, but it lets the database start in an index
                rows = rows.filter(keys[0].not_before(self._parse_position(position)[0]))
        return list(rows.order_by(*(key.order() for key in keys))[:limit])

    def first(self, limit: int) -> list[dict[str, Any]]:
        """The first rows without the columns of the order: cheaper if no cursor is needed."""
        return list(self._plain.order_by(*(key.order() for key in self._keys))[:limit])

    @cached_property
    def _queryset(self) -> "QuerySet[Any, Any]":
        rows: QuerySet[Any, Any] = self._plain.annotate(**{key.name: key.expression for key in self._keys})
        return rows

    def get_position(self, row: dict[str, Any]) -> list[Any]:
        """The position of a row as JSON values."""
        return [_to_json(row[key.name]) for key in self._keys]

    def without_order_columns(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if not name.startswith("_order_")}

    def _parse_position(self, position: Sequence[Any]) -> list[Any]:
        annotations = self._queryset.query.annotations
        return [
            None if value is None else annotations[key.name].output_field.to_python(value)
            for key, value in zip(self._keys, position, strict=True)
        ]


def _split_order(part: Any) -> tuple[Any, bool]:
    if isinstance(part, str):
        return F(part.removeprefix("-")), part.startswith("-")
    if isinstance(part, OrderBy):
        return part.expression, part.descending
    return part, False


def _nullable(queryset: "QuerySet[Any, Any]", expression: F | Expression) -> bool:
    """Whether the column may be NULL. Others get no NULLS LAST, which would prevent the use of indexes."""
    name = getattr(expression, "name", "")
    if not isinstance(expression, F) or name in queryset.query.annotations:
        return True
    model: Any = queryset.model
    for step in name.split("__"):
        try:
            field = model._meta.pk if step == "pk" else model._meta.get_field(step)
        except FieldDoesNotExist:
            return True
        if field is None or getattr(field, "null", True):
            return True
        model = field.related_model or model
    return False


def _rows_after(keys: Sequence[_OrderColumn], values: Sequence[Any]) -> Q:
    """The condition for rows after `values`: after it in the first column, or equal there and after it in the rest."""
    condition = keys[0].after(values[0])
    return condition | keys[0].equal_to(values[0]) & _rows_after(keys[1:], values[1:]) if len(keys) > 1 else condition


def _to_json(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
