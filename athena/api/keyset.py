"""The order of a list, and the condition that says what comes after a row of it."""

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
class _Key:
    """One column of the order, read under a name of its own so that it need not be among the row's keys."""

    name: str
    expression: F | Expression
    descending: bool
    nullable: bool
    nulls_first: bool = False

    def reversed(self) -> "_Key":
        return replace(self, descending=not self.descending, nulls_first=not self.nulls_first)

    def order(self) -> OrderBy:
        nulls = {"nulls_first": True} if self.nulls_first else {"nulls_last": True}
        return OrderBy(self.expression, descending=self.descending, **(nulls if self.nullable else {}))

    def same(self, value: Any) -> Q:
        return Q(**{f"{self.name}__isnull": True} if value is None else {self.name: value})

    def beyond(self, value: Any) -> Q:
        """What comes strictly after `value` in this column."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.nulls_first else Q(pk__in=())
        after = Q(**{f"{self.name}__{'lt' if self.descending else 'gt'}": value})
        return after | Q(**{f"{self.name}__isnull": True}) if self.nullable and not self.nulls_first else after

    def not_before(self, value: Any) -> Q:
        return Q(**{f"{self.name}__{'lte' if self.descending else 'gte'}": value})


class Keyset:
    """An order over a `.values()` queryset: columns, annotations or expressions, then the id in the last one's way.

    NULLs come last in both directions.
    """

    def __init__(self, queryset: "QuerySet[Any, Any]", order: Iterable[Any]) -> None:
        parts = [_part(part) for part in order]
        if not parts or parts[-1][0] not in (F("id"), F("pk")):
            parts.append((F("pk"), parts[-1][1] if parts else False))
        self._keys = [
            _Key(f"_order_{number}", expression, descending, _nullable(queryset, expression))
            for number, (expression, descending) in enumerate(parts)
        ]
        self._plain = queryset
        self.name = f"{queryset.model._meta.label} {parts!r}"

    def read(self, limit: int, place: Sequence[Any] | None = None, backwards: bool = False) -> list[dict[str, Any]]:
        """The rows after `place` (backwards: before it, nearest first), each with the columns of the order."""
        keys = [key.reversed() for key in self._keys] if backwards else self._keys
        rows = self._queryset
        if place is not None:
            rows = rows.filter(_beyond(keys, self._values(place)))
            if not keys[0].nullable:  # says nothing new, but in a way that an index can begin at
                rows = rows.filter(keys[0].not_before(self._values(place)[0]))
        return list(rows.order_by(*(key.order() for key in keys))[:limit])

    def first(self, limit: int) -> list[dict[str, Any]]:
        """The first rows, without the columns of the order: cheaper, where nobody asks for a row's place."""
        return list(self._plain.order_by(*(key.order() for key in self._keys))[:limit])

    @cached_property
    def _queryset(self) -> "QuerySet[Any, Any]":
        rows: QuerySet[Any, Any] = self._plain.annotate(**{key.name: key.expression for key in self._keys})
        return rows

    def get_position(self, row: dict[str, Any]) -> list[Any]:
        """Where a row stands, as JSON can hold it."""
        return [_plain(row[key.name]) for key in self._keys]

    def without_order_columns(self, row: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if not name.startswith("_order_")}

    def _values(self, place: Sequence[Any]) -> list[Any]:
        annotations = self._queryset.query.annotations
        return [
            None if value is None else annotations[key.name].output_field.to_python(value)
            for key, value in zip(self._keys, place, strict=True)
        ]


def _part(part: Any) -> tuple[Any, bool]:
    if isinstance(part, str):
        return F(part.removeprefix("-")), part.startswith("-")
    if isinstance(part, OrderBy):
        return part.expression, part.descending
    return part, False


def _nullable(queryset: "QuerySet[Any, Any]", expression: F | Expression) -> bool:
    """Whether the order must say where NULLs go. Saying so where there are none would keep indexes from being used."""
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


def _beyond(keys: Sequence[_Key], values: Sequence[Any]) -> Q:
    """After the place `values`: beyond it in the first column, or level there and beyond it in the rest."""
    condition = keys[0].beyond(values[0])
    return condition | keys[0].same(values[0]) & _beyond(keys[1:], values[1:]) if len(keys) > 1 else condition


def _plain(value: Any) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
