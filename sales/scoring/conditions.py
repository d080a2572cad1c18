"""Conditions on a lead that are not a scoring rule's, asked by the same registry and the same SQL.

A condition is `{"field", "operator", "value"}`, as rows keep it; the field is one of a lead's attributes: a lead that
has just come in has nothing else.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, Q, QuerySet, When

from athena.db.bulk import IdIn
from sales.models import AssignmentRule, Lead, LeadScoringRule
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS, Field
from sales.scoring.value_sources import Scope

ATTRIBUTES: dict[str, Field] = {
    name: field for (kind, name), field in FIELDS.items() if kind == LeadScoringRule.Type.ATTRIBUTE
}
_OPERATORS = dict(LeadScoringRule.Operator.choices)


def problems(asked: Iterable[Any]) -> dict[int, str]:
    """What is wrong with these conditions, by their place from 1."""
    found = {}
    for place, condition in enumerate(asked, start=1):
        try:
            _parsed(condition)
        except ValueError as error:
            found[place] = str(error)
    return found


def in_words(rule: AssignmentRule) -> str:
    """What the rule asks, for people."""
    return "; ".join(_in_words(condition) for condition in rule.conditions) or "Every new lead"


def matching(
    rules: Sequence[AssignmentRule], lead_ids: Collection[int], now: datetime
) -> dict[int, list[AssignmentRule]]:
    """Those of the rules that each lead fulfils, in their order; one query. A broken one, as from plain SQL, never."""
    if not rules:
        return {key: [] for key in lead_ids}
    leads = annotated(Lead.objects.filter(IdIn("pk", lead_ids)), rules, Scope.of(lead_ids, now)).order_by()
    rows = leads.values_list("pk", *(f"rule_{place}" for place in range(len(rules))))
    return {key: [rule for rule, fulfilled in zip(rules, flags, strict=True) if fulfilled] for key, *flags in rows}


def annotated(leads: "QuerySet[Lead]", rules: Collection[AssignmentRule], scope: Scope) -> "QuerySet[Lead]":
    """The leads, each with `rule_0`, `rule_1` …: whether it fulfils that rule."""
    flags = {
        f"rule_{place}": Case(When(_all_of(rule, scope), then=True), default=False, output_field=BooleanField())
        for place, rule in enumerate(rules)
    }
    return leads.annotate(**flags)


def _all_of(rule: AssignmentRule, scope: Scope) -> Q:
    if problems(rule.conditions):
        return Q(pk__in=())
    every = Q(pk__isnull=False)
    for condition in rule.conditions:
        field, operator, value = _parsed(condition)
        every &= field.source.matches(scope, operator, value, None)
    return every


def _parsed(condition: Any) -> tuple[Field, str, Any]:
    """Raises `ValueError` with a sentence for people."""
    if not isinstance(condition, dict) or not all(isinstance(value, str) for value in condition.values()):
        raise ValueError("A condition is a field, an operator and a value.")
    field = ATTRIBUTES.get(condition.get("field", ""))
    if field is None:
        raise ValueError("Choose what it looks at.")
    operator = condition.get("operator", "")
    if operator not in field.operators:
        said = ", ".join(_OPERATORS[name] for name in field.operators)
        raise ValueError(f"Of this one can say: {said}.")
    return field, operator, rule_checks.parse(field, operator, condition.get("value", ""))


def _in_words(condition: Any) -> str:
    field = ATTRIBUTES.get(condition.get("field", ""))
    name = field.sentence if field else condition.get("field", "")
    return f"{name}: {_OPERATORS.get(condition.get('operator', ''), '')} {condition.get('value', '')}"
