"""Where a rule's value comes from, and how to ask about it in SQL.

Each source answers two questions about selected leads: which of them match an operator and a value, and what their
value is (to explain a score). Conditions on events are uncorrelated subqueries (`pk IN (…)`) that are limited to the
selected leads, so the database evaluates each once for a batch instead of once for each lead.
"""

import operator as py
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
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
_PYTHON_OPERATORS: dict[str, Callable[[int, Any], bool]] = {
    "equals": py.eq,
    "not_equals": py.ne,
    "greater_than": py.gt,
    "at_least": py.ge,
    "less_than": py.lt,
    "at_most": py.le,
    "between": lambda number, ends: ends[0] <= number <= ends[1],
    "in": lambda number, numbers: number in numbers,
}


# What a rule compares with: a tuple for `in` and `between`, a `bool` (an `int`) for `is_set` and yes/no fields.
Scalar = str | int | Decimal
RuleValue = Scalar | tuple[Scalar, ...]


@dataclass(frozen=True)
class LeadSelection:
    """Which leads a query is about, and the time that ages and days are measured from.

    `lookups` select the leads by key; all keys lie between `first` and `last`.
    """

    now: datetime
    lookups: Mapping[str, Any]
    first: int
    last: int

    @classmethod
    def from_ids(cls, lead_ids: Collection[int], now: datetime) -> "LeadSelection":
        """Select a few leads; each key is a query parameter wherever the selection is used."""
        return cls(now, {"in": tuple(lead_ids)}, min(lead_ids, default=0), max(lead_ids, default=0))

    @classmethod
    def from_many_ids(cls, lead_ids: Collection[int], now: datetime) -> "LeadSelection":
        """Select many leads; all keys travel as one parameter. The range of keys helps the query planner."""
        first, last = min(lead_ids, default=0), max(lead_ids, default=0)
        keys = Lead.objects.filter(IdIn("pk", lead_ids)).order_by().values("pk")
        return cls(now, {"in": keys, "gte": first, "lte": last}, first, last)

    @classmethod
    def from_range(cls, first: int, last: int, now: datetime) -> "LeadSelection":
        """Select all leads from one key to another, both included."""
        return cls(now, {"gte": first, "lte": last}, first, last)

    @classmethod
    def spanning(cls, leads: "QuerySet[Lead]", now: datetime) -> "LeadSelection":
        """Select the range of keys from the first to the last of these leads. One query."""
        ends = leads.order_by().aggregate(first=Min("pk"), last=Max("pk"))
        return cls.from_range(ends["first"] or 0, ends["last"] or 0, now)

    def where(self, key_column: str) -> Q:
        """The condition that `key_column` is the key of a selected lead."""
        return Q(**{f"{key_column}__{lookup}": keys for lookup, keys in self.lookups.items()})


class ValueSource(ABC):
    """The origin of a field's value. `within_days` limits events; fields without events are never asked with it."""

    @abstractmethod
    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        """The condition that a lead's value fulfils `operator` and `value`."""

    @abstractmethod
    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        """Each lead's value."""

    def latest(self, within_days: int | None, now: datetime) -> Combinable | None:
        """When the newest event that counts happened; None if the value does not come from events."""
        return None


class NumberSource(ValueSource):
    """A number of the lead itself: a column, or a function from the current time to an expression. NULL is missing."""

    def __init__(self, column: str | Callable[[datetime], Combinable]) -> None:
        self.column = column

    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        return _compare(self.value(selection, None), operator, value)

    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        return F(self.column) if isinstance(self.column, str) else self.column(selection.now)


class TextSource(ValueSource):
    """A text of the lead, compared without case. NULL and the empty text are missing."""

    def __init__(self, column: str) -> None:
        self.column = column

    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        is_known = Q(**{f"{self.column}__gt": ""})
        if operator == "is_set":
            return is_known if value else Q(**{f"{self.column}__isnull": True}) | Q(**{self.column: ""})
        text = Fold(F(self.column))
        if isinstance(value, tuple):
            return Q(In(text, [Fold(Value(option)) for option in value]))
        wanted = Fold(Value(value))
        if operator == "contains":
            return Q(GreaterThan(StrIndex(text, wanted), 0))
        return is_known & ~Q(Exact(text, wanted)) if operator == "not_equals" else Q(Exact(text, wanted))

    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        return F(self.column)


