"""What the assignment rules would have said of the leads that came in last. Writes nothing, takes nobody's turn."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from athena.accounts.models import User
from sales.models import AssignmentRule, Lead
from sales.scoring import conditions
from sales.scoring.value_sources import LeadSelection

RECENT, SAMPLES = 500, 20


@dataclass(frozen=True)
class LeadDecision:
    lead: Lead
    rule: AssignmentRule | None  # which decides; None: none does


@dataclass(frozen=True)
class AssignmentPreview:
    """`fulfilled` leads are what the rule asks for; of those it `decides`, earlier rules the others."""

    rule: AssignmentRule
    leads: int
    fulfilled: int
    decides: int
    undecided: int
    samples: list[LeadDecision]


def preview_rule(user: User, rule: AssignmentRule) -> AssignmentPreview:
    """This rule, new or changed, among the others, on the newest leads that `user` may read."""
    others = AssignmentRule.objects.filter(is_active=True).exclude(pk=rule.pk).select_related("to_user", "to_team")
    rules = sorted([*others, rule], key=lambda each: (each.position, each.pk or 0 if each.pk else 1 << 62))
    newest = list(Lead.objects.visible_to(user).order_by("-created_at", "-pk").values_list("pk", flat=True)[:RECENT])
    scope = LeadSelection.from_ids(newest, timezone.now())
    leads = conditions.annotate_matches(Lead.objects.filter(pk__in=newest), rules, scope).order_by("-created_at", "-pk")
    verdicts = [LeadDecision(lead, _first(rules, lead)) for lead in leads]
    place = rules.index(rule)
    mine = [verdict for verdict in verdicts if getattr(verdict.lead, f"rule_{place}")]
    return AssignmentPreview(
        rule=rule,
        leads=len(verdicts),
        fulfilled=len(mine),
        decides=sum(verdict.rule is rule for verdict in mine),
        undecided=sum(verdict.rule is None for verdict in verdicts),
        samples=(mine or verdicts)[:SAMPLES],
    )


def _first(rules: Sequence[AssignmentRule], lead: Lead) -> AssignmentRule | None:
    return next((rule for place, rule in enumerate(rules) if getattr(lead, f"rule_{place}")), None)
