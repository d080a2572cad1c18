"""What the scoring rules are worth: whether leads that match a rule are won more often than others."""

import math
from dataclasses import dataclass

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from sales.models import Lead
from sales.models.lead import OPEN
from sales.scoring.compile import Compiled
from sales.scoring.sources import Scope

FEWEST = 5  # leads in each of the four cells, without which nothing is said
Z = 1.959964  # a standard normal variable is within ± this in 95 % of cases


@dataclass(frozen=True)
class Lift:
    """How many times as often it is won, with the ends of the 95 % interval."""

    lift: float
    low: float
    high: float


@dataclass(frozen=True)
class Effectiveness:
    """`matches` of all leads; the rest is of closed ones: how many with and without a match, and won of each."""

    rule_id: int
    rule_name: str
    matches: int
    closed_with: int
    won_with: int
    closed_without: int
    won_without: int

    @property
    def share_with(self) -> float | None:
        return _share(self.won_with, self.closed_with)

    @property
    def share_without(self) -> float | None:
        return _share(self.won_without, self.closed_without)

    @property
    def lift(self) -> Lift | None:
        return lift(self.won_with, self.closed_with, self.won_without, self.closed_without)

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `unclear` by the interval; `too_few` where the sample is too small to say."""
        found = self.lift
        if found is None:
            return "too_few"
        return "better" if found.low > 1 else "worse" if found.high < 1 else "unclear"


def effectiveness() -> list[Effectiveness]:
    """For each active rule, most points first, over all leads but archived ones, as they are now. One query.

    A rule that looks at what comes with the sale itself (a quote, a meeting) finds more sales for that reason alone.
    """
    rules = Compiled.active()
    leads = Lead.objects.filter(archived_at__isnull=True).order_by()
    ends = leads.aggregate(first=Min("pk"), last=Max("pk"))
    scope = Scope.between(ends["first"] or 0, ends["last"] or 0, timezone.now())
    closed, won = ~OPEN, Q(status=Lead.Status.WON)
    asked = {"closed": Count("pk", filter=closed), "won": Count("pk", filter=won)}
    for number, rule in enumerate(rules):
        matches = rule.matches(scope)
        asked[f"matches_{number}"] = Count("pk", filter=matches)
        asked[f"closed_{number}"] = Count("pk", filter=matches & closed)
        asked[f"won_{number}"] = Count("pk", filter=matches & won)
    counts = leads.aggregate(**asked)
    return [
        Effectiveness(
            rule_id=rule.rule.pk,
            rule_name=rule.rule.rule_name,
            matches=counts[f"matches_{number}"],
            closed_with=counts[f"closed_{number}"],
            won_with=counts[f"won_{number}"],
            closed_without=counts["closed"] - counts[f"closed_{number}"],
            won_without=counts["won"] - counts[f"won_{number}"],
        )
        for number, rule in enumerate(rules)
    ]


def lift(won_with: int, closed_with: int, won_without: int, closed_without: int) -> Lift | None:
    """The ratio of two shares of won leads, with its 95 % interval; None where a cell has fewer than `FEWEST` leads.

    The interval is that of the risk ratio's logarithm: Katz, Baptista, Azen and Pike, "Obtaining confidence intervals
    for the risk ratio in cohort studies", Biometrics 34 (1978), 469–474, method C.
    """
    if min(won_with, closed_with - won_with, won_without, closed_without - won_without) < FEWEST:
        return None
    ratio = (won_with / closed_with) / (won_without / closed_without)
    error = math.sqrt(1 / won_with - 1 / closed_with + 1 / won_without - 1 / closed_without)
    return Lift(ratio, ratio * math.exp(-Z * error), ratio * math.exp(Z * error))


def _share(won: int, closed: int) -> float | None:
    return won / closed if closed else None
