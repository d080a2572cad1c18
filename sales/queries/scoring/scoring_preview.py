"""Previews a change of the scoring rules: what it would do to the open leads that a user may read. Writes nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, F
from django.db.models.functions import Abs
from django.utils import timezone

from athena.accounts.models import User
from sales import errors
from sales.models import Lead, LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.compiler import CompiledRule, build_score
from sales.scoring.explanations import Explanation, explain_score
from sales.scoring.value_sources import LeadSelection

MAX_SAMPLES = 10
HISTOGRAM_BARS = 10  # 0 to 9, 10 to 19, …, 90 to 100


@dataclass(frozen=True)
class Sample:
    """A lead whose score would change; `explanation` is of the score afterwards."""

    lead: Lead
    score_before: int
    explanation: Explanation


@dataclass(frozen=True)
class HistogramBar:
    """How many leads have these scores, before and after the change."""

    scores: str
    before: int
    after: int


@dataclass(frozen=True)
class ScoringPreview:
    """How many leads would get another score, become hot (at least `hot_score` points) or be hot no longer.

    "Before" are the scores that the leads have now. Histograms count the leads by score, in `HISTOGRAM_BARS` bars.
    """

    lead_count: int
    changed: int
    hot_score: int
    becoming_hot: int
    no_longer_hot: int
    histogram_before: list[int]
    histogram_after: list[int]
    samples: list[Sample]

    @property
    def bars(self) -> list[HistogramBar]:
        """The two histograms side by side."""
        counts = zip(self.histogram_before, self.histogram_after, strict=True)
        return [HistogramBar(_name_bar(number), before, after) for number, (before, after) in enumerate(counts)]

    @property
    def highest_count(self) -> int:
        """How many leads the longest bar has, but at least one: the scale of the histogram."""
        return max(*self.histogram_before, *self.histogram_after, 1)


def preview_rules(user: User, rules: Iterable[LeadScoringRule]) -> ScoringPreview:
    """What the scores would be if `rules` replaced all existing rules.

    Considers only the open leads that `user` may read: since a rule can compare any text, counts of other leads would
    tell what is in them. The samples are the leads whose score would change most. Raises `TooManyRules` for more active
    rules than are allowed.
    """
    active_rules = [rule for rule in rules if rule.is_active]
    if len(active_rules) > rule_checks.MAX_ACTIVE_RULES:
        raise errors.TooManyRules
    compiled_rules, now = CompiledRule.compile_all(active_rules), timezone.now()
    leads = Lead.objects.visible_to(user).open()
    new_score = build_score(compiled_rules, LeadSelection.spanning(leads, now))
    scored = leads.order_by().annotate(new_score=new_score)
    counts = {
        (old, new): count for old, new, count in scored.values_list("score", "new_score").annotate(count=Count("pk"))
    }
    hot = settings.HOT_SCORE
    most_changed = scored.exclude(new_score=F("score")).order_by(Abs(F("new_score") - F("score")).desc(), "pk")
    return ScoringPreview(
        lead_count=sum(counts.values()),
        changed=sum(count for (old, new), count in counts.items() if old != new),
        hot_score=hot,
        becoming_hot=sum(count for (old, new), count in counts.items() if old < hot <= new),
        no_longer_hot=sum(count for (old, new), count in counts.items() if new < hot <= old),
        histogram_before=_build_histogram((old, count) for (old, _), count in counts.items()),
        histogram_after=_build_histogram((new, count) for (_, new), count in counts.items()),
        samples=[
            Sample(lead, lead.score, explain_score(compiled_rules, lead.pk, now)) for lead in most_changed[:MAX_SAMPLES]
        ],
    )


def get_rules_with_change(values: Mapping[str, Any], rule_id: int | None) -> list[LeadScoringRule]:
    """All rules as they would be with these values for the rule `rule_id`, or for a new rule. Saves nothing.

    Raises `NotFound`, `Invalid`.
    """
    rules = list(LeadScoringRule.objects.all())
    rule = next((rule for rule in rules if rule.pk == rule_id), None)
    if rule is None:
        if rule_id is not None:
            raise errors.NotFound("There is no such rule.")
        rule = LeadScoringRule(pk=0)
        rules.append(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    rule_checks.validate(rule_checks.get_values(rule))
    return rules


def _build_histogram(score_counts: Iterable[tuple[int, int]]) -> list[int]:
    bars = [0] * HISTOGRAM_BARS
    for score, count in score_counts:
        bars[min(score // 10, HISTOGRAM_BARS - 1)] += count
    return bars


def _name_bar(number: int) -> str:
    """The scores that a bar stands for: `0 to 9`, …, `90 to 100`."""
    return f"{10 * number} to {10 * number + 9 if number < HISTOGRAM_BARS - 1 else 100}"
