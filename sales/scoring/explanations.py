"""Explains a lead's score: which value each active rule looked at, and how many points it gave."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import BooleanField, Case, When
from django.db.models.expressions import Combinable

from sales.models import Lead
from sales.scoring.compiler import CompiledRule, build_raw_points, clamp
from sales.scoring.value_sources import LeadSelection


@dataclass(frozen=True)
class RuleExplanation:
    """What one rule contributes to a lead's score.

    `points`: what a matching rule gives, after half-life and group; what any other rule would give, before half-life.
    `is_outdone`: the rule matches, but gives nothing because another rule of its group gives more.
    """

    rule_id: int
    rule_name: str
    condition: str
    matched: bool
    value: object
    points: int
    is_outdone: bool = False

    @property
    def value_text(self) -> str:
        """The lead's value for people."""
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        return "–" if self.value in (None, "") else str(self.value)


@dataclass(frozen=True)
class Explanation:
    """How a lead's score comes about at a given time; the points of the rules that match add up to `raw_points`."""

    score: int
    raw_points: int
    rules: list[RuleExplanation]
    calculated_at: datetime

    @property
    def matching_rules(self) -> list[RuleExplanation]:
        """The rules that match the lead."""
        return [rule for rule in self.rules if rule.matched]

    @property
    def possible_gains(self) -> list[RuleExplanation]:
        """The rules that do not match the lead and would raise its score."""
        return [rule for rule in self.rules if not rule.matched and rule.points > 0]


def explain_score(rules: Iterable[CompiledRule], lead_id: int, now: datetime) -> Explanation:
    """Explain the score that these rules give to one lead, open or closed. One query; the lead must exist."""
    rules, selection = list(rules), LeadSelection.from_ids([lead_id], now)
    expressions: dict[str, Combinable] = {"raw": build_raw_points(rules, selection)}
    for number, rule in enumerate(rules):
        expressions |= {
            f"matched_{number}": Case(
                When(rule.matches(selection), then=True), default=False, output_field=BooleanField()
            ),
            f"value_{number}": rule.lead_value(selection),
            f"points_{number}": rule.points_if_matched(selection),
        }
    row = Lead.objects.filter(pk=lead_id).order_by().annotate(**expressions).values(*expressions).get()
    explanations = [
        RuleExplanation(
            rule_id=rule.rule.pk,
            rule_name=rule.rule.rule_name,
            condition=rule.condition,
            matched=row[f"matched_{number}"],
            value=row[f"value_{number}"],
            points=row[f"points_{number}"] if row[f"matched_{number}"] else rule.rule.points,
        )
        for number, rule in enumerate(rules)
    ]
    return Explanation(clamp(row["raw"]), row["raw"], _keep_best_of_groups(rules, explanations), now)


def _keep_best_of_groups(rules: list[CompiledRule], explanations: list[RuleExplanation]) -> list[RuleExplanation]:
    """Set the points of a group's matching rules to 0, except for the rule with the most points."""
    best: dict[str, RuleExplanation] = {}
    for rule, explanation in zip(rules, explanations, strict=True):
        if rule.group and explanation.matched:
            best_so_far = best.setdefault(rule.group, explanation)
            if explanation.points > best_so_far.points:
                best[rule.group] = explanation
    return [
        replace(explanation, points=0, is_outdone=True)
        if rule.group and explanation.matched and explanation is not best[rule.group]
        else explanation
        for rule, explanation in zip(rules, explanations, strict=True)
    ]
