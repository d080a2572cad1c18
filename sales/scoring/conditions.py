"""Conditions of assignment rules: the same fields, operators and SQL as those of scoring rules.

A condition is stored as `{"field", "operator", "value"}`. Its field is one of a lead's attributes, since a lead that
has just come in has nothing else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, When

from athena.db.bulk import IdIn
from sales.models import AssignmentRule, Lead, LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, Field
from sales.scoring.value_sources import LeadSelection, RuleValue

ATTRIBUTES: dict[str, Field] = {
    name: field for (rule_type, name), field in FIELDS.items() if rule_type == LeadScoringRule.Type.ATTRIBUTE
}
_OPERATOR_LABELS = dict(LeadScoringRule.Operator.choices)


def find_problems(conditions: Iterable[object]) -> dict[int, str]:
    """What is wrong with these conditions, by their number from 1."""
    problems = {}
    for number, condition in enumerate(conditions, start=1):
        try:
            _parse(condition)
        except ValueError as error:
            problems[number] = str(error)
    return problems


def describe_conditions(rule: AssignmentRule) -> str:
    """The rule's (valid) conditions for people."""
    return "; ".join(_describe(condition) for condition in rule.conditions) or "Every new lead"


def match_rules(
    rules: Sequence[AssignmentRule], lead_ids: Collection[int], now: datetime
) -> dict[int, list[AssignmentRule]]:
    """The rules that each lead matches, by lead id, in the order of `rules`. One query.

    An invalid rule, which only plain SQL can have written, matches no lead.
    """
    if not rules:
        return {lead_id: [] for lead_id in lead_ids}
    leads = Lead.objects.filter(IdIn("pk", lead_ids)).order_by()
    annotated_leads = annotate_matches(leads, rules, LeadSelection.from_ids(lead_ids, now))
    rows = annotated_leads.values_list("pk", *(f"rule_{index}" for index in range(len(rules))))
    return {pk: [rule for rule, matches in zip(rules, flags, strict=True) if matches] for pk, *flags in rows}


def annotate_matches(
    leads: "QuerySet[Lead]", rules: Collection[AssignmentRule], selection: LeadSelection
) -> "QuerySet[Lead]":
    """Annotate each lead with `rule_0`, `rule_1` …: whether it matches that rule."""
    flags = {
        f"rule_{index}": Case(
            When(_build_condition(rule, selection), then=True), default=False, output_field=BooleanField()
        )
        for index, rule in enumerate(rules)
    }
    return leads.annotate(**flags)


def _build_condition(rule: AssignmentRule, selection: LeadSelection) -> Q:
    if find_problems(rule.conditions):
        return Q(pk__in=())
    combined = Q(pk__isnull=False)
    for condition in rule.conditions:
        field, operator, value = _parse(condition)
        combined &= field.source.matches(selection, operator, value, None)
    return combined


def _parse(condition: object) -> tuple[Field, str, RuleValue]:
    """Raises `ValueError` with a sentence for people."""
    if not isinstance(condition, dict) or not all(isinstance(value, str) for value in condition.values()):
        raise ValueError("A condition needs a field, an operator and a value.")
    field = ATTRIBUTES.get(condition.get("field", ""))
    if field is None:
        raise ValueError("Choose a field.")
    operator = condition.get("operator", "")
    if operator not in field.operators:
        labels = ", ".join(_OPERATOR_LABELS[name] for name in field.operators)
        raise ValueError(f"Choose a comparison that goes with this field: {labels}.")
    return field, operator, rule_checks.parse_value(field, operator, condition.get("value", ""))


def _describe(condition: Mapping[str, Any]) -> str:
    field = ATTRIBUTES.get(condition.get("field", ""))
    name = field.description if field else condition.get("field", "")
    return f"{name}: {_OPERATOR_LABELS.get(condition.get('operator', ''), '')} {condition.get('value', '')}"
