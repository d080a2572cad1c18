"""Who gets a new lead that nobody has been named for, and the rules that say so."""

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

MAX_ACTIVE_RULES, MAX_CONDITIONS = 50, 5
WRITABLE_FIELDS = ("rule_name", "position", "is_active", "conditions", "to_user", "to_team")


def assign_new_leads(new: Sequence[Lead]) -> dict[int, User]:
    """Give new leads (saved, open, unowned) to whom the rules say, in their order; the owners by lead.

    The first rule that a lead fulfils and that has somebody for it decides; one whose people are all away, inactive or
    at their limit is passed over. Whoever is chosen is locked, and it is the next one's turn. Nobody is told.
    """
    owners = _owners(new)
    if owners:
        update_each(Lead, ("assigned_to",), {key: (owner.pk,) for key, owner in owners.items()})
    for lead in new:
        if lead.pk in owners:
            lead.assigned_to = owners[lead.pk]
    return owners


def _owners(new: Sequence[Lead]) -> dict[int, User]:
    rules = list(AssignmentRule.objects.filter(is_active=True))
    fulfilled = conditions.match_rules(rules, [lead.pk for lead in new], timezone.now())
    asked = [rule for rule in rules if any(rule in each for each in fulfilled.values())]
    people = _people(asked)
    owners: dict[int, User] = {}
    settled: set[int] = set()
    for rule in asked:
        those = [lead for lead in new if lead.pk not in settled and rule in fulfilled[lead.pk]]
        if rule.to_team_id is None and rule.to_user_id is None:  # the pool: nobody else is asked
            settled |= {lead.pk for lead in those}
        else:
            owners |= _deal(rule, those, people)
            settled |= owners.keys()
    return owners


def _people(rules: Collection[AssignmentRule]) -> list[distribution.Workload]:
    """Those whom the rules name, who are there: locked in key order, each with what they have now."""
    named = Q(pk__in=[rule.to_user_id for rule in rules if rule.to_user_id])
    named |= Q(team__in=[rule.to_team_id for rule in rules if rule.to_team_id], role=Role.REP)
    people = User.objects.select_for_update(no_key=True, of=("self",)).filter(named, is_active=True).order_by("pk")
    return distribution.get_workloads(user for user in people if not is_away(user))


def _deal(rule: AssignmentRule, those: Sequence[Lead], people: Sequence[distribution.Workload]) -> dict[int, User]:
    """Share leads out among the rule's people; a team's salespeople in turn."""
    if rule.to_user_id is not None:
        hands = [hand for hand in people if hand.user.pk == rule.to_user_id]
        return distribution.distribute(those, hands, distribution.DistributionMethod.IN_TURN, None).receivers
    hands = [hand for hand in people if hand.user.team_id == rule.to_team_id and hand.user.role == Role.REP]
    if not hands or not those:
        return {}
    turn = distribution.get_turn(f"team:{rule.to_team_id}", locked=True)
    dealt = distribution.distribute(those, hands, distribution.DistributionMethod.IN_TURN, turn.last_user_id)
    if dealt.receivers:
        turn.last_user_id = dealt.last_id
        turn.save(update_fields=["last_user"])
    return dealt.receivers


@transaction.atomic
def create_rule(*, by: User | None, values: Mapping[str, Any]) -> AssignmentRule:
    """Raises `NotAllowed` below manager, `Invalid`, `TooManyRules`."""
    policy.check_is_manager(by)
    rule = AssignmentRule(**_known({"is_active": True, "conditions": [], **values}))
    _check(rule)
    rule.save()
    return rule


@transaction.atomic
def update_rule(*, by: User | None, rule_id: int, changes: Mapping[str, Any]) -> AssignmentRule:
    """Raises `NotAllowed` below manager, `NotFound`, `Invalid`, `TooManyRules`."""
    policy.check_is_manager(by)
    rule = _rule(rule_id)
    for name, value in _known(changes).items():
        setattr(rule, name, value)
    _check(rule)
    rule.updated_at = timezone.now()
    rule.save()
    return rule


@transaction.atomic
def delete_rule(*, by: User | None, rule_id: int) -> None:
    """Raises `NotAllowed` below manager, `NotFound`."""
    policy.check_is_manager(by)
    _rule(rule_id).delete()


def validate_rule(rule: AssignmentRule) -> None:
    """That the rule can be asked and leads somewhere. Raises `Invalid`."""
    wrong = {}
    if not rule.rule_name.strip():
        wrong["rule_name"] = "Give the rule a name."
    if rule.to_user is not None and rule.to_team is not None:
        wrong["to_team"] = "It is a person or a team, not both."
    if rule.to_user is not None and not rule.to_user.is_active:
        wrong["to_user"] = "This user is not active."
    if len(rule.conditions) > MAX_CONDITIONS:
        wrong["conditions"] = f"At most {MAX_CONDITIONS} conditions."
    wrong |= {f"condition_{place}": why for place, why in conditions.find_problems(rule.conditions).items()}
    if wrong:
        raise errors.Invalid(wrong)


def _check(rule: AssignmentRule) -> None:
    validate_rule(rule)
    others = AssignmentRule.objects.exclude(pk=rule.pk)
    unique_names.require_unused_name(rule, "rule_name")
    if rule.is_active and others.filter(is_active=True).count() >= MAX_ACTIVE_RULES:
        raise errors.TooManyRules(f"At most {MAX_ACTIVE_RULES} rules can be active.")


def _rule(rule_id: int) -> AssignmentRule:
    rule = AssignmentRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such rule.")
    return rule


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(WRITABLE_FIELDS)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "A rule has no such value."))
    return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


def is_away(user: User) -> bool:
    """Whether today, where they are, is a day on which they get no new leads."""
    return user.away_until is not None and local_today(user) <= user.away_until
