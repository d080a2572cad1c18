"""The report "Scoring rule effectiveness": whether leads that match a rule are won more often than others."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import Q, QuerySet

from athena.accounts.models import User
from sales.models import Lead
from sales.models.leads.lead import IS_OPEN
from sales.queries.reports.exact_statistics import Lift, compare_shares
from sales.queries.reports.period import Period
from sales.queries.reports.rounding import compute_percentage, round_number
from sales.queries.reports.scope import COMPANY, Scope
from sales.queries.reports.table import ReportRow, ReportTable
from sales.queries.scoring.rule_matches import count_matches
from sales.scoring.compiler import CompiledRule

_CONDITIONS = {"all": Q(), "closed": ~IS_OPEN, "won": Q(status=Lead.Status.WON)}


@dataclass(frozen=True)
class RuleEffectiveness:
    """What one rule says about the leads that match it.

    `matches` counts all of these leads. The other numbers are about closed leads: how many match or don't match, and
    how many of each were won.
    """

    rule_id: int
    rule_name: str
    matches: int
    closed_with: int
    won_with: int
    closed_without: int
    won_without: int

    @property
    def share_with(self) -> float | None:
        """The percentage won of the closed leads that match."""
        return compute_percentage(self.won_with, self.closed_with)

    @property
    def share_without(self) -> float | None:
        """The percentage won of the other closed leads."""
        return compute_percentage(self.won_without, self.closed_without)

    @cached_property
    def lift(self) -> Lift | None:
        """How many times as often matching leads are won; None if there are too few leads to tell."""
        return compare_shares(self.won_with, self.closed_with, self.won_without, self.closed_without)

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `unclear`, by the exact test; `too_few` if the sample is too small to tell."""
        if self.lift is None:
            return "too_few"
        if self.lift.low > 1:
            return "better"
        return "worse" if self.lift.high is not None and self.lift.high < 1 else "unclear"


@dataclass(frozen=True)
class RuleEffectivenessRow(ReportRow):
    """The same numbers as a row of a table. The totals have no verdict and no leads that don't match."""

    matches: int
    closed_with: int
    won_with: int
    won_with_rate: float | None
    closed_without: int | None = None
    won_without: int | None = None
    won_without_rate: float | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    verdict: str | None = None


def compute_rule_effectiveness(user: User) -> list[RuleEffectiveness]:
    """Compare, for each active rule, the leads that match it with those that don't; highest points first.

    Reads the leads that `user` may read, as they are now. A rule about something that comes with a sale anyway (a
    quote, a meeting) finds more sales for that reason alone. Three queries.
    """
    return _compare_rules(Lead.objects.visible_to(user))[1]


def compute_rule_effectiveness_table(
    user: User, period: Period | None = None, scope: Scope = COMPANY
) -> ReportTable[RuleEffectivenessRow]:
    """Compute the same comparison as a table, for the leads that came in during the period.

    A scope leaves only the leads that its people own now. The totals count all of these leads, whatever they match.
    """
    in_period = (period or Period()).contains_datetime("created_at")
    counts, rules = _compare_rules(Lead.objects.visible_to(user).filter(in_period, scope.matches("assigned_to")))
    totals = RuleEffectivenessRow(
        key=None,
        name="all leads",
        matches=counts["all"],
        closed_with=counts["closed"],
        won_with=counts["won"],
        won_with_rate=compute_percentage(counts["won"], counts["closed"]),
    )
    return ReportTable([_build_row(rule) for rule in rules], totals)


def _build_row(rule: RuleEffectiveness) -> RuleEffectivenessRow:
    lift = rule.lift
    return RuleEffectivenessRow(
        key=rule.rule_id,
        name=rule.rule_name,
        matches=rule.matches,
        closed_with=rule.closed_with,
        won_with=rule.won_with,
        won_with_rate=rule.share_with,
        closed_without=rule.closed_without,
        won_without=rule.won_without,
        won_without_rate=rule.share_without,
        lift=round_number(lift.lift) if lift else None,
        lift_low=round_number(lift.low) if lift else None,
        lift_high=round_number(lift.high) if lift else None,
        verdict=rule.verdict,
    )


def _compare_rules(leads: "QuerySet[Lead]") -> tuple[dict[str, int], list[RuleEffectiveness]]:
    """The counts of all leads by `_CONDITIONS`, and the comparison for each active rule."""
    rules = CompiledRule.load_active()
    counts, counts_by_rule = count_matches(leads, rules, _CONDITIONS)
    return counts, [
        RuleEffectiveness(
            rule_id=rule.rule.pk,
            rule_name=rule.rule.rule_name,
            matches=matching["all"],
            closed_with=matching["closed"],
            won_with=matching["won"],
            closed_without=counts["closed"] - matching["closed"],
            won_without=counts["won"] - matching["won"],
        )
        for rule, matching in zip(rules, counts_by_rule, strict=True)
    ]
