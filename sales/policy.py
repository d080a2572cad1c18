"""Who may change what. Reading is `visible_to` on the querysets; these questions are asked of what is visible.

`by=None` is the system itself, which may do everything.
"""

from typing import Protocol

from django.db.models import Q, QuerySet

from athena.accounts.models import User
from athena.accounts.roles import Role
from sales import errors
from sales.models import Activity, FollowUp, Lead, TransferBatch


class Owned(Protocol):
    """A lead, whole or as a row."""

    @property
    def assigned_to_id(self) -> int | None: ...


def is_manager(user: User) -> bool:
    return user.has_role(Role.MANAGER)


def may_write_lead(by: User | None, lead: Owned) -> bool:
    """Owners and managers change a lead (managers: any lead that they can see)."""
    return by is None or is_manager(by) or (by.is_active and lead.assigned_to_id == by.pk)


def require_write_lead(by: User | None, lead: Lead) -> None:
    """Raises `NotYourLead` where `by` may not change it."""
    if not may_write_lead(by, lead):
        raise errors.NotYourLead


def may_write_follow_up(by: User | None, follow_up: FollowUp) -> bool:
    """A follow-up is changed by its assignee and by managers who can see it."""
    return by is None or is_manager(by) or (by.is_active and follow_up.assigned_to_id == by.pk)


def require_write_follow_up(by: User | None, follow_up: FollowUp) -> None:
    """Raises `NotYourFollowUp` where `by` may not change it."""
    if not may_write_follow_up(by, follow_up):
        raise errors.NotYourFollowUp


def may_correct_activity(by: User | None, activity: Activity) -> bool:
    """What was logged is corrected by whoever logged it and by managers who can see it."""
    return by is None or is_manager(by) or (by.is_active and activity.user_id == by.pk)


def require_correct_activity(by: User | None, activity: Activity) -> None:
    """Raises `NotYourActivity` where `by` may not correct it."""
    if not may_correct_activity(by, activity):
        raise errors.NotYourActivity


def require_manager(by: User | None) -> None:
    """Raises `NotAllowed` below manager."""
    if by is not None and not is_manager(by):
        raise errors.NotAllowed


def receivers_for(by: User | None) -> Q:
    """Which active users `by` may give a lead or a follow-up to: reps their own team, managers anybody."""
    if by is None or is_manager(by):
        return Q(is_active=True)
    if by.team_id is None:
        return Q(pk=by.pk, is_active=True)
    return Q(team=by.team_id, is_active=True)


def may_undo(by: User | None, batch: TransferBatch) -> bool:
    """A transfer is undone by its author, and by administrators."""
    return by is None or (by.is_active and batch.by_id == by.pk) or by.has_role(Role.ADMIN)


def minders() -> "QuerySet[User]":
    """Who is told of leads that nobody looks after: the managers, or administrators where there are none."""
    active = User.objects.filter(is_active=True).order_by("pk")
    managers = active.filter(role=Role.MANAGER)
    return managers if managers.exists() else active.filter(role=Role.ADMIN)


def people_in_reach_of(user: User) -> Q:
    """Whose leads this user reads for who owns them: one's own and one's team's; all without a team, for managers."""
    if user.reads_all_leads:
        return Q()
    return Q(pk=user.pk) if user.team_id is None else Q(team=user.team_id) | Q(pk=user.pk)


def people_in_scope_of(user: User) -> Q:
    """Whose figures this user may read: reps their own, managers their team's (all without a team), admins all."""
    if user.reads_all_leads:
        return Q()
    if user.role == Role.MANAGER:
        return Q(team=user.team_id)
    return Q(pk=user.pk)
