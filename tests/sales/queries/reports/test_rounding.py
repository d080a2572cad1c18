from decimal import Decimal

import pytest

from sales.queries.reports.rounding import compute_percentage, round_number, round_to_cents


@pytest.mark.parametrize(("part", "whole", "percentage"), [(1, 3, 33.33), (0, 3, 0.0), (0, 0, None)])
def test_percentages_have_two_decimals(part, whole, percentage):
    assert compute_percentage(part, whole) == percentage


def test_unknown_numbers_stay_unknown():
    assert round_number(None) is None
    assert round_number(Decimal("1.005"), 1) == 1.0


def test_half_a_cent_is_rounded_up():
    assert round_to_cents(Decimal("0.125")) == Decimal("0.13")
