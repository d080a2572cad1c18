"""Periods, and the parts of months that are in them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from sales.queries.reports.period import MAX_PERIOD, Period

MAY, MAY_31 = date(2026, 5, 1), date(2026, 5, 31)


@pytest.mark.parametrize(
    ("start", "end", "amount"),
    [
        pytest.param(None, None, "310.00", id="no limits"),
        pytest.param(MAY, MAY_31, "310.00", id="the whole month"),
        pytest.param(MAY_31, None, "10.00", id="from its last day"),
        pytest.param(None, MAY, "10.00", id="until its first day"),
        pytest.param(date(2026, 5, 11), date(2026, 5, 20), "100.00", id="ten days"),
        pytest.param(date(2026, 6, 1), None, "0.00", id="after it"),
        pytest.param(None, date(2026, 4, 30), "0.00", id="before it"),
    ],
)
def test_a_months_amount_counts_by_days(start, end, amount):
    assert Period(start, end).prorate(MAY, Decimal(310)) == Decimal(amount)


def test_a_day_of_a_leap_month_in_whole_cents():
    leap_day = Period(date(2028, 2, 29), date(2028, 2, 29))
    assert leap_day.prorate(date(2028, 2, 1), Decimal(100)) == Decimal("3.45")


@pytest.mark.parametrize(
    ("period", "months"),
    [
        (Period(date(2026, 5, 7), date(2026, 5, 9)), [MAY]),
        (Period(date(2026, 5, 7), date(2026, 8, 31)), [MAY, date(2026, 8, 1)]),
        (Period(), []),
    ],
)
def test_partial_months_are_those_of_its_ends(period, months):
    assert period.partial_months == months


@pytest.mark.parametrize(
    ("period", "error"),
    [
        (Period(), ""),
        (Period(start=MAY), ""),
        (Period(end=MAY), ""),
        (Period(MAY, MAY), ""),
        (Period(MAY, MAY - timedelta(days=1)), "The end is before the start."),
        (Period(MAY, MAY + MAX_PERIOD), ""),
        (Period(MAY, MAY + MAX_PERIOD + timedelta(days=1)), "A report covers at most five years."),
    ],
)
def test_a_period_has_an_order_and_a_maximum(period, error):
    assert period.error == error
