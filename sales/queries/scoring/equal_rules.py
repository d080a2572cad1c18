"""Scoring rules that ask the same, so that a lead gets the points of each."""

from collections import defaultdict
from collections.abc import Hashable
from typing import Any

from sales.models import LeadScoringRule
from sales.normalization import name_key
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS


def find_equal_rules() -> dict[int, list[str]]:
    """The names of the other active rules with the same condition, by the key of each active rule that has such. One
    query.

    Values are compared as the rules read them: `25` is `25.0`, and case does not matter. Rules of one group may ask the
    same: only one of them counts.
    """
    by_condition: dict[Hashable, list[LeadScoringRule]] = defaultdict(list)
    for rule in LeadScoringRule.objects.filter(is_active=True).order_by("pk"):
        by_condition[_condition_of(rule)].append(rule)
    return {
        rule.pk: names
        for rules in by_condition.values()
        for rule in rules
        if (names := [other.rule_name for other in rules if other is not rule and _both_count(rule, other)])
    }


def format_warning(names: list[str]) -> str:
    """What to say of a rule that asks what the rules of these names ask."""
    quoted = ", ".join(f"“{name}”" for name in names)
    return f"The same condition as in {quoted}: a lead that matches gets the points of each."


def _both_count(rule: LeadScoringRule, other: LeadScoringRule) -> bool:
    return not rule.group or name_key(rule.group) != name_key(other.group)


def _condition_of(rule: LeadScoringRule) -> Hashable:
    return (rule.rule_type, rule.condition_field, rule.condition_operator, _value_of(rule), rule.within_days)


def _value_of(rule: LeadScoringRule) -> Hashable:
    """The value as the rule reads it; as it is written, where the rule can't be read."""
    field = FIELDS.get((rule.rule_type, rule.condition_field))
    try:
        value = (
            rule_checks.parse_value(field, rule.condition_operator, rule.condition_value)
            if field
            else rule.condition_value
        )
    except ValueError:
        return name_key(rule.condition_value)
    if rule.condition_operator == LeadScoringRule.Operator.IN:
        return frozenset(map(_fold, value))
    return _fold(value)


def _fold(value: Any) -> Hashable:
    return name_key(value) if isinstance(value, str) else value
