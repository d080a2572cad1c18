"""Changes the scoring rules. Every change raises the rule set's version and starts a run that scores all open leads."""

from collections.abc import Container, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, normalization, policy
from sales.models import LeadScoringRule, RuleSet
from sales.scoring import rule_checks, rule_lock
from sales.services import locks, unique_names
from sales.services.scoring import scoring_runs

_DEFAULTS: Mapping[str, object] = {"is_active": True, "within_days": None, "half_life_days": None, "group": ""}


@transaction.atomic
def create_rule(*, by: User | None, values: Mapping[str, Any]) -> LeadScoringRule:
    """Add a rule with these values, by column, and start a run.

    Raises `NotAllowed` unless `by` is a manager, `Invalid`, `TooManyRules`.
    """
    policy.check_is_manager(by)
    rule_lock.take()
    rule = LeadScoringRule(**_clean({**_DEFAULTS, **values}))
    _validate(rule)
    rule.save()
    _start_run(by, f"Rule added: {rule.rule_name}")
    return rule


@transaction.atomic
def update_rule(
    *, by: User | None, rule_id: int, changes: Mapping[str, Any], versions: Container[int] | None = None
) -> LeadScoringRule:
    """Change a rule, and start a run if anything is different. `versions`: those the caller has read; None for any.

    Raises `NotAllowed` unless `by` is a manager, `NotFound`, `StaleVersion`, `Invalid`, `TooManyRules`.
    """
    policy.check_is_manager(by)
    rule_lock.take()
    rule = _lock_rule(rule_id, versions)
    old_values = rule_checks.get_values(rule)
    for name, value in _clean(changes).items():
        setattr(rule, name, value)
    if rule_checks.get_values(rule) == old_values:
        return rule
    _validate(rule)
    rule.version += 1
    rule.updated_at = timezone.now()
    rule.save()
    _start_run(by, f"Rule changed: {rule.rule_name}")
    return rule


@transaction.atomic
def delete_rule(*, by: User | None, rule_id: int, versions: Container[int] | None = None) -> None:
    """Delete a rule and start a run. `versions`: those the caller has read; None for any.

    Raises `NotAllowed` unless `by` is a manager, `NotFound`, `StaleVersion`.
    """
    policy.check_is_manager(by)
    rule_lock.take()
    rule = _lock_rule(rule_id, versions)
    rule.delete()
    _start_run(by, f"Rule deleted: {rule.rule_name}")


def _lock_rule(rule_id: int, versions: Container[int] | None) -> LeadScoringRule:
    rule = LeadScoringRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such rule.")
    locks.require_version(rule, versions)
    return rule


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without spaces around them. Raises `Invalid` for a column that rules don't have."""
    unknown = set(values) - set(rule_checks.COLUMNS)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "A rule has no such field."))
    cleaned = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    if "rule_name" in cleaned:
        cleaned["rule_name"] = normalization.collapse_spaces(cleaned["rule_name"])
    return cleaned


def _validate(rule: LeadScoringRule) -> None:
    rule_checks.validate(rule_checks.get_values(rule))
    unique_names.require_unused_name(rule, "rule_name")
    other_active_rules = LeadScoringRule.objects.exclude(pk=rule.pk).filter(is_active=True)
    if rule.is_active and other_active_rules.count() >= rule_checks.MAX_ACTIVE_RULES:
        raise errors.TooManyRules


def _start_run(by: User | None, reason: str) -> None:
    RuleSet.objects.update_or_create(pk=1, defaults={"version": scoring_runs.get_rule_set_version() + 1})
    scoring_runs.restart_run(by=by, reason=reason)
