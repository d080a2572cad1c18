"""The strict fields, tested with examples and with generated values."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from athena.api import fields
from athena.limits import MAX_AMOUNT

WRONG = object()


def validate(field, value, *, query=False):
    field._context = {"query": query}
    try:
        return field.run_validation(value)
    except ValidationError:
        return WRONG


BODY_CASES: list[tuple[Any, list[tuple[Any, Any]]]] = [
    (fields.IntegerField, [(0, 0), (-5, -5), ("12", WRONG), (1.0, WRONG), (True, WRONG), (None, WRONG), ([], WRONG),
                           (2**63 - 1, 2**63 - 1), (2**63, WRONG), (-(2**63), -(2**63)), (-(2**63) - 1, WRONG)]),
    (fields.IdField, [(1, 1), (0, WRONG), (-1, WRONG), ("1", WRONG), (2**63, WRONG), (False, WRONG)]),
    (fields.CountField, [(0, 0), (100_000, 100_000), (100_001, WRONG), (-1, WRONG), (2.0, WRONG)]),
    (fields.BooleanField, [(True, True), (False, False), ("true", WRONG), (1, WRONG), (0, WRONG), (None, WRONG)]),
    (fields.MoneyField, [(0, Decimal("0.00")), (12.5, Decimal("12.50")), (0.01, Decimal("0.01")), (0.001, WRONG),
                         (1e2, Decimal("100.00")), (9_999_999_999.99, Decimal("9999999999.99")), (10**10, WRONG),
                         (-0.01, WRONG), (True, WRONG), ("12.50", WRONG), (1e300, WRONG), (10**400, WRONG)]),
    (fields.DateField, [("2026-02-05", date(2026, 2, 5)), ("2000-01-01", date(2000, 1, 1)), ("1999-12-31", WRONG),
                        ("2100-12-31", date(2100, 12, 31)), ("2101-01-01", WRONG), ("2026-02-30", WRONG),
                        ("20260205", WRONG), ("2026-W06-4", WRONG), ("２０２６-02-05", WRONG), (20260205, WRONG),
                        ("2026-02-05T00:00:00Z", WRONG), ("", WRONG)]),
    (fields.TimeField, [("10:00:00", time(10)), ("10:05", time(10, 5)), ("24:00", WRONG), ("10:60", WRONG),
                        ("10:00Z", WRONG), ("10:00:00+02:00", WRONG), ("10", WRONG), ("1000", WRONG), (600, WRONG)]),
    (fields.DateTimeField, [("2026-05-01T09:30:00-04:00", datetime(2026, 5, 1, 13, 30, tzinfo=UTC)),
                            ("2026-05-01T09:30Z", datetime(2026, 5, 1, 9, 30, tzinfo=UTC)),
                            ("2026-05-01T09:30:00.123456Z", datetime(2026, 5, 1, 9, 30, 0, 123456, tzinfo=UTC)),
                            ("2026-05-01T09:30:00", WRONG), ("2026-05-01", WRONG), ("0001-01-01T00:00:00+14:00", WRONG),
                            ("2000-01-01T00:00:00+14:00", WRONG), ("2100-12-31T23:59:59-12:00", WRONG),
                            ("2026-05-01T24:00:00Z", WRONG), ("2026-05-01T09:30:60Z", WRONG), (1777627800, WRONG),
                            ("2026-05-01T09:30:00+99:00", WRONG)]),
    (fields.OneLineField, [("  Lincoln High  ", "Lincoln High"), ("a\nb", WRONG), ("a\tb", WRONG), ("a\x00b", WRONG),
                           ("\ud800", WRONG), ("a\u2028b", WRONG), ("x" * 200, "x" * 200), ("x" * 201, WRONG),
                           ("", WRONG), ("  ", WRONG), (12, WRONG), (True, WRONG), (None, WRONG), ("😀", "😀")]),
    (fields.LongTextField, [("a\nb\tc", "a\nb\tc"), ("a\x00b", WRONG), ("\udfff", WRONG), ("x" * 10_000, "x" * 10_000),
                            ("x" * 10_001, WRONG), ({}, WRONG)]),
    (fields.PasswordField, [(" a b ", " a b "), ("", WRONG), ("\x00", WRONG), ("\ud800", WRONG), (1, WRONG)]),
    (fields.EmailField, [("Ann@example.com ", "Ann@example.com"), ("ann@", WRONG), ("a b@example.com", WRONG),
                         ("ann@example.com\x00", WRONG), ("a" * 255 + "@example.com", WRONG)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field_class", "raw_value", "expected"),
    [(field_class, value, expected) for field_class, cases in BODY_CASES for value, expected in cases],
)
def test_a_value_in_a_body_is_read_or_refused(field_class, raw_value, expected):
    result = validate(field_class(), raw_value)
    assert type(result) is type(expected)
    assert result == expected


QUERY_CASES: list[tuple[Any, list[tuple[Any, Any]]]] = [
    (fields.IntegerField, [("12", 12), ("-3", -3), ("１２", WRONG), ("+1", WRONG), (" 1", WRONG), ("1.0", WRONG),
                           ("1_0", WRONG), ("9" * 30, WRONG), ("9223372036854775808", WRONG)]),
    (fields.IdField, [("7", 7), ("0", WRONG), ("true", WRONG)]),
    (fields.BooleanField, [("true", True), ("false", False), ("True", WRONG), ("1", WRONG), ("yes", WRONG)]),
    (fields.MoneyField, [("12.5", Decimal("12.50")), ("1e2", WRONG), ("12.345", WRONG), ("NaN", WRONG), (".5", WRONG)]),
    (fields.DateOrDateTimeField, [("2026-05-01", date(2026, 5, 1)), ("2026-05-01T09:30:00", WRONG),
                          ("2026-05-01T09:30:00Z", datetime(2026, 5, 1, 9, 30, tzinfo=UTC)), ("today", WRONG)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field_class", "raw_value", "expected"),
    [(field_class, value, expected) for field_class, cases in QUERY_CASES for value, expected in cases],
)
def test_a_value_in_a_query_is_read_or_refused(field_class, raw_value, expected):
    result = validate(field_class(), raw_value, query=True)
    assert type(result) is type(expected)
    assert result == expected


def test_only_optional_text_may_be_empty():
    assert validate(fields.OneLineField(required=False), " ") == ""
    assert validate(fields.OneLineField(required=False, allow_blank=False), " ") is WRONG
    assert validate(fields.EmailField(required=False), "") == ""


@pytest.mark.parametrize("value", ["red", "blue", "", 1, True, None, [], {}, "\ud800", "Red"])
def test_a_choice_must_match_exactly(value):
    assert validate(fields.ChoiceField(choices=["red"]), value) == ("red" if value == "red" else WRONG)


def test_a_choice_may_be_blank_with_allow_blank():
    assert validate(fields.ChoiceField(choices=["red"], allow_blank=True), "") == ""


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_any_text_is_read_in_a_form_that_can_be_stored_or_refused(text):
    for field, length in ((fields.OneLineField(required=False, max_length=50), 50), (fields.LongTextField(), 10_000)):
        result = validate(field, text)
        if result is not WRONG:
            assert result == text.strip()
            assert "\x00" not in result
            assert result.encode().decode() == result
            assert len(result) <= length
    assert (
        validate(fields.LongTextField(required=False), text) is not WRONG or "\x00" in text or not _can_be_encoded(text)
    )


def _can_be_encoded(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.text("0123456789-+:.TZ /１W", max_size=32))
def test_date_and_time_fields_accept_or_refuse_any_text(text):
    for field in (fields.DateField(), fields.TimeField(), fields.DateTimeField(), fields.DateOrDateTimeField()):
        result = validate(field, text)
        assert result is WRONG or text.isascii()


@given(st.datetimes(timezones=st.builds(timezone, st.builds(timedelta, minutes=st.integers(-14 * 60, 14 * 60)))))
def test_every_datetime_of_the_allowed_years_is_read_back(value):
    result = validate(fields.DateTimeField(), value.isoformat())
    try:
        is_valid = value.year in fields.YEARS and value.astimezone(UTC).year in fields.YEARS
    except OverflowError:
        is_valid = False
    assert result == (value if is_valid else WRONG)


@given(st.dates())
def test_every_date_of_the_allowed_years_is_read_back(value):
    assert validate(fields.DateField(), value.isoformat()) == (value if 2000 <= value.year <= 2100 else WRONG)


@given(st.decimals(0, MAX_AMOUNT, places=2))
def test_every_amount_survives_json(amount):
    assert validate(fields.MoneyField(), json.loads(f"{amount}")) == amount


@given(st.one_of(st.floats(), st.integers()))
def test_a_number_is_an_amount_if_it_has_two_decimals_and_is_in_range(number):
    result = validate(fields.MoneyField(), number)
    if result is WRONG:
        assert not (0 <= number <= 9_999_999_999.99 and round(number, 2) == number)
    else:
        assert float(result) == number
        assert result.as_tuple().exponent == -2


@given(st.one_of(st.integers(), st.floats(), st.booleans(), st.text(), st.none()))
def test_only_integers_are_counts(value):
    is_valid = type(value) is int and 0 <= value <= 100_000
    assert validate(fields.CountField(), value) == (value if is_valid else WRONG) or value != value
