"""Assigns new leads that nobody has been named for, and changes the assignment rules that decide who gets them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athena.accounts.models import User, local_today
from athena.accounts.roles import Role
from athena.db.bulk import update_each
from sales import errors, policy
from sales.models import AssignmentRule, Lead
from sales.scoring import conditions
from sales.services import unique_names
from sales.services.ownership import distribution
from sales.services.ownership.distribution import DistributionMethod, Workload

MAX_ACTIVE_RULES, MAX_CONDITIONS = 50, 5
WRITABLE_FIELDS = ("rule_name", "position", "is_active", "conditions", "to_user", "to_team")


def assign_new_leads(leads: Sequence[Lead]) -> dict[int, User]:
    """Assign new leads (saved, open, unassigned) as the rules say, in their order; returns the owners by lead id.

    The first rule that a lead matches and that has a receiver for it decides. A rule whose receivers are all away,
    inactive or at their limit is passed over. Receivers are locked, and the turn goes on. Notifies nobody.
    """
    owners = _choose_owners(leads)
    if owners:
        update_each(Lead, ("assigned_to",), {lead_id: (owner.pk,) for lead_id, owner in owners.items()})
    for lead in leads:
        if lead.pk in owners:
            lead.assigned_to = owners[lead.pk]
    return owners


def _choose_owners(leads: Sequence[Lead]) -> dict[int, User]:
    rules = list(AssignmentRule.objects.filter(is_active=True))
    rules_by_lead = conditions.match_rules(rules, [lead.pk for lead in leads], timezone.now())
    matching_rules = [rule for rule in rules if any(rule in matches for matches in rules_by_lead.values())]
    workloads = _lock_workloads(matching_rules)
    owners: dict[int, User] = {}
    decided: set[int] = set()
    for rule in matching_rules:
        undecided = [lead for lead in leads if lead.pk not in decided and rule in rules_by_lead[lead.pk]]
        if rule.to_team_id is None and rule.to_user_id is None:  # the pool: the lead stays unassigned
            decided |= {lead.pk for lead in undecided}
        else:
            owners |= _distribute_by_rule(rule, undecided, workloads)
            decided |= owners.keys()
    return owners


def _lock_workloads(rules: Collection[AssignmentRule]) -> list[Workload]:
    """The workloads of the present, active users that the rules name; the users are locked in key order."""
    named = Q(pk__in=[rule.to_user_id for rule in rules if rule.to_user_id])
    named |= Q(team__in=[rule.to_team_id for rule in rules if rule.to_team_id], role=Role.REP)
    users = User.objects.select_for_update(no_key=True, of=("self",)).filter(named, is_active=True).order_by("pk")
    return distribution.get_workloads(user for user in users if not is_away(user))


def _distribute_by_rule(rule: AssignmentRule, leads: Sequence[Lead], workloads: Sequence[Workload]) -> dict[int, User]:
    """Distribute leads among the rule's receivers; a team's salespeople get them in turn."""
    if rule.to_user_id is not None:
        receivers = [workload for workload in workloads if workload.user.pk == rule.to_user_id]
        return distribution.distribute(leads, receivers, DistributionMethod.IN_TURN, None).receivers
    receivers = [
        workload
        for workload in workloads
        if workload.user.team_id == rule.to_team_id and workload.user.role == Role.REP
    ]
    if not receivers or not leads:
        return {}
    turn = distribution.get_turn(f"team:{rule.to_team_id}", lock=True)
    result = distribution.distribute(leads, receivers, DistributionMethod.IN_TURN, turn.last_user_id)
    if result.receivers:
        turn.last_user_id = result.last_receiver_id
        turn.save(update_fields=["last_user"])
    return result.receivers


@transaction.atomic
def create_rule(*, by: User | None, values: Mapping[str, Any]) -> AssignmentRule:
    """Add a rule with these values (`WRITABLE_FIELDS`).

    Raises `NotAllowed` unless `by` is a manager, `Invalid`, `TooManyRules`.
    """
    policy.check_is_manager(by)
    rule = AssignmentRule(**_clean({"is_active": True, "conditions": [], **values}))
    _validate_to_save(rule)
    rule.save()
    return rule


@transaction.atomic
def update_rule(*, by: User | None, rule_id: int, changes: Mapping[str, Any]) -> AssignmentRule:
    """Change values of a rule (`WRITABLE_FIELDS`).

    Raises `NotAllowed` unless `by` is a manager, `NotFound`, `Invalid`, `TooManyRules`.
    """
    policy.check_is_manager(by)
    rule = _lock_rule(rule_id)
    for name, value in _clean(changes).items():
        setattr(rule, name, value)
    _validate_to_save(rule)
    rule.updated_at = timezone.now()
    rule.save()
    return rule


@transaction.atomic
def delete_rule(*, by: User | None, rule_id: int) -> None:
    """Delete a rule. Raises `NotAllowed` unless `by` is a manager, `NotFound`."""
    policy.check_is_manager(by)
    _lock_rule(rule_id).delete()


def validate_rule(rule: AssignmentRule) -> None:
    """Raise `Invalid` unless the rule's conditions are valid, and it has at most one active receiver."""
    problems = {}
    if not rule.rule_name.strip():
        problems["rule_name"] = "Enter a name."
    if rule.to_user is not None and rule.to_team is not None:
        problems["to_team"] = "Choose a person or a team, not both."
    if rule.to_user is not None and not rule.to_user.is_active:
        problems["to_user"] = "This user is not active."
    if len(rule.conditions) > MAX_CONDITIONS:
        problems["conditions"] = f"A rule has at most {MAX_CONDITIONS} conditions."
    for number, problem in conditions.find_problems(rule.conditions).items():
        problems[f"condition_{number}"] = problem
    if problems:
        raise errors.Invalid(problems)


def _validate_to_save(rule: AssignmentRule) -> None:
    validate_rule(rule)
    unique_names.require_unused_name(rule, "rule_name")
    other_active_rules = AssignmentRule.objects.exclude(pk=rule.pk).filter(is_active=True)
    if rule.is_active and other_active_rules.count() >= MAX_ACTIVE_RULES:
        raise errors.TooManyRules(f"At most {MAX_ACTIVE_RULES} rules can be active.")


def _lock_rule(rule_id: int) -> AssignmentRule:
    rule = AssignmentRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such rule.")
    return rule


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values without spaces around them. Raises `Invalid` for a field that rules don't have."""
    unknown = set(values) - set(WRITABLE_FIELDS)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "A rule has no such field."))
    return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


def is_away(user: User) -> bool:
    """Whether the user gets no new leads today, in the user's time zone."""
    return user.away_until is not None and local_today(user) <= user.away_until
