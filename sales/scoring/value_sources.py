"""Where a rule's value comes from, and how to ask about it in SQL.

Each source answers two questions about the leads in a `Scope`: which of them match an operator and a value, and what
the value is (to explain a score). Conditions on events are subqueries that stand alone (`pk IN (…)`) and carry the
scope's keys, so the database works each out once for a batch instead of once for each lead.
"""

import operator as py
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Field,
    IntegerField,
    Max,
    Min,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Greatest, StrIndex
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNull,
    LessThan,
    LessThanOrEqual,
    Lookup,
)

from athena.db import Fold, WholeDays
from athena.db.bulk import IdIn
from sales.models import Lead

_LOOKUPS: "dict[str, type[Lookup[Any]]]" = {
    "equals": Exact,
    "greater_than": GreaterThan,
    "at_least": GreaterThanOrEqual,
    "less_than": LessThan,
    "at_most": LessThanOrEqual,
    "in": In,
}
_PYTHON: dict[str, Callable[[int, Any], bool]] = {
    "equals": py.eq,
    "not_equals": py.ne,
    "greater_than": py.gt,
    "at_least": py.ge,
    "less_than": py.lt,
    "at_most": py.le,
    "between": lambda number, ends: ends[0] <= number <= ends[1],
    "in": lambda number, numbers: number in numbers,
}


@dataclass(frozen=True)
class Scope:
    """Which leads are asked about, and as of when."""

    now: datetime
    keys: Mapping[str, Any]
    first: int
    last: int

    @classmethod
    def of(cls, lead_ids: Collection[int], now: datetime) -> "Scope":
        return cls(now, {"in": tuple(lead_ids)}, min(lead_ids, default=0), max(lead_ids, default=0))

    @classmethod
    def between(cls, first: int, last: int, now: datetime) -> "Scope":
        return cls(now, {"gte": first, "lte": last}, first, last)

    @classmethod
    def spanning(cls, leads: "QuerySet[Lead]", now: datetime) -> "Scope":
        """From the first to the last of them. One query."""
        ends = leads.order_by().aggregate(first=Min("pk"), last=Max("pk"))
        return cls.between(ends["first"] or 0, ends["last"] or 0, now)

    @classmethod
    def among(cls, lead_ids: Collection[int], now: datetime) -> "Scope":
        """As `of`, for many: they travel as one parameter. (The range of keys is for the planner.)"""
        first, last = min(lead_ids, default=0), max(lead_ids, default=0)
        these = Lead.objects.filter(IdIn("pk", lead_ids)).order_by().values("pk")
        return cls(now, {"in": these, "gte": first, "lte": last}, first, last)

    def where(self, key: str) -> Q:
        return Q(**{f"{key}__{lookup}": keys for lookup, keys in self.keys.items()})


class Source(ABC):
    """`within_days` counts for events alone; other sources are never asked with it."""

    @abstractmethod
    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q: ...

    @abstractmethod
    def value(self, scope: Scope, within_days: int | None) -> Combinable: ...

    def latest(self, within_days: int | None, now: datetime) -> Combinable | None:
        """When the newest event that counts happened; None for what does not happen at a time."""
        return None


class Number(Source):
    """A number of the lead itself: a column, or an expression as of a time. NULL is missing."""

    def __init__(self, read: str | Callable[[datetime], Combinable]) -> None:
        self.read = read

    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q:
        return _compare(self.value(scope, None), operator, value)

    def value(self, scope: Scope, within_days: int | None) -> Combinable:
        return F(self.read) if isinstance(self.read, str) else self.read(scope.now)


class Text(Source):
    """A text of the lead, compared without case. NULL and the empty text are missing."""

    def __init__(self, column: str) -> None:
        self.column = column

    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q:
        there = Q(**{f"{self.column}__gt": ""})
        if operator == "is_set":
            return there if value else Q(**{f"{self.column}__isnull": True}) | Q(**{self.column: ""})
        text = Fold(F(self.column))
        if operator == "in":
            return Q(In(text, [Fold(Value(each)) for each in value]))
        wanted = Fold(Value(value))
        if operator == "contains":
            return Q(GreaterThan(StrIndex(text, wanted), 0))
        return there & ~Q(Exact(text, wanted)) if operator == "not_equals" else Q(Exact(text, wanted))

    def value(self, scope: Scope, within_days: int | None) -> Combinable:
        return F(self.column)