class FlagSource(ValueSource):
    """Whether a condition on the lead's own columns holds. Never missing."""

    def __init__(self, condition: Q) -> None:
        self.condition = condition

    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        return self.condition if (operator == "equals") == value else ~self.condition

    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        return ExpressionWrapper(self.condition, output_field=BooleanField())


@dataclass(frozen=True)
class Events:
    """Events of leads: the rows of `model`, which has a `lead`, that fulfil `condition`; `time_column` says when."""

    model: type[Model]
    condition: Q
    time_column: str

    def get_lead_ids(self, where: Q, within_days: int | None, now: datetime) -> "QuerySet[Any, Any]":
        """The lead ids of the events that also fulfil `where`; with `within_days`, of the last N times 24 hours."""
        rows = self.model._default_manager.filter(self.condition, where).order_by()
        if within_days is not None:
            rows = rows.filter(**{f"{self.time_column}__gte": now - timedelta(days=within_days)})
        return rows.values("lead_id")


class _EventSource(ValueSource):
    def __init__(self, events: Events) -> None:
        self.events = events

    def latest(self, within_days: int | None, now: datetime) -> Combinable:
        return self._aggregate_per_lead(Max(self.events.time_column), DateTimeField(), within_days, now)

    def _aggregate_per_lead(
        self, aggregate: Combinable, field: "Field[Any, Any]", within_days: int | None, now: datetime
    ) -> Subquery:
        """An aggregate of each lead's events as a correlated subquery: for few leads, or where few leads match."""
        rows = self.events.get_lead_ids(Q(lead=OuterRef("pk")), within_days, now)
        return Subquery(rows.annotate(aggregate=aggregate).values("aggregate"), output_field=field)


class EventHappened(_EventSource):
    """Whether there was such an event at all. Never missing."""

    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        happened = Q(pk__in=self.events.get_lead_ids(selection.where("lead_id"), within_days, selection.now))
        return happened if (operator == "equals") == value else ~happened

    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        return Exists(self.events.get_lead_ids(Q(lead=OuterRef("pk")), within_days, selection.now))


class EventCount(_EventSource):
    """How many such events there were. Never missing: a lead without events counts 0."""

    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        rows = self.events.get_lead_ids(selection.where("lead_id"), within_days, selection.now)
        counts = rows.annotate(event_count=Count("pk"))
        condition = _compare(F("event_count"), operator, value)
        if not _PYTHON_OPERATORS[operator](0, value):
            return Q(pk__in=counts.filter(condition).values("lead_id"))
        # Zero events match, but leads without events have no row here: match all leads but those that fail.
        return ~Q(pk__in=counts.filter(~condition).values("lead_id"))

    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        return Coalesce(self._aggregate_per_lead(Count("pk"), IntegerField(), within_days, selection.now), 0)


class DaysSinceEvent(_EventSource):
    """Whole days since the latest such event, at least 0; missing if there was none."""

    def matches(self, selection: LeadSelection, operator: str, value: RuleValue, within_days: int | None) -> Q:
        rows = self.events.get_lead_ids(selection.where("lead_id"), within_days, selection.now)
        if operator == "is_set":
            return Q(pk__in=rows) if value else ~Q(pk__in=rows)
        days = rows.annotate(days=self._days(selection))
        return Q(pk__in=days.filter(_compare(F("days"), operator, value)).values("lead_id"))

    def value(self, selection: LeadSelection, within_days: int | None) -> Combinable:
        return self._aggregate_per_lead(self._days(selection), IntegerField(), within_days, selection.now)

    def _days(self, selection: LeadSelection) -> Combinable:
        return Greatest(WholeDays(Max(self.events.time_column), Value(selection.now)), 0)


def _compare(left: Combinable, operator: str, value: RuleValue) -> Q:
    """A comparison in SQL. NULL matches `is_set` = false only: any other comparison, even negated, gives NULL."""
    if operator == "is_set":
        return Q(IsNull(left, not value))
    if operator == "not_equals":
        return ~Q(Exact(left, value))
    if operator == "between" and isinstance(value, tuple):
        lower, upper = value
        return Q(GreaterThanOrEqual(left, lower)) & Q(LessThanOrEqual(left, upper))
    return Q(_LOOKUPS[operator](left, value))
