"""Whether leads that match a rule are won more often than others: exact statistics of a two-by-two table."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

ALPHA = 0.05  # the intervals hold 95 %
NEGLIGIBLE = 1e-17  # a term that is this small beside the largest adds nothing to a sum of floats
HALVINGS = 35  # of an interval of logarithms: to less than a millionth
WIDEST = 60.0  # e to this power is beyond the odds ratio of any table


@dataclass(frozen=True)
class Lift:
    """How many times as often matching leads are won as others, with the ends of the 95 % interval.

    `lift` and `high` are None where they are infinite: none of the others is won. `p_value` is that of Fisher's exact
    test, the smaller tail doubled; it is below 0.05 if and only if the interval leaves out 1.
    """

    lift: float | None
    low: float
    high: float | None
    p_value: float


def compare_shares(won_with: int, closed_with: int, won_without: int, closed_without: int) -> Lift | None:
    """Compare two shares of won leads. None where no split of so few leads could be told from chance.

    The test and the interval are exact, given the sums of the table's rows and columns. The ends of the interval are
    the limits of the odds ratio (R. A. Fisher, "The logic of inductive inference", Journal of the Royal Statistical
    Society 98 (1935), 39-82; J. Cornfield, "A statistical problem arising from retrospective studies", Proceedings of
    the Third Berkeley Symposium 4 (1956), 135-148), each as the ratio of shares in the table with the same sums and
    these odds.
    """
    table = _Table(closed_with, closed_without, won_with + won_without)
    if table.fewest == table.most:
        return None
    smallest_p_value = 2 * min(table.tails(table.fewest)[0], table.tails(table.most)[1])
    if smallest_p_value >= ALPHA:
        return None
    low = table.fewest if won_with == table.fewest else table.won_with_at(table.lower_limit(won_with))
    high = table.most if won_with == table.most else table.won_with_at(table.upper_limit(won_with))
    return Lift(
        lift=table.ratio(won_with),
        low=table.ratio(low) or 0.0,
        high=table.ratio(high),
        p_value=min(1.0, 2 * min(table.tails(won_with))),
    )


@dataclass(frozen=True)
class _Table:
    """The sums of a two-by-two table: the closed leads that match, the other closed ones, and the won ones of both.

    With these given, how many of the matching leads are won has Fisher's noncentral hypergeometric distribution, whose
    parameter is the odds ratio. Odds ratios are passed as natural logarithms.
    """

    closed_with: int
    closed_without: int
    won: int

    @property
    def fewest(self) -> int:
        """The fewest matching leads that can be won."""
        return max(0, self.won - self.closed_without)

    @property
    def most(self) -> int:
        """The most matching leads that can be won."""
        return min(self.closed_with, self.won)

    def ratio(self, won_with: float) -> float | None:
        """The share won of matching leads, divided by that of the others; None where it is infinite."""
        won_without = self.won - won_with
        return (won_with / self.closed_with) / (won_without / self.closed_without) if won_without > 0 else None

    def won_with_at(self, log_odds: float) -> float:
        """How many matching leads are won in the table that has exactly these odds: the root of a quadratic."""
        odds = math.exp(log_odds)
        a = 1 - odds
        b = self.closed_without - self.won + odds * (self.closed_with + self.won)
        c = -odds * self.closed_with * self.won
        root = math.sqrt(max(0.0, b * b - 4 * a * c))
        return -2 * c / (b + root) if b > 0 else (root - b) / (2 * a)

    def tails(self, won_with: int, log_odds: float = 0.0) -> tuple[float, float]:
        """The probabilities that at most, and that at least, `won_with` matching leads are won."""
        peak = min(max(round(self.won_with_at(log_odds)), self.fewest), self.most)
        at_most = at_least = total = 0.0
        for count, weight in chain([(peak, 1.0)], self._weights(peak, -1, log_odds), self._weights(peak, 1, log_odds)):
            total += weight
            at_most += weight if count <= won_with else 0
            at_least += weight if count >= won_with else 0
        return at_most / total, at_least / total

    def _weights(self, peak: int, step: int, log_odds: float) -> Iterator[tuple[int, float]]:
        """Each count on one side of the peak and its probability, relative to the peak's, until that is negligible."""
        odds, count, weight = math.exp(log_odds * step), peak, 1.0
        while weight > NEGLIGIBLE and self.fewest <= count + step <= self.most:
            low, high = sorted((count, count + step))
            up = (self.closed_with - low) * (self.won - low) / (high * (self.closed_without - self.won + high))
            weight *= odds * (up if step > 0 else 1 / up)
            count += step
            yield count, weight

    def lower_limit(self, won_with: int) -> float:
        """The odds at which so many won leads, or more, are as improbable as half of `ALPHA`."""
        return self._bisect(lambda log_odds: self.tails(won_with, log_odds)[1] < ALPHA / 2)

    def upper_limit(self, won_with: int) -> float:
        """The odds at which so many won leads, or fewer, are as improbable as half of `ALPHA`."""
        return self._bisect(lambda log_odds: self.tails(won_with, log_odds)[0] > ALPHA / 2)

    def _bisect(self, is_below: Callable[[float], bool]) -> float:
        """The logarithm of odds at which `is_below` changes from true to false."""
        low, high = -WIDEST, WIDEST
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if is_below(middle) else (low, middle)
        return (low + high) / 2