class Flag(Source):
    """Whether a condition on the lead's own columns holds. Never missing."""

    def __init__(self, condition: Q) -> None:
        self.condition = condition

    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q:
        return self.condition if (operator == "equals") == value else ~self.condition

    def value(self, scope: Scope, within_days: int | None) -> Combinable:
        return ExpressionWrapper(self.condition, output_field=BooleanField())


@dataclass(frozen=True)
class Events:
    """Things that happened to a lead at a time: rows of `model`, which has a `lead`, for which `only` holds."""

    model: type[Model]
    only: Q
    at: str

    def rows(self, where: Q, within_days: int | None, now: datetime) -> "QuerySet[Any, Any]":
        """Those of some leads; with `within_days`, of the last N times 24 hours, both ends included."""
        rows = self.model._default_manager.filter(self.only, where).order_by()
        if within_days is not None:
            rows = rows.filter(**{f"{self.at}__gte": now - timedelta(days=within_days)})
        return rows.values("lead_id")


class _OfEvents(Source):
    def __init__(self, events: Events) -> None:
        self.events = events

    def latest(self, within_days: int | None, now: datetime) -> Combinable:
        return self._for_each_lead(Max(self.events.at), DateTimeField(), within_days, now)

    def _for_each_lead(
        self, measure: Any, field: "Field[Any, Any]", within_days: int | None, now: datetime
    ) -> Subquery:
        """The measure as a subquery correlated to the lead: for few leads, or behind a condition that few match."""
        rows = self.events.rows(Q(lead=OuterRef("pk")), within_days, now)
        return Subquery(rows.annotate(measure=measure).values("measure"), output_field=field)


class Happened(_OfEvents):
    """Whether it happened at all. Never missing."""

    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q:
        happened = Q(pk__in=self.events.rows(scope.where("lead_id"), within_days, scope.now))
        return happened if (operator == "equals") == value else ~happened

    def value(self, scope: Scope, within_days: int | None) -> Combinable:
        return Exists(self.events.rows(Q(lead=OuterRef("pk")), within_days, scope.now))


class HowOften(_OfEvents):
    """How many times it happened. Never missing: nothing is 0."""

    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q:
        counted = self.events.rows(scope.where("lead_id"), within_days, scope.now).annotate(times=Count("pk"))
        condition = _compare(F("times"), operator, value)
        if not _PYTHON[operator](0, value):
            return Q(pk__in=counted.filter(condition).values("lead_id"))
        # Leads without any are not among the counted: match all but those that fail.
        return ~Q(pk__in=counted.filter(~condition).values("lead_id"))

    def value(self, scope: Scope, within_days: int | None) -> Combinable:
        return Coalesce(self._for_each_lead(Count("pk"), IntegerField(), within_days, scope.now), 0)


class DaysSince(_OfEvents):
    """Whole days since it last happened (at least 0); missing where it never did."""

    def matches(self, scope: Scope, operator: str, value: Any, within_days: int | None) -> Q:
        rows = self.events.rows(scope.where("lead_id"), within_days, scope.now)
        if operator == "is_set":
            return Q(pk__in=rows) if value else ~Q(pk__in=rows)
        counted = rows.annotate(days=self._days(scope))
        return Q(pk__in=counted.filter(_compare(F("days"), operator, value)).values("lead_id"))

    def value(self, scope: Scope, within_days: int | None) -> Combinable:
        return self._for_each_lead(self._days(scope), IntegerField(), within_days, scope.now)

    def _days(self, scope: Scope) -> Combinable:
        return Greatest(WholeDays(Max(self.events.at), Value(scope.now)), 0)


def _compare(left: Any, operator: str, value: Any) -> Q:
    """NULL matches only `is_set` = false: comparing it is NULL, and so is the negation of that."""
    if operator == "is_set":
        return Q(IsNull(left, not value))
    if operator == "not_equals":
        return ~Q(Exact(left, value))
    if operator == "between":
        return Q(GreaterThanOrEqual(left, value[0])) & Q(LessThanOrEqual(left, value[1]))
    return Q(_LOOKUPS[operator](left, value))
