"""Random rules on random leads: the database computes the same scores as a naive implementation in Python."""

import math
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sales.models import Activity, FollowUp, Lead, LeadScoringRule, LeadSource
from sales.scoring.compiler import CompiledRule, build_raw_points
from sales.scoring.explanations import explain_score
from sales.scoring.value_sources import LeadSelection
from tests.fixtures import new_user
from tests.sales.scoring.conftest import NOW

NUMBERS = {"equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "in"}
WORDS = ["École", "ÉCOLE", "école de danse", "50% off", "a_b", "O'Brien", "ß", "x"]
COUNTS = {"call_count": "call", "meeting_count": "meeting"}
EVENTS = {"quote_requested": ("quote_requested", None), "email_response": ("email", "inbound")}
OUTCOMES = {"no_answer_count": "no_answer", "voicemail_count": "voicemail"}
SOURCES = {"École": "web_form", "a_b": "referral"}  # their channels


def compute_naively(rules, lead, events):
    """The raw points of a lead, rule by rule, in plain Python."""
    groups: dict[str | int, list[int]] = {}
    for number, rule in enumerate(rules):
        if matches(rule, lead, events):
            groups.setdefault(rule.group or number, []).append(compute_rule_points(rule, events))
    return sum(max(points) for points in groups.values())


def find_event_times(rule, events):
    """The times of the events that the rule counts."""
    if outcome := OUTCOMES.get(rule.condition_field):
        times = [event.completed_at for event in events if isinstance(event, FollowUp) and event.outcome == outcome]
    else:
        kind, direction = EVENTS.get(rule.condition_field) or (COUNTS.get(rule.condition_field), None)
        times = [
            event.occurred_at
            for event in events
            if isinstance(event, Activity) and event.activity_type == kind and direction in (None, event.direction)
        ]
    return [at for at in times if rule.within_days is None or at >= NOW - timedelta(days=rule.within_days)]


def read_value(rule, lead, events):
    field = rule.condition_field
    if field == "days_since_last_contact":
        kinds = ("call", "email", "meeting", "quote")
        times = [event.occurred_at for event in events if isinstance(event, Activity) and event.activity_type in kinds]
        return max(0, (NOW - max(times)) // timedelta(days=1)) if times else None
    if field in EVENTS:
        return bool(find_event_times(rule, events))
    if field in COUNTS or field in OUTCOMES:
        return len(find_event_times(rule, events))
    if field == "days_until_pickup":
        return None if lead.pickup_at is None else (lead.pickup_at - NOW) // timedelta(days=1)
    if field == "days_since_created":
        return (NOW - lead.created_at) // timedelta(days=1)
    if field == "has_phone":
        return lead.phone != ""
    if field in ("source", "channel"):
        return {"source": lead.source.name, "channel": lead.source.channel}[field] if lead.source else None
    value = getattr(lead, field)
    return None if value == "" else value


def matches(rule, lead, events):
    value, operator, expected = read_value(rule, lead, events), rule.condition_operator, rule.condition_value
    if operator == "is_set":
        return (value is not None) == (expected == "true")
    if value is None:
        return False
    if operator in ("between", "in"):
        parts = [part.strip() for part in expected.split(",")]
        if operator == "in":
            return value.lower() in map(str.lower, parts) if isinstance(value, str) else value in map(Decimal, parts)
        return Decimal(parts[0]) <= value <= Decimal(parts[1])
    if isinstance(value, str):
        value, expected = value.lower(), expected.lower()
    elif isinstance(value, bool):
        expected = expected == "true"
    else:
        value, expected = Decimal(value), Decimal(expected)
    return {
        "equals": lambda: value == expected,
        "not_equals": lambda: value != expected,
        "contains": lambda: expected in value,
        "greater_than": lambda: value > expected,
        "at_least": lambda: value >= expected,
        "less_than": lambda: value < expected,
        "at_most": lambda: value <= expected,
    }[operator]()


def compute_rule_points(rule, events):
    times = find_event_times(rule, events)
    if not rule.half_life_days or not times:
        return rule.points
    days = max(0, (NOW - max(times)) // timedelta(days=1))
    return math.floor(rule.points * 0.5 ** (days / rule.half_life_days) + 0.5)


FLAGS = {"equals", "not_equals"}
CHOICES, TEXTS = FLAGS | {"in"}, FLAGS | {"in", "contains"}
SMALL, FLAG = st.integers(-2, 6).map(str), st.sampled_from(["true", "false"])
# type, field, operators, values, whether the rule is about events with a time
RULE_KINDS = [
    ("attribute", "estimated_passengers", NUMBERS, SMALL, False),
    ("attribute", "estimated_value", NUMBERS, st.sampled_from(["0", "1.5", "2", "2.01"]), False),
    ("attribute", "days_until_pickup", NUMBERS, SMALL, False),
    ("attribute", "days_since_created", NUMBERS, SMALL, False),
    ("attribute", "company_name", TEXTS, st.sampled_from(WORDS), False),
    ("attribute", "source", TEXTS, st.sampled_from(WORDS), False),
    ("attribute", "channel", CHOICES, st.sampled_from(["web_form", "referral"]), False),
    ("attribute", "status", CHOICES, st.sampled_from(["new", "quoted"]), False),
    ("attribute", "trip_type", CHOICES, st.sampled_from(["shuttle", "one_way"]), False),
    ("attribute", "is_repeat", FLAGS, FLAG, False),
    ("attribute", "has_phone", FLAGS, FLAG, False),
    ("activity", "quote_requested", FLAGS, FLAG, True),
    ("engagement", "email_response", FLAGS, FLAG, True),
    ("activity", "call_count", NUMBERS, SMALL, True),
    ("activity", "meeting_count", NUMBERS, SMALL, True),
    ("engagement", "no_answer_count", NUMBERS, SMALL, True),
    ("engagement", "voicemail_count", NUMBERS, SMALL, True),
    ("engagement", "days_since_last_contact", NUMBERS, SMALL, False),
]
OPTIONAL = {
    "estimated_passengers",
    "estimated_value",
    "days_until_pickup",
    "company_name",
    "source",
    "channel",
    "trip_type",
    "days_since_last_contact",
}


@st.composite
def rules(draw):
    kind, field, operators, values, is_timed = draw(st.sampled_from(RULE_KINDS))
    operator = draw(st.sampled_from(sorted(operators)))
    if field in OPTIONAL and draw(st.integers(0, 5)) == 0:
        operator, values = "is_set", st.sampled_from(["true", "false"])
    elif operator == "in":
        values = st.lists(values, min_size=1, max_size=3).map(", ".join)
    elif operator == "between":
        values = st.tuples(values, values).map(lambda ends: ",".join(sorted(ends, key=Decimal)))
    return LeadScoringRule(
        rule_name="A rule",
        rule_type=kind,
        condition_field=field,
        condition_operator=operator,
        condition_value=draw(values),
        points=draw(st.integers(-100, 100)),
        group=draw(st.sampled_from(["", "", "a", "b"])),
        within_days=draw(st.none() | st.integers(1, 5)) if is_timed else None,
        half_life_days=draw(st.none() | st.integers(1, 5)) if is_timed else None,
    )


ages = st.builds(
    lambda days, microseconds: timedelta(days=days, microseconds=microseconds), st.integers(-1, 8), st.integers(-1, 1)
)
leads = st.builds(
    Lead,
    company_name=st.sampled_from([*WORDS, ""]),
    contact_name=st.just("Somebody"),
    phone=st.sampled_from(["", "+12125550100"]),
    status=st.sampled_from(["new", "contacted", "quoted"]),
    created_at=ages.map(lambda age: NOW - age),
    estimated_passengers=st.none() | st.integers(0, 6),
    estimated_value=st.none() | st.sampled_from([Decimal("0"), Decimal("1.5"), Decimal("2"), Decimal("2.01")]),
    pickup_at=st.none() | ages.map(lambda age: NOW + age),
    trip_type=st.sampled_from(["", "shuttle", "one_way"]),
    is_repeat=st.booleans(),
)
activities = st.builds(
    Activity,
    activity_type=st.sampled_from(["call", "email", "meeting", "quote_requested", "note"]),
    direction=st.sampled_from([None, "inbound", "outbound"]),
    occurred_at=ages.map(lambda age: NOW - age),
)
follow_ups = st.builds(
    lambda outcome, at: FollowUp(
        follow_up_type="call",
        scheduled_date=NOW.date(),
        completed=outcome is not None,
        outcome=outcome,
        completed_at=at if outcome else None,
    ),
    st.sampled_from([None, "no_answer", "voicemail", "successful"]),
    ages.map(lambda age: NOW - age),
)
stories = st.tuples(leads, st.none() | st.sampled_from(sorted(SOURCES)), st.lists(activities | follow_ups, max_size=8))


class Scores(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.rep = new_user("maria")

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(rules(), max_size=8), st.lists(stories, min_size=1, max_size=5))
    def test_the_database_agrees_with_the_naive_implementation(self, rules, stories):
        sources = {name: LeadSource.objects.create(name=name, channel=channel) for name, channel in SOURCES.items()}
        for lead, source, events in stories:
            lead.pk, lead.source = None, sources.get(source)
            lead.save()
            for event in events:
                event.pk, event.lead = None, lead
                if isinstance(event, FollowUp):
                    event.assigned_to = self.rep
            for model in (Activity, FollowUp):
                model.objects.bulk_create(event for event in events if isinstance(event, model))
        for number, rule in enumerate(rules, start=1):
            rule.pk = number
        compiled, ids = CompiledRule.compile_all(rules), [lead.pk for lead, _, _ in stories]

        assert len(compiled) == len(rules)

        expected = {lead.pk: compute_naively(rules, lead, events) for lead, _, events in stories}
        for scope in (LeadSelection.from_ids(ids, NOW), LeadSelection.from_range(min(ids), max(ids), NOW)):
            raw_points = (
                Lead.objects.filter(pk__in=ids).annotate(raw=build_raw_points(compiled, scope)).values_list("pk", "raw")
            )
            assert dict(raw_points) == expected
        for pk in ids:
            explanation = explain_score(compiled, pk, NOW)
            matched = sum(rule.points for rule in explanation.rules if rule.matched)
            assert explanation.raw_points == expected[pk]
            assert matched == expected[pk]
