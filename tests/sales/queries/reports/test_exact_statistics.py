"""Comparing two win rates exactly, against results of SciPy 1.17 (`contingency.odds_ratio`, `hypergeom`)."""

import math
from itertools import product

import pytest

from sales.queries.reports.exact_statistics import Lift, _Table, compare_shares

# (won and closed leads that match, won and closed others), the limits of the odds ratio, and the p-value
SCIPY_RESULTS = [
    ((12, 20, 6, 30), (1.4460657971953066, 25.908765724660135), 0.00963492605073608),
    ((16, 17, 61, 137), (2.896142541519507, 846.6634997484363), 0.00012715220284238973),
    ((0, 10, 5, 10), (0, 0.8365217939177361), 0.032507739938080496),
    ((10, 10, 5, 10), (1.1954261171327476, math.inf), 0.032507739938080496),
    ((5, 10, 0, 10), (1.1954261171327483, math.inf), 0.032507739938080496),
    ((1200, 2000, 600, 3000), (5.27615283053728, 6.823209679225535), 3.071057789695566e-184),
    ((5, 55, 5, 9), (0.012102338874372736, 0.5331889868947304), 0.006178391163987799),
]


@pytest.mark.parametrize(("shares", "limits", "p_value"), SCIPY_RESULTS)
def test_limits_and_p_values_are_exact(shares, limits, p_value):
    won_with, closed_with, won_without, closed_without = shares
    table = _Table(closed_with, closed_without, won_with + won_without)
    low = 0 if won_with == table.min_won_with else math.exp(table.lower_limit(won_with))
    high = math.inf if won_with == table.max_won_with else math.exp(table.upper_limit(won_with))

    assert low == pytest.approx(limits[0], rel=1e-5)
    assert high == pytest.approx(limits[1], rel=1e-5)

    lift = compare_shares(*shares)
    assert lift is not None
    assert lift.p_value == pytest.approx(p_value, rel=1e-9, abs=1e-12)


def test_sixteen_of_seventeen_is_better_than_sixty_one_of_137():
    lift = compare_shares(16, 17, 61, 137)
    assert lift is not None
    assert lift.lift == pytest.approx((16 / 17) / (61 / 137))
    assert 1 < lift.low < lift.lift < lift.high


def test_there_is_no_upper_limit_if_no_other_lead_is_won():
    lift = compare_shares(5, 10, 0, 10)
    assert lift is not None
    assert lift.lift is None
    assert lift.low > 1
    assert lift.high is None


def test_no_matching_lead_is_won():
    lift = compare_shares(0, 10, 5, 10)
    assert lift is not None
    assert lift.lift == 0
    assert lift.low == 0
    assert lift.high is not None
    assert lift.high < 1


@pytest.mark.parametrize(
    "shares", [(0, 0, 0, 0), (5, 9, 0, 0), (0, 5, 0, 9), (5, 5, 9, 9), (1, 1, 0, 1), (3, 3, 0, 2), (1, 1, 29, 35)]
)
def test_too_few_leads_have_no_result(shares):
    assert compare_shares(*shares) is None


def test_the_interval_and_the_test_agree():
    """For every table with up to nine leads on either side; and swapping the sides gives the opposite."""
    sizes = [(won, closed) for closed in range(10) for won in range(closed + 1)]
    compared = 0
    for (won_with, closed_with), (won_without, closed_without) in product(sizes, sizes):
        lift = compare_shares(won_with, closed_with, won_without, closed_without)
        opposite = compare_shares(won_without, closed_without, won_with, closed_with)
        assert (lift is None) == (opposite is None)
        if lift is None or opposite is None:
            continue
        compared += 1
        assert (lift.p_value < 0.05) == _excludes_one(lift)
        assert lift.p_value == pytest.approx(opposite.p_value)
        if lift.lift:
            assert lift.low <= lift.lift * (1 + 1e-9)
            assert lift.high is None or lift.high >= lift.lift * (1 - 1e-9)
    assert compared > 1000


def _excludes_one(lift: Lift) -> bool:
    return lift.low > 1 or (lift.high is not None and lift.high < 1)


def test_a_million_leads_take_few_terms():
    table = _Table(250_000, 750_000, 430_000)
    terms = list(table._weights(round(table.won_with_at(0.0)), 1, 0.0))
    assert len(terms) < 5_000
