"""Who gets a new lead that nobody has been named for, and the rules that say so."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from athena.accounts.models import Team, User, local_today
from athena.accounts.roles import Role
from notifications import outbox
from notifications.models import Notification
from sales import errors, policy
from sales.models import AssignmentRule, Lead
from sales.scoring import conditions
from sales.services import sharing

MOST_RULES, MOST_CONDITIONS = 50, 5
WRITABLE = ("rule_name", "position", "is_active", "conditions", "to_user", "to_team")


def assign(lead: Lead) -> User | None:
    """Give a new lead (saved) to whom the rules say; where they say nobody, tell the managers that it waits."""
    owner = owner_of_new(lead)
    if owner is None:
        _tell_managers(lead)
    else:
        lead.assigned_to = owner
        lead.save(update_fields=["assigned_to"])
    return owner


def owner_of_new(lead: Lead) -> User | None:
    """Who gets this lead by the first rule that it fulfils and that has somebody for it; None for the pool.

    A rule whose people are all away, inactive or at their limit is passed over. Whoever is chosen is locked, and it is
    the next one's turn.
    """
    rules = list(AssignmentRule.objects.filter(is_active=True).select_related("to_team"))
    for rule in conditions.matching(rules, lead.pk, timezone.now()):
        if rule.to_team is not None:
            owner = _next_of(rule.to_team, lead)
        elif rule.to_user_id is not None:
            owner = _able(_people(pk=rule.to_user_id), lead)
        else:
            return None
        if owner is not None:
            return owner
    return None


@transaction.atomic
def create_rule(*, by: User | None, values: Mapping[str, Any]) -> AssignmentRule:
    """Raises `NotAllowed` below manager, `Invalid`, `TooManyRules`."""
    policy.require_manager(by)
    rule = AssignmentRule(**_known({"is_active": True, "conditions": [], **values}))
    _check(rule)
    rule.save()
    return rule


@transaction.atomic
def update_rule(*, by: User | None, rule_id: int, changes: Mapping[str, Any]) -> AssignmentRule:
    """Raises `NotAllowed` below manager, `NotFound`, `Invalid`, `TooManyRules`."""
    policy.require_manager(by)
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
    policy.require_manager(by)
    _rule(rule_id).delete()


def check(rule: AssignmentRule) -> None:
    """That the rule can be asked and leads somewhere. Raises `Invalid`."""
    wrong = {}
    if not rule.rule_name.strip():
        wrong["rule_name"] = "Give the rule a name."
    if rule.to_user is not None and rule.to_team is not None:
        wrong["to_team"] = "It is a person or a team, not both."
    if rule.to_user is not None and not rule.to_user.is_active:
        wrong["to_user"] = "This user is not active."
    if len(rule.conditions) > MOST_CONDITIONS:
        wrong["conditions"] = f"At most {MOST_CONDITIONS} conditions."
    wrong |= {f"condition_{place}": why for place, why in conditions.problems(rule.conditions).items()}
    if wrong:
        raise errors.Invalid(wrong)


def _check(rule: AssignmentRule) -> None:
    check(rule)
    others = AssignmentRule.objects.exclude(pk=rule.pk)
    if others.filter(rule_name=rule.rule_name).exists():
        raise errors.Invalid({"rule_name": "There is a rule with this name already."})
    if rule.is_active and others.filter(is_active=True).count() >= MOST_RULES:
        raise errors.TooManyRules(f"At most {MOST_RULES} rules can be active.")


def _rule(rule_id: int) -> AssignmentRule:
    rule = AssignmentRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise errors.NotFound("There is no such rule.")
    return rule


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - set(WRITABLE)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "A rule has no such value."))
    return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


def _people(**where: object) -> list[User]:
    people = User.objects.select_for_update(no_key=True).filter(is_active=True, **where)
    return [user for user in people.order_by("pk") if not is_away(user)]


def is_away(user: User) -> bool:
    """Whether today, where they are, is a day on which they get no new leads."""
    return user.away_until is not None and local_today(user) <= user.away_until


def _next_of(team: Team, lead: Lead) -> User | None:
    """The salesperson of a team whose turn it is."""
    turn = sharing.turn(f"team:{team.pk}", locked=True)
    owner = _able(_people(team=team.pk, role=Role.REP), lead, turn.last_user_id)
    if owner is not None:
        turn.last_user = owner
        turn.save(update_fields=["last_user"])
    return owner


def _able(people: Iterable[User], lead: Lead, last_id: int | None = None) -> User | None:
    dealt = sharing.deal([lead], sharing.hands_of(people), sharing.Way.IN_TURN, last_id)
    return dealt.receivers.get(lead.pk)


def _tell_managers(lead: Lead) -> None:
    """At most one message an hour for each of them, however many leads come in, and one after the last of them."""
    managers = list(policy.minders())
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    keys = {_unowned_key(user, hour): user for user in managers}
    told = set(Notification.objects.filter(dedupe_key__in=keys).values_list("recipient", flat=True))
    context = {"lead_id": lead.pk, "lead_name": str(lead)}
    later = hour + timedelta(hours=1)
    outbox.add_many(
        outbox.Message("lead_unowned", user.pk, _unowned_key(user, later), {"lead_id": lead.pk}, not_before=later)
        if user.pk in told
        else outbox.Message("lead_unowned", user.pk, key, context)
        for key, user in keys.items()
    )


def _unowned_key(user: User, hour: datetime) -> str:
    return f"unowned:{user.pk}:{hour:%Y%m%d%H}"
