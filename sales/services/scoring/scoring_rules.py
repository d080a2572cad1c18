"""Changing the scoring rules. Every change raises the rule set's version and starts a run."""

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

_DEFAULTS: dict[str, Any] = {"is_active": True, "within_days": None, "half_life_days": None, "group": ""}


@transaction.atomic
def create_rule(*, by: User | None, values: Mapping[str, Any]) -> LeadScoringRule:
    """Raises `NotAllowed` below manager, `Invalid`, `TooManyRules`."""
    policy.check_is_manager(by)
    rule_lock.take()
    rule = LeadScoringRule(**_trimmed({**_DEFAULTS, **values}))
    _check(rule)
    rule.save()
    _apply(by, f"Rule added: {rule.rule_name}")
    return rule


@transaction.atomic
def update_rule(
    *, by: User | None, rule_id: int, changes: Mapping[str, Any], versions: Container[int] | None = None
) -> LeadScoringRule:
    """No change starts no run. Raises `NotAllowed` below manager, `NotFound`, `Changed`, `Invalid`, `TooManyRules`."""
    policy.check_is_manager(by)
    rule_lock.take()
    rule = _rule(rule_id, versions)
    before = rule_checks.values_of(rule)
    for name, value in _trimmed(changes).items():
        setattr(rule, name, value)
    if rule_checks.values_of(rule) == before:
        return rule
    _check(rule)
    rule.version += 1
    rule.updated_at = timezone.now()
    rule.save()
    _apply(by, f"Rule changed: {rule.rule_name}")
    return rule


@transaction.atomic
def delete_rule(*, by: User | None, rule_id: int, versions: Container[int] | None = None) -> None:
    """Raises `NotAllowed` below manager, `NotFound`, `Changed`."""
    policy.check_is_manager(by)
    rule_lock.take()
    rule = _rule(rule_id, versions)
    rule.delete()
    _apply(by, f"Rule deleted: {rule.rule_name}")


def _rule(rule_id: int, versions: Container[int] | None) -> LeadScoringRule:
    rule = LeadScoringRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such rule.")
    locks.require_version(rule, versions)
    return rule


def _trimmed(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(rule_checks.COLUMNS)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "A rule has no such value."))
    trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    if "rule_name" in trimmed:
        trimmed["rule_name"] = normalization.collapse_spaces(trimmed["rule_name"])
    return trimmed


def _check(rule: LeadScoringRule) -> None:
    rule_checks.validate(rule_checks.values_of(rule))
    others = LeadScoringRule.objects.exclude(pk=rule.pk)
    unique_names.require_unused_name(rule, "rule_name")
    if rule.is_active and others.filter(is_active=True).count() >= rule_checks.MOST_ACTIVE:
        raise errors.TooManyRules


def _apply(by: User | None, reason: str) -> None:
    RuleSet.objects.update_or_create(pk=1, defaults={"version": scoring_runs.rule_set_version() + 1})
    scoring_runs.restart(by=by, reason=reason)
