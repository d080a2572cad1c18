"""The registry of the fields that a scoring rule may compare. A rule can name no other field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable

from athena.db import WholeDays
from sales.models import Activity, FollowUp, Lead, LeadScoringRule, LeadSource
from sales.models.leads.lead import OPEN_STATUSES
from sales.scoring.value_sources import (
    DaysSinceEvent,
    EventCount,
    EventHappened,
    Events,
    FlagSource,
    NumberSource,
    TextSource,
    ValueSource,
)

Type = LeadScoringRule.Type


class ValueType(StrEnum):
    INTEGER = "integer"
    AMOUNT = "amount"
    DAYS = "days"
    TEXT = "text"
    CHOICE = "choice"
    BOOLEAN = "boolean"


_COMPARISONS = ("equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "in")
_OPERATORS: dict[ValueType, tuple[str, ...]] = {
    ValueType.INTEGER: _COMPARISONS,
    ValueType.AMOUNT: _COMPARISONS,
    ValueType.DAYS: _COMPARISONS,
    ValueType.TEXT: ("equals", "not_equals", "contains", "in"),
    ValueType.CHOICE: ("equals", "not_equals", "in"),
    ValueType.BOOLEAN: ("equals", "not_equals"),
}


@dataclass(frozen=True)
class Field:
    """One field that a rule may compare.

    `is_optional`: a lead may lack the value, so rules may ask whether it is known.
    `is_timed`: the value comes from events, so rules may have `within_days` and `half_life_days`.
    """

    name: str
    rule_type: str
    value_type: ValueType
    description: str
    source: ValueSource
    choices: tuple[tuple[str, str], ...] = ()
    is_optional: bool = False
    is_timed: bool = False

    @property
    def operators(self) -> tuple[str, ...]:
        """The operators that go with the field."""
        return (*_OPERATORS[self.value_type], "is_set") if self.is_optional else _OPERATORS[self.value_type]


def _number(name: str, value_type: ValueType, description: str) -> Field:
    return Field(name, Type.ATTRIBUTE, value_type, description, NumberSource(name), is_optional=True)


def _days(
    name: str, description: str, expression: Callable[[datetime], Combinable], *, is_optional: bool = False
) -> Field:
    source = NumberSource(expression)
    return Field(name, Type.ATTRIBUTE, ValueType.DAYS, description, source, is_optional=is_optional)


def _text(name: str, description: str, column: str = "") -> Field:
    return Field(name, Type.ATTRIBUTE, ValueType.TEXT, description, TextSource(column or name), is_optional=True)


def _choice(
    name: str, description: str, choices: Sequence[tuple[str, str]], column: str = "", *, is_optional: bool = True
) -> Field:
    source = TextSource(column or name)
    return Field(name, Type.ATTRIBUTE, ValueType.CHOICE, description, source, tuple(choices), is_optional=is_optional)


def _flag(name: str, description: str, condition: Q) -> Field:
    return Field(name, Type.ATTRIBUTE, ValueType.BOOLEAN, description, FlagSource(condition))


def _happened(name: str, rule_type: str, description: str, events: Events) -> Field:
    return Field(name, rule_type, ValueType.BOOLEAN, description, EventHappened(events), is_timed=True)


def _count(name: str, rule_type: str, description: str, events: Events) -> Field:
    return Field(name, rule_type, ValueType.INTEGER, description, EventCount(events), is_timed=True)


def _activities(**condition: object) -> Events:
    return Events(Activity, Q(**condition), "occurred_at")


_OPEN_STATUS_CHOICES = [(value, label) for value, label in Lead.Status.choices if value in OPEN_STATUSES]
_CONTACT_TYPES = ("call", "email", "meeting", "quote")

_ATTRIBUTES = (
    _number("estimated_passengers", ValueType.INTEGER, "Number of passengers"),
    _number("vehicles_needed", ValueType.INTEGER, "Number of vehicles needed"),
    _number("accessible_seats", ValueType.INTEGER, "Number of accessible seats needed"),
    _number("estimated_value", ValueType.AMOUNT, "Estimated value of the trip"),
    _number("quote_amount", ValueType.AMOUNT, "Amount that we quoted"),
    _flag("is_repeat", "Repeat client", Q(is_repeat=True)),
    _choice("status", "Status", _OPEN_STATUS_CHOICES, is_optional=False),
    _choice("trip_type", "Kind of trip", Lead.TripType.choices),
    _choice("vehicle_type", "Kind of vehicle", Lead.VehicleType.choices),
    _text("source", "Name of the lead source", "source__name"),
    _choice("channel", "Channel of the lead source", LeadSource.Channel.choices, "source__channel"),
    _text("campaign", "Campaign"),
    _text("utm_source", "UTM source of the first click"),
    _text("utm_medium", "UTM medium of the first click"),
    _text("utm_campaign", "UTM campaign of the first click"),
    _days(
        "days_until_pickup",
        "Whole days until the trip starts (negative afterwards)",
        lambda now: WholeDays(Value(now), F("pickup_at")),
        is_optional=True,
    ),
    _days(
        "days_since_created",
        "Whole days since the lead came in",
        lambda now: WholeDays(F("created_at"), Value(now)),
    ),
    _flag("has_email", "We have an email address", ~Q(email="")),
    _flag("has_phone", "We have a phone number", ~Q(phone="")),
    _text("company_name", "Name of the company or group"),
    _text("contact_name", "Name of the contact"),
    _text("email", "Email address"),
    _text("phone", "Phone number"),
    _text("pickup_location", "Pickup location"),
    _text("dropoff_location", "Drop-off location"),
    _text("notes", "Notes on the lead"),
)
_ACTIVITIES = (
    _happened("quote_requested", Type.ACTIVITY, "They asked for a quote", _activities(activity_type="quote_requested")),
    *(
        _count(f"{kind}_count", Type.ACTIVITY, f"Number of activities: {label}", _activities(activity_type=kind))
        for kind, label in Activity.Type.choices
    ),
)
_ENGAGEMENT = (
    _happened(
        "email_response",
        Type.ENGAGEMENT,
        "They sent us an email",
        _activities(activity_type="email", direction="inbound"),
    ),
    _happened(
        "phone_response",
        Type.ENGAGEMENT,
        "They called us",
        _activities(activity_type="call", direction="inbound"),
    ),
    Field(
        "days_since_last_contact",
        Type.ENGAGEMENT,
        ValueType.DAYS,
        "Whole days since the last call, email, meeting or quote, in either direction",
        DaysSinceEvent(_activities(activity_type__in=_CONTACT_TYPES)),
        is_optional=True,
    ),
    *(
        _count(
            f"{outcome}_count",
            Type.ENGAGEMENT,
            f"Number of follow-ups with the outcome: {label}",
            Events(FollowUp, Q(completed=True, outcome=outcome), "completed_at"),
        )
        for outcome, label in FollowUp.Outcome.choices
    ),
)

FIELDS: dict[tuple[str, str], Field] = {
    (field.rule_type, field.name): field for field in (*_ATTRIBUTES, *_ACTIVITIES, *_ENGAGEMENT)
}
