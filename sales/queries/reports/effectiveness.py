"""What the scoring rules are worth: whether leads that match a rule are won more often than others."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Q, QuerySet

from athena.accounts.models import User
from sales.models import Lead
from sales.models.lead import IS_OPEN
from sales.queries.reports.exact_statistics import Lift, compare_shares
from sales.queries.reports.period import Period, per_cent, rounded
from sales.queries.reports.scope import EVERYBODY, Whose
from sales.queries.scoring.rule_matches import count_matches
from sales.scoring.compiler import CompiledRule


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
        """Per cent won of the closed leads that match."""
        return per_cent(self.won_with, self.closed_with)

    @property
    def share_without(self) -> float | None:
        """Per cent won of the other closed leads."""
        return per_cent(self.won_without, self.closed_without)

    @cached_property
    def lift(self) -> Lift | None:
        return compare_shares(self.won_with, self.closed_with, self.won_without, self.closed_without)

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `unclear` by the exact test; `too_few` where the sample is too small to say."""
        if self.lift is None:
            return "too_few"
        if self.lift.low > 1:
            return "better"
        return "worse" if self.lift.high is not None and self.lift.high < 1 else "unclear"


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
    lift = rule.lift
    return {
        "key": rule.rule_id,
        "name": rule.rule_name,
        "matches": rule.matches,
        "closed_with": rule.closed_with,
        "won_with": rule.won_with,
        "won_with_rate": rule.share_with,
        "closed_without": rule.closed_without,
        "won_without": rule.won_without,
        "won_without_rate": rule.share_without,
        "lift": lift and rounded(lift.lift),
        "lift_low": lift and rounded(lift.low),
        "lift_high": lift and rounded(lift.high),
        "verdict": rule.verdict,
    }


def _of(leads: "QuerySet[Lead]") -> tuple[dict[str, int], list[Effectiveness]]:
    """How many leads there are, were closed and won; and what each active rule is worth."""
    rules = CompiledRule.load_active()
    closed, won = ~IS_OPEN, Q(status=Lead.Status.WON)
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
