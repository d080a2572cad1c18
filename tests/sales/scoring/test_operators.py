"""Each operator on each type of value: exact limits, missing values, upper and lower case, Unicode, wildcards."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sales.models import Lead, LeadSource
from sales.scoring.fields import FIELDS, ValueType
from tests.sales.scoring.conftest import NOW

INTEGERS = [
    ("equals", "25", {25: True, 24: False, 26: False, 0: False, None: False}),
    ("equals", "25.0", {25: True, 24: False, 26: False, 0: False, None: False}),
    ("not_equals", "25", {25: False, 24: True, 26: True, 0: True, None: False}),
    ("greater_than", "25", {25: False, 26: True, 24: False, 100_000: True, None: False}),
    ("at_least", "25", {25: True, 26: True, 24: False, 0: False, None: False}),
    ("less_than", "25", {25: False, 24: True, 26: False, 0: True, None: False}),
    ("at_most", "25", {25: True, 24: True, 26: False, 0: True, None: False}),
    ("at_least", "-1", {25: True, 24: True, 26: True, 0: True, None: False}),
    ("between", "25,50", {25: True, 50: True, 24: False, 51: False, 37: True, None: False}),
    ("between", " 0 , 0 ", {0: True, 1: False, 25: False, 100_000: False, None: False}),
    ("between", "-5,24.0", {0: True, 24: True, 25: False, 26: False, None: False}),
    ("in", "25", {25: True, 24: False, 26: False, 0: False, None: False}),
    ("in", "25, 0,26.0", {25: True, 24: False, 26: True, 0: True, None: False}),
    ("is_set", "true", {25: True, 0: True, 1: True, 100_000: True, None: False}),
    ("is_set", "false", {25: False, 0: False, 1: False, 100_000: False, None: True}),
]
_AMOUNTS = ("2000", "2000.01", "1999.99", "0", "10000", None)
AMOUNTS = [
    ("equals", "2000", (True, False, False, False, False, False)),
    ("equals", "2000.01", (False, True, False, False, False, False)),
    ("not_equals", "2000.00", (False, True, True, True, True, False)),
    ("greater_than", "2000", (False, True, False, False, True, False)),
    ("at_least", "2000.01", (False, True, False, False, True, False)),
    ("less_than", "2000", (False, False, True, True, False, False)),
    ("at_most", "1999.99", (False, False, True, True, False, False)),
    ("between", "1999.99,2000", (True, False, True, False, False, False)),
    ("between", "0,0", (False, False, False, True, False, False)),
    ("in", "2000.00,10000", (True, False, False, False, True, False)),
    ("in", "0", (False, False, False, True, False, False)),
    ("is_set", "TRUE", (True, True, True, True, True, False)),
    ("is_set", "false", (False, False, False, False, False, True)),
]
_PICKUPS = {  # time from `NOW`, and the days until the pickup
    "a week, exactly": (timedelta(days=7), 7),
    "a moment less": (timedelta(days=7, microseconds=-1), 6),
    "a moment more": (timedelta(days=7, microseconds=1), 7),
    "now": (timedelta(0), 0),
    "a moment ago": (timedelta(microseconds=-1), -1),
    "yesterday": (timedelta(days=-1), -1),
    "unknown": (None, None),
}
DAYS = [
    ("equals", "7", {7}),
    ("equals", "-1", {-1}),
    ("not_equals", "7", {6, 0, -1}),
    ("greater_than", "6", {7}),
    ("at_least", "6", {6, 7}),
    ("less_than", "0", {-1}),
    ("at_most", "0", {-1, 0}),
    ("between", "-1,6", {-1, 0, 6}),
    ("between", "7,7", {7}),
    ("in", "-1,7,300", {-1, 7}),
    ("is_set", "true", {7, 6, 0, -1}),
    ("is_set", "false", {None}),
]
_TEXTS = ("École de Danse", "ÉCOLE DE DANSE", "école", "100% Fun_Tours", "100 Fun Tours", "O'Brien \\ Söhne", "")
TEXTS = [
    ("equals", "école de danse", (True, True, False, False, False, False, False)),
    ("equals", "100% fun_tours", (False, False, False, True, False, False, False)),
    ("equals", "O'BRIEN \\ SÖHNE", (False, False, False, False, False, True, False)),
    ("not_equals", "ÉCOLE", (True, True, False, True, True, True, False)),
    ("not_equals", "%", (True, True, True, True, True, True, False)),
    ("contains", "ÉcOlE", (True, True, True, False, False, False, False)),
    ("contains", "%", (False, False, False, True, False, False, False)),
    ("contains", "_", (False, False, False, True, False, False, False)),
    ("contains", "'", (False, False, False, False, False, True, False)),
    ("contains", "\\ sö", (False, False, False, False, False, True, False)),
    ("in", "ÉCOLE, 100% fun_tours", (False, False, True, True, False, False, False)),
    ("in", "%", (False, False, False, False, False, False, False)),
    ("in", "o'brien \\ söhne,École De Danse", (True, True, False, False, False, True, False)),
    ("is_set", "true", (True, True, True, True, True, True, False)),
    ("is_set", "false", (False, False, False, False, False, False, True)),
]
_TRIPS = ("one_way", "round_trip", "shuttle", "ONE_WAY", "")
CHOICES = [
    ("equals", "one_way", (True, False, False, True, False)),
    ("equals", "One_Way", (True, False, False, True, False)),
    ("not_equals", "one_way", (False, True, True, False, False)),
    ("not_equals", "shuttle", (True, True, False, True, False)),
    ("in", "one_way", (True, False, False, True, False)),
    ("in", "SHUTTLE, round_trip", (False, True, True, False, False)),
    ("is_set", "true", (True, True, True, True, False)),
    ("is_set", "false", (False, False, False, False, True)),
]
BOOLEANS = [
    ("equals", "true", (True, False)),
    ("equals", "True", (True, False)),
    ("equals", "false", (False, True)),
    ("not_equals", "true", (False, True)),
    ("not_equals", "FALSE", (True, False)),
]


@pytest.fixture
def match_leads(no_rules, make_rule, make_lead, compute_points):
    """Create a lead for each value of a column, and find out which of them match a rule."""

    def match(column, values, operator, value, *, field=None):
        make_rule(condition_field=field or column, condition_operator=operator, condition_value=value, points=1)
        leads = [make_lead(contact_name="Somebody", **{column: column_value}) for column_value in values]
        return [points == 1 for points in compute_points(leads)]

    return match


@pytest.mark.parametrize(("operator", "value", "expected"), INTEGERS)
def test_integers(match_leads, operator, value, expected):
    assert match_leads("estimated_passengers", expected, operator, value) == list(expected.values())


@pytest.mark.parametrize(("operator", "value", "expected"), AMOUNTS)
def test_amounts(match_leads, operator, value, expected):
    amounts = [amount and Decimal(amount) for amount in _AMOUNTS]
    assert match_leads("estimated_value", amounts, operator, value) == list(expected)


@pytest.mark.parametrize(("operator", "value", "expected"), DAYS)
def test_days(match_leads, operator, value, expected):
    times = [None if offset is None else NOW + offset for offset, _ in _PICKUPS.values()]
    matches = match_leads("pickup_at", times, operator, value, field="days_until_pickup")
    assert dict(zip(_PICKUPS, matches, strict=True)) == {name: days in expected for name, (_, days) in _PICKUPS.items()}


@pytest.mark.parametrize(("operator", "value", "expected"), TEXTS)
def test_texts(match_leads, operator, value, expected):
    assert match_leads("company_name", _TEXTS, operator, value) == list(expected)


@pytest.mark.parametrize(("operator", "value", "expected"), CHOICES)
def test_choices(match_leads, operator, value, expected):
    assert match_leads("trip_type", _TRIPS, operator, value) == list(expected)


@pytest.mark.parametrize(("operator", "value", "expected"), BOOLEANS)
@pytest.mark.parametrize(
    ("field", "column", "values"),
    [
        ("is_repeat", "is_repeat", (True, False)),
        ("has_email", "email", ("ann@example.com", "")),
        ("has_phone", "phone", ("+1 212 555 0100", "")),
    ],
)
def test_booleans(match_leads, field, column, values, operator, value, expected):
    assert match_leads(column, values, operator, value, field=field) == list(expected)


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("source", "equals", "GOOGLE ads", [True, False, False]),
        ("source", "not_equals", "google ads", [False, True, False]),
        ("source", "contains", "É", [False, True, False]),
        ("source", "is_set", "true", [True, True, False]),
        ("source", "is_set", "false", [False, False, True]),
        ("channel", "equals", "ads", [True, False, False]),
        ("channel", "not_equals", "ads", [False, True, False]),
        ("channel", "is_set", "false", [False, False, True]),
    ],
)
def test_a_lead_without_a_source_has_no_source_or_channel(match_leads, field, operator, value, expected):
    sources = [
        LeadSource.objects.create(name="Google Ads", channel="ads"),
        LeadSource.objects.create(name="École partner", channel="partner"),
        None,
    ]
    assert match_leads("source", sources, operator, value, field=field) == expected


def test_days_since_created(match_leads):
    ages = [NOW - timedelta(days=3), NOW - timedelta(days=3, microseconds=-1), NOW + timedelta(hours=1)]
    assert match_leads("created_at", ages, "at_least", "3", field="days_since_created") == [True, False, False]


def test_every_field_with_every_operator_makes_valid_sql(no_rules, make_rule, make_lead, compute_points):
    samples = {ValueType.INTEGER: "3", ValueType.AMOUNT: "3.50", ValueType.DAYS: "3", ValueType.TEXT: "x"}
    samples[ValueType.BOOLEAN] = "true"

    def get_sample(field, operator):
        value = "false" if operator == "is_set" else samples.get(field.value_type) or field.choices[0][0]
        return f"{value},{value}" if operator in ("in", "between") else value

    rules = [
        make_rule(
            rule_type=field.rule_type,
            condition_field=field.name,
            condition_operator=operator,
            condition_value=get_sample(field, operator),
            half_life_days=5 if field.is_timed else None,
            within_days=50 if field.is_timed else None,
            points=1,
        )
        for field in FIELDS.values()
        for operator in field.operators
    ]
    lead = make_lead()
    assert len(rules) > 150
    assert Lead.objects.count() == 1
    assert len(compute_points([lead])) == 1


def test_every_operator_is_tested_with_every_type_of_value():
    """With at least five values each. This fails if somebody adds an operator or a type without tests."""
    tables = {
        ValueType.INTEGER: [(operator, len(cases)) for operator, _, cases in INTEGERS],
        ValueType.AMOUNT: [(operator, len(_AMOUNTS)) for operator, *_ in AMOUNTS],
        ValueType.DAYS: [(operator, len(_PICKUPS)) for operator, *_ in DAYS],
        ValueType.TEXT: [(operator, len(_TEXTS)) for operator, *_ in TEXTS],
        ValueType.CHOICE: [(operator, len(_TRIPS)) for operator, *_ in CHOICES],
        ValueType.BOOLEAN: [(operator, 3 * len(cases)) for operator, _, cases in BOOLEANS],  # of three fields
    }
    combinations = {(field.value_type, operator) for field in FIELDS.values() for operator in field.operators}
    cases = dict.fromkeys(combinations, 0)
    for kind, rows in tables.items():
        for operator, count in rows:
            cases[kind, operator] += count

    assert {key: count for key, count in cases.items() if count < 5} == {}
