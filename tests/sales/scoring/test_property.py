"""Random rules on random leads: the database's score is that of a naive reader of the rules."""

import math
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from sales.models import Activity, Lead, LeadScoringRule
from sales.scoring.compile import Compiled, raw_points
from sales.scoring.explain import explain
from sales.scoring.sources import Scope
from tests.sales.scoring.conftest import NOW

NUMBERS = {"equals", "not_equals", "greater_than", "at_least", "less_than", "at_most", "between", "in"}
WORDS = ["École", "ÉCOLE", "école de danse", "50% off", "a_b", "O'Brien", "ß", "x"]
COUNTS = {"call_count": "call", "meeting_count": "meeting"}
HAPPENED = {"quote_requested": ("quote_requested", None), "email_response": ("email", "inbound")}


def reference(rules, lead, activities):
    """What the rules mean, one at a time, in plain Python."""
    groups: dict[str | int, list[int]] = {}
    for number, rule in enumerate(rules):
        if matches(rule, lead, activities):
            groups.setdefault(rule.group or number, []).append(worth(rule, activities))
    return sum(max(points) for points in groups.values())


def counted(rule, activities):
    kind, direction = HAPPENED.get(rule.condition_field) or (COUNTS.get(rule.condition_field), None)
    oldest = NOW - timedelta(days=rule.within_days) if rule.within_days else None
    return [
        each
        for each in activities
        if each.activity_type == kind
        and (direction is None or each.direction == direction)
        and (oldest is None or each.occurred_at >= oldest)
    ]


def seen(rule, lead, activities):
    field = rule.condition_field
    if field == "days_since_last_contact":
        times = [each.occurred_at for each in activities if each.activity_type in ("call", "email", "meeting", "quote")]
        return max(0, (NOW - max(times)) // timedelta(days=1)) if times else None
    if field in HAPPENED:
        return bool(counted(rule, activities))
    if field in COUNTS:
        return len(counted(rule, activities))
    if field == "days_until_pickup":
        return None if lead.pickup_at is None else (lead.pickup_at - NOW) // timedelta(days=1)
    value = getattr(lead, field)
    return None if value == "" else value


def matches(rule, lead, activities):
    value, operator, wanted = seen(rule, lead, activities), rule.condition_operator, rule.condition_value
    if operator == "is_set":
        return (value is not None) == (wanted == "true")
    if value is None:
        return False
    if operator in ("between", "in"):
        parts = [part.strip() for part in wanted.split(",")]
        if operator == "in":
            return value.lower() in map(str.lower, parts) if isinstance(value, str) else value in map(Decimal, parts)
        return Decimal(parts[0]) <= value <= Decimal(parts[1])
    if isinstance(value, str):
        value, wanted = value.lower(), wanted.lower()
    elif isinstance(value, bool):
        wanted = wanted == "true"
    else:
        value, wanted = Decimal(value), Decimal(wanted)
    return {
        "equals": lambda: value == wanted,
        "not_equals": lambda: value != wanted,
        "contains": lambda: wanted in value,
        "greater_than": lambda: value > wanted,
        "at_least": lambda: value >= wanted,
        "less_than": lambda: value < wanted,
        "at_most": lambda: value <= wanted,
    }[operator]()


def worth(rule, activities):
    times = [each.occurred_at for each in counted(rule, activities)]
    if not rule.half_life_days or not times:
        return rule.points
    days = max(0, (NOW - max(times)) // timedelta(days=1))
    return math.floor(rule.points * 0.5 ** (days / rule.half_life_days) + 0.5)


@st.composite
def rule(draw):
    small = st.integers(-2, 6).map(str)
    kind, field, operators, values, timed = draw(
        st.sampled_from(
            [
                ("attribute", "estimated_passengers", NUMBERS, small, False),
                ("attribute", "estimated_value", NUMBERS, st.sampled_from(["0", "1.5", "2", "2.01"]), False),
                ("attribute", "days_until_pickup", NUMBERS, small, False),
                (
                    "attribute",
                    "company_name",
                    {"equals", "not_equals", "contains", "in"},
                    st.sampled_from(WORDS),
                    False,
                ),
                (
                    "attribute",
                    "trip_type",
                    {"equals", "not_equals", "in"},
                    st.sampled_from(["shuttle", "one_way"]),
                    False,
                ),
                ("attribute", "is_repeat", {"equals", "not_equals"}, st.sampled_from(["true", "false"]), False),
                ("activity", "quote_requested", {"equals", "not_equals"}, st.sampled_from(["true", "false"]), True),
                ("engagement", "email_response", {"equals", "not_equals"}, st.sampled_from(["true", "false"]), True),
                ("activity", "call_count", NUMBERS, small, True),
                ("activity", "meeting_count", NUMBERS, small, True),
                ("engagement", "days_since_last_contact", NUMBERS, small, False),
            ]
        )
    )
    operator = draw(st.sampled_from(sorted(operators)))
    optional = ("estimated_passengers", "estimated_value", "company_name", "trip_type", "days_since_last_contact")
    if field in optional and draw(st.integers(0, 5)) == 0:
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
        within_days=draw(st.none() | st.integers(1, 5)) if timed else None,
        half_life_days=draw(st.none() | st.integers(1, 5)) if timed else None,
    )


ages = st.builds(
    lambda days, moments: timedelta(days=days, microseconds=moments), st.integers(-1, 8), st.integers(-1, 1)
)
leads = st.builds(
    Lead,
    company_name=st.sampled_from([*WORDS, ""]),
    contact_name=st.just("Somebody"),
    estimated_passengers=st.none() | st.integers(0, 6),
    estimated_value=st.none() | st.sampled_from([Decimal("0"), Decimal("1.5"), Decimal("2"), Decimal("2.01")]),
    pickup_at=st.none() | ages.map(lambda age: NOW + age),
    trip_type=st.sampled_from(["", "shuttle", "one_way"]),
    is_repeat=st.booleans(),
)
activities = st.lists(
    st.builds(
        Activity,
        activity_type=st.sampled_from(["call", "email", "meeting", "quote_requested", "note"]),
        direction=st.sampled_from([None, "inbound", "outbound"]),
        occurred_at=ages.map(lambda age: NOW - age),
    ),
    max_size=6,
)


class Scores(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(rule(), max_size=8), st.lists(st.tuples(leads, activities), min_size=1, max_size=5))
    def test_the_database_agrees_with_the_reader(self, rules, stories):
        for lead, happened in stories:
            lead.pk = None
            lead.save()
            for each in happened:
                each.pk, each.lead = None, lead
            Activity.objects.bulk_create(happened)
        for number, each in enumerate(rules, start=1):
            each.pk = number
        compiled, ids = Compiled.all(rules), [lead.pk for lead, _ in stories]
        expected = {lead.pk: reference(rules, lead, happened) for lead, happened in stories}
        for scope in (Scope.of(ids, NOW), Scope.between(min(ids), max(ids), NOW)):
            found = Lead.objects.filter(pk__in=ids).annotate(raw=raw_points(compiled, scope)).values_list("pk", "raw")
            assert dict(found) == expected
        for pk in ids:
            explanation = explain(compiled, pk, NOW)
            matched = sum(line.points for line in explanation.lines if line.matched)
            assert (explanation.raw_points, matched) == (expected[pk], expected[pk])
