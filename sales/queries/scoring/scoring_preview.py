"""What a change of the scoring rules would do to the open leads that somebody may read. Writes nothing."""

from collections import Counter
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
BARS = 10  # of a histogram: 0 to 9, 10 to 19, …, 90 to 100


@dataclass(frozen=True)
class Sample:
    lead: Lead
    before: int
    after: Explanation


@dataclass(frozen=True)
class ScoringPreview:
    """`entering` and `leaving` the hot leads: those with at least `hot` points. Before is what the leads have now."""

    leads: int
    changed: int
    hot: int
    entering: int
    leaving: int
    before: list[int]
    after: list[int]
    samples: list[Sample]

    @property
    def bars(self) -> list[tuple[str, int, int]]:
        """The two histograms side by side: which scores, how many leads before and after."""
        names = [f"{10 * bar} to {10 * bar + 9 if bar < BARS - 1 else 100}" for bar in range(BARS)]
        return list(zip(names, self.before, self.after, strict=True))

    @property
    def tallest(self) -> int:
        """What the bars are measured by: as many leads as are in the longest, and at least one."""
        return max(*self.before, *self.after, 1)


def preview_rules(user: User, rules: Iterable[LeadScoringRule]) -> ScoringPreview:
    """What these rules, in the place of all that there are, would make of the scores that the leads have.

    Counts the open leads that `user` may read, and no others: a rule can ask for any text, letter by letter. The
    samples are those whose score would change most. Raises `TooManyRules` for more than can be active.
    """
    active = [rule for rule in rules if rule.is_active]
    if len(active) > rule_checks.MAX_ACTIVE_RULES:
        raise errors.TooManyRules
    compiled, now = CompiledRule.compile_all(active), timezone.now()
    leads = Lead.objects.visible_to(user).open()
    scored = leads.order_by().annotate(after=build_score(compiled, LeadSelection.spanning(leads, now)))
    pairs = Counter({(old, new): many for old, new, many in scored.values_list("score", "after").annotate(Count("pk"))})
    hot = settings.HOT_SCORE
    most = scored.exclude(after=F("score"))
    return ScoringPreview(
        leads=pairs.total(),
        changed=sum(many for (old, new), many in pairs.items() if old != new),
        hot=hot,
        entering=sum(many for (old, new), many in pairs.items() if old < hot <= new),
        leaving=sum(many for (old, new), many in pairs.items() if new < hot <= old),
        before=_histogram((old, many) for (old, _), many in pairs.items()),
        after=_histogram((new, many) for (_, new), many in pairs.items()),
        samples=[
            Sample(lead, lead.score, explain_score(compiled, lead.pk, now))
            for lead in most.order_by(Abs(F("after") - F("score")).desc(), "pk")[:MAX_SAMPLES]
        ],
    )


def get_rules_with_change(values: Mapping[str, Any], rule_id: int | None) -> list[LeadScoringRule]:
    """The rules as they would be with this one new, or changed. Raises `NotFound`, `Invalid`."""
    rules = list(LeadScoringRule.objects.all())
    rule = next((each for each in rules if each.pk == rule_id), None)
    if rule is None:
        if rule_id is not None:
            raise errors.NotFound("There is no such rule.")
        rule = LeadScoringRule(pk=0)
        rules.append(rule)
    for name, value in values.items():
        setattr(rule, name, value)
    rule_checks.validate(rule_checks.get_values(rule))
    return rules


def _histogram(counts: Iterable[tuple[int, int]]) -> list[int]:
    bars = [0] * BARS
    for each, many in counts:
        bars[min(each // 10, BARS - 1)] += many
    return bars
