"""Previews an assignment rule: what it would have decided about the newest leads. Writes nothing, takes no turn."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from athena.accounts.models import User
from sales.models import AssignmentRule, Lead
from sales.scoring import conditions
from sales.scoring.value_sources import LeadSelection

MAX_LEADS, MAX_SAMPLES = 500, 20


@dataclass(frozen=True)
class LeadDecision:
    """A lead, and the rule that decides about it; None if no rule does."""

    lead: Lead
    rule: AssignmentRule | None


@dataclass(frozen=True)
class AssignmentPreview:
    """How many of `lead_count` leads match the rule, and how many of those it decides; earlier rules decide the others.

    No rule at all decides about `undecided` leads.
    """

    rule: AssignmentRule
    lead_count: int
    matching: int
    decided: int
    undecided: int
    samples: list[LeadDecision]


def preview_rule(user: User, rule: AssignmentRule) -> AssignmentPreview:
    """Try a new or changed rule, among the other active rules, on the newest leads that `user` may read."""
    others = AssignmentRule.objects.filter(is_active=True).exclude(pk=rule.pk).select_related("to_user", "to_team")
    rules = sorted([*others, rule], key=_get_order)
    newest = Lead.objects.visible_to(user).order_by("-created_at", "-pk")
    newest_ids = list(newest.values_list("pk", flat=True)[:MAX_LEADS])
    selection = LeadSelection.from_ids(newest_ids, timezone.now())
    leads = conditions.annotate_matches(Lead.objects.filter(pk__in=newest_ids), rules, selection)
    decisions = [LeadDecision(lead, _find_first_match(rules, lead)) for lead in leads.order_by("-created_at", "-pk")]
    rule_flag = f"rule_{rules.index(rule)}"
    matching = [decision for decision in decisions if getattr(decision.lead, rule_flag)]
    return AssignmentPreview(
        rule=rule,
        lead_count=len(decisions),
        matching=len(matching),
        decided=sum(decision.rule is rule for decision in matching),
        undecided=sum(decision.rule is None for decision in decisions),
        samples=(matching or decisions)[:MAX_SAMPLES],
    )


def _get_order(rule: AssignmentRule) -> tuple[int, bool, int]:
    """The order in which rules are tried: by position, then by id; a new rule after all others in its position."""
    return (rule.position, rule.pk is None, rule.pk or 0)


def _find_first_match(rules: Sequence[AssignmentRule], lead: Lead) -> AssignmentRule | None:
    return next((rule for index, rule in enumerate(rules) if getattr(lead, f"rule_{index}")), None)
