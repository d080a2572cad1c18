"""Any text, date and number: what is taken comes back equal (text trimmed), and what is not is a 400 that names it.

What should be taken is said here anew, from the contract, and not by what the fields themselves say.
"""

import json
import math
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from athena.api import fields

WRONG = object()
quietly = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

odd: st.SearchStrategy[object] = st.one_of(st.none(), st.booleans(), st.lists(st.integers(), max_size=2), st.just({}))
texts = st.text(st.characters(categories=None), max_size=300) | st.text(
    st.sampled_from("a é\t\n\r\x00\x1b\x85\u2028\ud800\udfff\u200b１😀"), max_size=12
)
whole = st.integers() | st.integers(-1, 100_001) | st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1, 10**30])
floats = st.floats(allow_nan=False, allow_infinity=False)
amounts = floats | st.integers(-100, 10**12).map(lambda cents: cents / 100) | whole
days = st.dates().map(date.isoformat) | st.dates(date(1999, 12, 30), date(2101, 1, 2)).map(date.isoformat)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
edges = st.sampled_from([datetime(2000, 1, 1), datetime(2100, 12, 31, 23, 59, 59), datetime(1, 1, 1), datetime.max])
moments = st.builds(datetime.replace, st.datetimes() | edges, tzinfo=offsets).map(datetime.isoformat)
clocks = st.times().map(time.isoformat)


def one_line(value, most=200):
    text = long_text(value, most)
    return WRONG if text is WRONG or any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text) else text


def long_text(value, most=10_000):
    if not isinstance(value, str) or any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        return WRONG
    return value.strip() if len(value.strip()) <= most else WRONG


def integer(least, most):
    return lambda value: value if type(value) is int and least <= value <= most else WRONG


def money(value):
    if type(value) not in (int, float) or not math.isfinite(value):
        return WRONG
    exact = Decimal(repr(value))
    return exact if 0 <= exact <= Decimal("9999999999.99") and (exact * 100) % 1 == 0 else WRONG


def day(value):
    found = parsed(date.fromisoformat, value)
    return found if found is not WRONG and found.isoformat() == value and 2000 <= found.year <= 2100 else WRONG


def moment(value):
    found = parsed(datetime.fromisoformat, value)
    if found is WRONG or found.tzinfo is None or found.isoformat() != value.replace("Z", "+00:00"):
        return WRONG
    if not 2000 <= found.year <= 2100:
        return WRONG
    return found.astimezone(UTC) if 2000 <= found.astimezone(UTC).year <= 2100 else WRONG


def clock(value):
    found = parsed(time.fromisoformat, value)
    return found if found is not WRONG and found.tzinfo is None and found.isoformat() == value else WRONG


def parsed(parse, value):
    try:
        return parse(value)
    except (TypeError, ValueError):
        return WRONG


def read(field, value):
    try:
        return field.run_validation(value)
    except ValidationError:
        return WRONG


FIELDS = {
    "one line": (fields.OneLineField(required=False), texts | odd, one_line),
    "long text": (fields.LongTextField(required=False), texts | odd, long_text),
    "ids": (fields.IdField(), whole | floats | texts | odd, integer(1, 2**63 - 1)),
    "counts": (fields.CountField(), whole | floats | texts | odd, integer(0, 100_000)),
    "money": (fields.MoneyField(), amounts | st.floats() | texts | odd, money),
    "dates": (fields.DateField(), days | moments | texts | odd, day),
    "instants": (fields.DateTimeField(), moments | days | texts | odd, moment),
    "times of day": (fields.TimeField(), clocks | moments | texts | odd, clock),
}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_takes_what_the_contract_says_and_nothing_else(kind):
    field, values, contract = FIELDS[kind]

    @quietly
    @given(values)
    def check(value):
        assert read(field, value) == contract(value)

    check()


QUERY = {
    "ids": (fields.IdField, integer(1, 2**63 - 1)),
    "integers": (fields.IntegerField, integer(-(2**63), 2**63 - 1)),
}


@pytest.mark.parametrize("kind", QUERY)
@quietly
@given(text=st.integers().map(str) | st.text(st.sampled_from("0123456789-+_. e１٣"), max_size=22))
@example(text="１２")
@example(text="1_000")
def test_a_number_in_a_query_is_ascii_digits(kind, text):
    make, contract = QUERY[kind]
    field = make()
    field._context = {"query": True}
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 19
    assert read(field, text) == (contract(int(text)) if is_number else WRONG)


LEAD = {  # a field of a lead, values for it, what the contract makes of them
    "company_name": (texts | odd, one_line),
    "notes": (texts | odd, long_text),
    "estimated_passengers": (whole | floats | texts, integer(0, 100_000)),
    "estimated_value": (amounts | texts, money),
    "quote_valid_until": (days | texts, day),
    "pickup_at": (moments | texts, moment),
    "is_repeat": (st.booleans() | odd | texts, lambda value: value if type(value) is bool else WRONG),
}
LEFT_OUT = {**dict.fromkeys(LEAD), "company_name": "", "notes": "", "is_repeat": False}  # which `null` means
COMES_BACK = {  # how JSON has it
    "quote_valid_until": date.fromisoformat,
    "pickup_at": datetime.fromisoformat,
    "estimated_value": lambda number: Decimal(repr(number)),
}


def _read_back(name, value):
    return COMES_BACK[name](value) if name in COMES_BACK and value is not None else value


@settings(quietly, max_examples=200)
@given(st.fixed_dictionaries({}, optional={name: values for name, (values, _) in LEAD.items()}))
@example({"company_name": " Ünïcödé & Söhne 😀 ", "pickup_at": "2100-12-31T23:59:59.999999+00:00"})
@example({"estimated_value": 9999999999.99, "estimated_passengers": 100_000, "quote_valid_until": "2100-12-31"})
@example({"company_name": "a\x00b", "notes": "\ud800", "estimated_value": 1.005, "is_repeat": 1})
def test_a_lead_comes_back_as_it_was_sent_or_is_refused_by_field(api, admin, values):
    client = api(admin)
    contract = {name: LEFT_OUT[name] if value is None else LEAD[name][1](value) for name, value in values.items()}
    with transaction.atomic():
        body = json.dumps({"contact_name": "Ada", **values})
        response = client.generic("POST", "/api/v1/sales/leads", body, "application/json")
        wrong = {name for name, value in contract.items() if value is WRONG}
        if wrong:
            assert response.status_code == 400
            assert set(response.json()) == wrong
        else:
            lead = client.get(f"/api/v1/sales/leads/{response.json()['id']}").json()
            found = {name: _read_back(name, lead[name]) for name in contract}
            assert response.status_code == 201
            assert found == contract
        transaction.set_rollback(True)
