"""Finds scoring rules with the same condition: a lead that matches gets the points of each."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

from sales.models import LeadScoringRule
from sales.normalization import name_key
from sales.scoring import rule_checks
from sales.scoring.fields import FIELDS
from sales.scoring.value_sources import Scalar


def find_equal_rules() -> dict[int, list[str]]:
    """The names of the other active rules with the same condition, by rule id; rules without any are left out.

    Values are compared as the rules read them: `25` is `25.0`, and case does not matter. Rules of one group may have
    the same condition, since only one of them counts. One query.
    """
    rules_by_condition: dict[Hashable, list[LeadScoringRule]] = defaultdict(list)
    for rule in LeadScoringRule.objects.filter(is_active=True).order_by("pk"):
        rules_by_condition[_build_condition_key(rule)].append(rule)
    return {
        rule.pk: names
        for rules in rules_by_condition.values()
        for rule in rules
        if (names := [other.rule_name for other in rules if other is not rule and _do_both_count(rule, other)])
    }


def format_warning(equal_rule_names: Sequence[str]) -> str:
    """The warning about a rule that has the same condition as the rules with these names."""
    quoted_names = ", ".join(f"“{name}”" for name in equal_rule_names)
    return f"The condition is the same as in {quoted_names}: a lead that matches gets the points of each."


def _do_both_count(rule: LeadScoringRule, other: LeadScoringRule) -> bool:
    return not rule.group or name_key(rule.group) != name_key(other.group)


def _build_condition_key(rule: LeadScoringRule) -> Hashable:
    value = _build_value_key(rule)
    return (rule.rule_type, rule.condition_field, rule.condition_operator, value, rule.within_days)


def _build_value_key(rule: LeadScoringRule) -> Hashable:
    """The value as the rule reads it, or the text as it stands if the rule is invalid."""
    field = FIELDS.get((rule.rule_type, rule.condition_field))
    if field is None:
        return name_key(rule.condition_value)
    try:
        value = rule_checks.parse_value(field, rule.condition_operator, rule.condition_value)
    except ValueError:
        return name_key(rule.condition_value)
    if not isinstance(value, tuple):
        return _fold(value)
    folded = map(_fold, value)
    return frozenset(folded) if rule.condition_operator == LeadScoringRule.Operator.IN else tuple(folded)


def _fold(value: Scalar) -> Hashable:
    return name_key(value) if isinstance(value, str) else value
