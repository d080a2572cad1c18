"""Generated texts, dates and numbers: an accepted value is read back equal (text trimmed), any other is a 400 by name.

The functions `expect_…` restate which values the contract allows, independently of the fields.
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
quiet_settings = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

other_types: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.lists(st.integers(), max_size=2), st.just({})
)
any_text = st.text(st.characters(categories=None), max_size=300) | st.text(
    st.sampled_from("a é\t\n\r\x00\x1b\x85\u2028\ud800\udfff\u200b１😀"), max_size=12
)
integers = st.integers() | st.integers(-1, 100_001) | st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1, 10**30])
any_float = st.floats(allow_nan=False, allow_infinity=False)
numbers = any_float | st.integers(-100, 10**12).map(lambda cents: cents / 100) | integers
iso_dates = st.dates().map(date.isoformat) | st.dates(date(1999, 12, 30), date(2101, 1, 2)).map(date.isoformat)
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
edge_datetimes = st.sampled_from(
    [datetime(2000, 1, 1), datetime(2100, 12, 31, 23, 59, 59), datetime(1, 1, 1), datetime.max]
)
iso_datetimes = st.builds(datetime.replace, st.datetimes() | edge_datetimes, tzinfo=offsets).map(datetime.isoformat)
iso_times = st.times().map(time.isoformat)


def expect_one_line(value, maximum=200):
    text = expect_long_text(value, maximum)
    return WRONG if text is WRONG or any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in text) else text


def expect_long_text(value, maximum=10_000):
    if not isinstance(value, str) or any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        return WRONG
    return value.strip() if len(value.strip()) <= maximum else WRONG


def expect_integer(minimum, maximum):
    return lambda value: value if type(value) is int and minimum <= value <= maximum else WRONG


def expect_money(value):
    if type(value) not in (int, float) or not math.isfinite(value):
        return WRONG
    exact = Decimal(repr(value))
    return exact if 0 <= exact <= Decimal("9999999999.99") and (exact * 100) % 1 == 0 else WRONG


def expect_date(value):
    result = try_parse(date.fromisoformat, value)
    return result if result is not WRONG and result.isoformat() == value and 2000 <= result.year <= 2100 else WRONG


def expect_datetime(value):
    result = try_parse(datetime.fromisoformat, value)
    if result is WRONG or result.tzinfo is None or result.isoformat() != value.replace("Z", "+00:00"):
        return WRONG
    if not 2000 <= result.year <= 2100:
        return WRONG
    return result.astimezone(UTC) if 2000 <= result.astimezone(UTC).year <= 2100 else WRONG


def expect_time(value):
    result = try_parse(time.fromisoformat, value)
    return result if result is not WRONG and result.tzinfo is None and result.isoformat() == value else WRONG


def try_parse(parse, value):
    try:
        return parse(value)
    except (TypeError, ValueError):
        return WRONG


def validate(field, value):
    try:
        return field.run_validation(value)
    except ValidationError:
        return WRONG


FIELDS = {
    "one line": (fields.OneLineField(required=False), any_text | other_types, expect_one_line),
    "long text": (fields.LongTextField(required=False), any_text | other_types, expect_long_text),
    "ids": (fields.IdField(), integers | any_float | any_text | other_types, expect_integer(1, 2**63 - 1)),
    "counts": (fields.CountField(), integers | any_float | any_text | other_types, expect_integer(0, 100_000)),
    "money": (fields.MoneyField(), numbers | st.floats() | any_text | other_types, expect_money),
    "dates": (fields.DateField(), iso_dates | iso_datetimes | any_text | other_types, expect_date),
    "instants": (fields.DateTimeField(), iso_datetimes | iso_dates | any_text | other_types, expect_datetime),
    "times of day": (fields.TimeField(), iso_times | iso_datetimes | any_text | other_types, expect_time),
}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_accepts_exactly_what_the_contract_allows(kind):
    field, values, expected = FIELDS[kind]

    @quiet_settings
    @given(values)
    def check(value):
        assert validate(field, value) == expected(value)

    check()


QUERY = {
    "ids": (fields.IdField, expect_integer(1, 2**63 - 1)),
    "integers": (fields.IntegerField, expect_integer(-(2**63), 2**63 - 1)),
}


@pytest.mark.parametrize("kind", QUERY)
@quiet_settings
@given(text=st.integers().map(str) | st.text(st.sampled_from("0123456789-+_. e１٣"), max_size=22))
@example(text="１２")
@example(text="1_000")
def test_a_number_in_a_query_consists_of_ascii_digits(kind, text):
    field_class, expected = QUERY[kind]
    field = field_class()
    field._context = {"query": True}
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 19
    assert validate(field, text) == (expected(int(text)) if is_number else WRONG)


LEAD = {  # by field of a lead: generated values, and what the contract expects
    "company_name": (any_text | other_types, expect_one_line),
    "notes": (any_text | other_types, expect_long_text),
    "estimated_passengers": (integers | any_float | any_text, expect_integer(0, 100_000)),
    "estimated_value": (numbers | any_text, expect_money),
    "quote_valid_until": (iso_dates | any_text, expect_date),
    "pickup_at": (iso_datetimes | any_text, expect_datetime),
    "is_repeat": (st.booleans() | other_types | any_text, lambda value: value if type(value) is bool else WRONG),
}
VALUE_OF_NULL = {
    **dict.fromkeys(LEAD),
    "company_name": "",
    "notes": "",
    "is_repeat": False,
}  # the value that `null` stands for
FROM_JSON = {  # reads a value in JSON back
    "quote_valid_until": date.fromisoformat,
    "pickup_at": datetime.fromisoformat,
    "estimated_value": lambda number: Decimal(repr(number)),
}


def _read_back(name, value):
    return FROM_JSON[name](value) if name in FROM_JSON and value is not None else value


@settings(quiet_settings, max_examples=200)
@given(st.fixed_dictionaries({}, optional={name: values for name, (values, _) in LEAD.items()}))
@example({"company_name": " Ünïcödé & Söhne 😀 ", "pickup_at": "2100-12-31T23:59:59.999999+00:00"})
@example({"estimated_value": 9999999999.99, "estimated_passengers": 100_000, "quote_valid_until": "2100-12-31"})
@example({"company_name": "a\x00b", "notes": "\ud800", "estimated_value": 1.005, "is_repeat": 1})
def test_a_lead_is_read_back_as_it_was_sent_or_refused_by_field(api, admin, values):
    client = api(admin)
    expected = {name: VALUE_OF_NULL[name] if value is None else LEAD[name][1](value) for name, value in values.items()}
    with transaction.atomic():
        body = json.dumps({"contact_name": "Ada", **values})
        response = client.generic("POST", "/api/v1/sales/leads", body, "application/json")
        invalid_fields = {name for name, value in expected.items() if value is WRONG}
        if invalid_fields:
            assert response.status_code == 400
            assert set(response.json()) == invalid_fields
        else:
            lead = client.get(f"/api/v1/sales/leads/{response.json()['id']}").json()
            result = {name: _read_back(name, lead[name]) for name in expected}
            assert response.status_code == 201
            assert result == expected
        transaction.set_rollback(True)
