"""Periods, and the parts of months."""

from datetime import date
from decimal import Decimal

import pytest

from sales.queries.reports.period import Period, per_cent, rounded

MAY = date(2026, 5, 1)


@pytest.mark.parametrize(
    ("start", "end", "part"),
    [
        (None, None, "310.00"), (MAY, date(2026, 5, 31), "310.00"), (date(2026, 5, 31), None, "10.00"),
        (None, MAY, "10.00"), (date(2026, 5, 11), date(2026, 5, 20), "100.00"), (date(2026, 6, 1), None, "0.00"),
        (None, date(2026, 4, 30), "0.00"),
    ],
)  # fmt: skip
def test_what_of_a_months_amount_falls_into_it(start, end, part):
    assert Period(start, end).part(MAY, Decimal(310)) == Decimal(part)


def test_leap_years_and_cents():
    february = Period(date(2028, 2, 29), date(2028, 2, 29))
    assert february.part(date(2028, 2, 1), Decimal(100)) == Decimal("3.45")


def test_the_months_that_it_cuts():
    assert Period(date(2026, 5, 7), date(2026, 5, 9)).cut_months == [MAY]
    assert Period(date(2026, 5, 7), date(2026, 8, 31)).cut_months == [MAY, date(2026, 8, 1)]
    assert Period().cut_months == []


def test_rates():
    assert (per_cent(1, 3), per_cent(0, 3), per_cent(0, 0)) == (33.33, 0.0, None)
    assert (rounded(None), rounded(Decimal("1.005"), 1)) == (None, 1.0)
