"""What a scoring rule may ask: the registry of fields. Nothing outside it can be named by a rule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable

from athena.db import WholeDays
from sales.models import Activity, FollowUp, Lead, LeadScoringRule, LeadSource
from sales.models.lead import OPEN_STATUSES
from sales.scoring.value_sources import DaysSince, Events, Flag, Happened, HowOften, Number, Source, Text

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
    """One thing a rule may ask about a lead. `timed` fields happen at a time, and may fade or be limited to N days."""

    name: str
    rule_type: str
    value_type: ValueType
    sentence: str
    source: Source
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    timed: bool = False

    @property
    def operators(self) -> tuple[str, ...]:
        return (*_OPERATORS[self.value_type], "is_set") if self.optional else _OPERATORS[self.value_type]


def _number(name: str, value_type: ValueType, sentence: str) -> Field:
    return Field(name, Type.ATTRIBUTE, value_type, sentence, Number(name), optional=True)


def _days(name: str, sentence: str, read: Callable[[datetime], Combinable], *, optional: bool) -> Field:
    return Field(name, Type.ATTRIBUTE, ValueType.DAYS, sentence, Number(read), optional=optional)


def _text(name: str, sentence: str, column: str = "") -> Field:
    return Field(name, Type.ATTRIBUTE, ValueType.TEXT, sentence, Text(column or name), optional=True)


def _choice(
    name: str, sentence: str, choices: list[tuple[str, str]], column: str = "", *, optional: bool = True
) -> Field:
    source = Text(column or name)
    return Field(name, Type.ATTRIBUTE, ValueType.CHOICE, sentence, source, tuple(choices), optional=optional)


def _flag(name: str, sentence: str, condition: Q) -> Field:
    return Field(name, Type.ATTRIBUTE, ValueType.BOOLEAN, sentence, Flag(condition))


def _happened(name: str, rule_type: str, sentence: str, events: Events) -> Field:
    return Field(name, rule_type, ValueType.BOOLEAN, sentence, Happened(events), timed=True)


def _count(name: str, rule_type: str, sentence: str, events: Events) -> Field:
    return Field(name, rule_type, ValueType.INTEGER, sentence, HowOften(events), timed=True)


def _activities(**only: object) -> Events:
    return Events(Activity, Q(**only), "occurred_at")


_OPEN = [(value, label) for value, label in Lead.Status.choices if value in OPEN_STATUSES]
_CONTACT = ("call", "email", "meeting", "quote")

_ATTRIBUTES = (
    _number("estimated_passengers", ValueType.INTEGER, "How many passengers they expect"),
    _number("vehicles_needed", ValueType.INTEGER, "How many vehicles they need"),
    _number("accessible_seats", ValueType.INTEGER, "How many accessible seats they need"),
    _number("estimated_value", ValueType.AMOUNT, "What the trip is estimated to be worth"),
    _number("quote_amount", ValueType.AMOUNT, "What we quoted"),
    _flag("is_repeat", "They have booked with us before", Q(is_repeat=True)),
    _choice("status", "How far the sale has come", _OPEN, optional=False),
    _choice("trip_type", "The kind of trip", Lead.TripType.choices),
    _choice("vehicle_type", "The kind of vehicle", Lead.VehicleType.choices),
    _text("source", "The name of the source they came from", "source__name"),
    _choice("channel", "The channel of that source", LeadSource.Channel.choices, "source__channel"),
    _text("campaign", "The campaign they came from"),
    _text("utm_source", "Where their first click came from"),
    _text("utm_medium", "The medium of their first click"),
    _text("utm_campaign", "The campaign of their first click"),
    _days(
        "days_until_pickup",
        "Whole days until the trip starts (negative once it has)",
        lambda now: WholeDays(Value(now), F("pickup_at")),
        optional=True,
    ),
    _days(
        "days_since_created",
        "Whole days since the lead came in",
        lambda now: WholeDays(F("created_at"), Value(now)),
        optional=False,
    ),
    _flag("has_email", "We have an e-mail address", ~Q(email="")),
    _flag("has_phone", "We have a telephone number", ~Q(phone="")),
    _text("company_name", "The company's or group's name"),
    _text("contact_name", "The contact's name"),
    _text("email", "The e-mail address"),
    _text("phone", "The telephone number"),
    _text("pickup_location", "Where the trip starts"),
    _text("dropoff_location", "Where the trip ends"),
    _text("notes", "The notes on the lead"),
)
_ACTIVITIES = (
    _happened("quote_requested", Type.ACTIVITY, "They asked for a quote", _activities(activity_type="quote_requested")),
    *(
        _count(f"{kind}_count", Type.ACTIVITY, f"How many times: {label}", _activities(activity_type=kind))
        for kind, label in Activity.Type.choices
    ),
)
_ENGAGEMENT = (
    _happened(
        "email_response",
        Type.ENGAGEMENT,
        "They wrote to us",
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
        "Whole days since the last call, e-mail, meeting or quote, in either direction",
        DaysSince(_activities(activity_type__in=_CONTACT)),
        optional=True,
    ),
    *(
        _count(
            f"{outcome}_count",
            Type.ENGAGEMENT,
            f"How many follow-ups ended with: {label}",
            Events(FollowUp, Q(completed=True, outcome=outcome), "completed_at"),
        )
        for outcome, label in FollowUp.Outcome.choices
    ),
)

FIELDS: dict[tuple[str, str], Field] = {
    (field.rule_type, field.name): field for field in (*_ATTRIBUTES, *_ACTIVITIES, *_ENGAGEMENT)
}
