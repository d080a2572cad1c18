"""Exact statistics of a two-by-two table: whether leads that match a rule are won more often than others."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

ALPHA = 0.05  # for 95% confidence intervals
NEGLIGIBLE = 1e-17  # a term that is so small, relative to the largest one, adds nothing to a sum of floats
HALVINGS = 35  # bring an interval of logarithms below a millionth
MAX_LOG_ODDS = 60.0  # beyond the logarithm of the odds ratio of any table


@dataclass(frozen=True)
class Lift:
    """How many times as often matching leads are won as others, with the ends of the 95% confidence interval.

    `lift` and `high` are None if they are infinite, because none of the others was won. `p_value` is that of Fisher's
    exact test, the smaller tail doubled; it is below 0.05 if and only if the interval does not contain 1.
    """

    lift: float | None
    low: float
    high: float | None
    p_value: float


def compare_shares(won_with: int, closed_with: int, won_without: int, closed_without: int) -> Lift | None:
    """Compare two win rates. Returns None if no result with so few leads could be told from chance.

    The test and the interval are exact, given the sums of the table's rows and columns. The interval consists of the
    limits of the odds ratio (R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical
    Society 98 (1935), 39-82; J. Cornfield, "A statistical problem arising from retrospective studies", Proceedings of
    the Third Berkeley Symposium 4 (1956), 135-148), each as the ratio of shares in the table with the same sums and
    these odds.
    """
    table = _Table(closed_with, closed_without, won_with + won_without)
    if table.min_won_with == table.max_won_with:
        return None
    smallest_p_value = 2 * min(table.tails(table.min_won_with)[0], table.tails(table.max_won_with)[1])
    if smallest_p_value >= ALPHA:
        return None
    low = table.min_won_with if won_with == table.min_won_with else table.won_with_at(table.lower_limit(won_with))
    high = table.max_won_with if won_with == table.max_won_with else table.won_with_at(table.upper_limit(won_with))
    return Lift(
        lift=table.ratio(won_with),
        low=table.ratio(low) or 0.0,
        high=table.ratio(high),
        p_value=min(1.0, 2 * min(table.tails(won_with))),
    )


@dataclass(frozen=True)
class _Table:
    """The sums of a two-by-two table: the closed leads that match, the other closed leads, and the won leads of both.

    Given these sums, the number of matching leads that are won has Fisher's noncentral hypergeometric distribution,
    whose parameter is the odds ratio. Odds ratios are passed as natural logarithms.
    """

    closed_with: int
    closed_without: int
    won: int

    @property
    def min_won_with(self) -> int:
        """The fewest matching leads that can be won."""
        return max(0, self.won - self.closed_without)

    @property
    def max_won_with(self) -> int:
        """The most matching leads that can be won."""
        return min(self.closed_with, self.won)

    def ratio(self, won_with: float) -> float | None:
        """The win rate of matching leads divided by that of the others; None if it is infinite."""
        won_without = self.won - won_with
        return (won_with / self.closed_with) / (won_without / self.closed_without) if won_without > 0 else None

    def won_with_at(self, log_odds: float) -> float:
        """The number of matching leads that are won in the table with exactly these odds: the root of a quadratic."""
        odds = math.exp(log_odds)
        a = 1 - odds
        b = self.closed_without - self.won + odds * (self.closed_with + self.won)
        c = -odds * self.closed_with * self.won
        root = math.sqrt(max(0.0, b * b - 4 * a * c))
        return -2 * c / (b + root) if b > 0 else (root - b) / (2 * a)

    def tails(self, won_with: int, log_odds: float = 0.0) -> tuple[float, float]:
        """The probabilities that at most, and at least, `won_with` matching leads are won."""
        peak = min(max(round(self.won_with_at(log_odds)), self.min_won_with), self.max_won_with)
        at_most = at_least = total = 0.0
        for count, weight in chain([(peak, 1.0)], self._weights(peak, -1, log_odds), self._weights(peak, 1, log_odds)):
            total += weight
            at_most += weight if count <= won_with else 0
            at_least += weight if count >= won_with else 0
        return at_most / total, at_least / total

    def _weights(self, peak: int, step: int, log_odds: float) -> Iterator[tuple[int, float]]:
        """The counts on one side of the peak and their probabilities, relative to it, until these are negligible."""
        odds, count, weight = math.exp(log_odds * step), peak, 1.0
        while weight > NEGLIGIBLE and self.min_won_with <= count + step <= self.max_won_with:
            low, high = sorted((count, count + step))
            up = (self.closed_with - low) * (self.won - low) / (high * (self.closed_without - self.won + high))
            weight *= odds * (up if step > 0 else 1 / up)
            count += step
            yield count, weight

    def lower_limit(self, won_with: int) -> float:
        """The odds at which so many won leads, or more, have a probability of half of `ALPHA`."""
        return self._bisect(lambda log_odds: self.tails(won_with, log_odds)[1] < ALPHA / 2)

    def upper_limit(self, won_with: int) -> float:
        """The odds at which so many won leads, or fewer, have a probability of half of `ALPHA`."""
        return self._bisect(lambda log_odds: self.tails(won_with, log_odds)[0] > ALPHA / 2)

    def _bisect(self, is_below: Callable[[float], bool]) -> float:
        """The logarithm of the odds at which `is_below` changes from true to false."""
        low, high = -MAX_LOG_ODDS, MAX_LOG_ODDS
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if is_below(middle) else (low, middle)
        return (low + high) / 2
