"""What the scoring rules are worth: whether leads that match a rule are won more often than others."""

import math
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from athena.accounts.models import User
from sales.models import Lead
from sales.models.lead import OPEN
from sales.queries.period import Period, per_cent, rounded
from sales.queries.rule_matches import count_matches
from sales.queries.whose import EVERYBODY, Whose
from sales.scoring.compile import Compiled

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


def effectiveness(user: User) -> list[Effectiveness]:
    """For each active rule, most points first, over the leads that `user` may read, as they are now. Three queries.

    A rule that looks at what comes with the sale itself (a quote, a meeting) finds more sales for that reason alone.
    """
    return _of(Lead.objects.visible_to(user))[1]


def effectiveness_table(user: User, period: Period | None = None, *, whose: Whose = EVERYBODY) -> dict[str, Any]:
    """The same figures as `{rows, totals}`, narrowed to a period (of taking in) and to `whose` (who owns them now).

    The totals are those of all these leads, whatever they match.
    """
    leads = Lead.objects.visible_to(user).filter((period or Period()).of("created_at"), whose.of("assigned_to"))
    of_all, rules = _of(leads)
    totals = _line(Effectiveness(0, "all leads", of_all["any"], of_all["closed"], of_all["won"], 0, 0))
    nothing = dict.fromkeys(("key", "closed_without", "won_without", "verdict"))
    return {"rows": [_line(rule) for rule in rules], "totals": totals | nothing}


def _line(rule: Effectiveness) -> dict[str, Any]:
    found = rule.lift
    return {
        "key": rule.rule_id,
        "name": rule.rule_name,
        "matches": rule.matches,
        "closed_with": rule.closed_with,
        "won_with": rule.won_with,
        "won_with_rate": per_cent(rule.won_with, rule.closed_with),
        "closed_without": rule.closed_without,
        "won_without": rule.won_without,
        "won_without_rate": per_cent(rule.won_without, rule.closed_without),
        "lift": found and rounded(found.lift),
        "lift_low": found and rounded(found.low),
        "lift_high": found and rounded(found.high),
        "verdict": rule.verdict,
    }


def _of(leads: "QuerySet[Lead]") -> tuple[dict[str, int], list[Effectiveness]]:
    """How many leads there are, were closed and won; and what each active rule is worth."""
    rules = Compiled.active()
    closed, won = ~OPEN, Q(status=Lead.Status.WON)
    of_all, of_each = count_matches(leads, rules, {"any": Q(), "closed": closed, "won": won})
    return of_all, [
        Effectiveness(
            rule_id=rule.rule.pk,
            rule_name=rule.rule.rule_name,
            matches=found["any"],
            closed_with=found["closed"],
            won_with=found["won"],
            closed_without=of_all["closed"] - found["closed"],
            won_without=of_all["won"] - found["won"],
        )
        for rule, found in zip(rules, of_each, strict=True)
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
