"""Who may change what: every rule about permissions that `sales` has, in one place.

Reading is `visible_to` on the querysets: an invisible row is a 404. The rules here are about visible rows, or about no
row at all: "no" is a 403. A rule is a function `may_…`; its twin `check_may_…` raises an error where the answer is no.

`by=None` is Athena itself, which may do everything.
"""

from typing import Protocol

from django.db.models import Q, QuerySet

from athena.accounts.models import User
from athena.accounts.roles import Role
from sales import errors
from sales.models import Activity, FollowUp, Lead, TransferBatch

# The permissions that pages with file uploads ask for before they read the file (`allow_upload`).
IMPORT_LEADS = ["sales.add_leadimport", "sales.import_lead"]
ADD_SPEND = "sales.add_sourcespend"


class Owned(Protocol):
    """A lead: the model, or any row that has its owner."""

    @property
    def assigned_to_id(self) -> int | None: ...


# Roles


def is_manager(user: User) -> bool:
    """Whether the user is an active manager or administrator."""
    return user.has_role(Role.MANAGER)


def check_is_manager(by: User | None) -> None:
    """Raise `NotAllowed` unless `by` is a manager or administrator."""
    if by is not None and not is_manager(by):
        raise errors.NotAllowed


def may_hand_over(by: User | None) -> bool:
    """Whether `by` may hand over another user's work and deactivate them: administrators."""
    return by is None or by.has_perm("accounts.change_user")


def may_start_scoring_run(by: User | None) -> bool:
    """Whether `by` may have all open leads scored again: managers."""
    return by is None or by.has_perm("sales.add_scoringrun")


# Leads


def may_change_lead(by: User | None, lead: Owned) -> bool:
    """Whether `by` may change the lead: its owner and managers may."""
    return by is None or is_manager(by) or (by.is_active and lead.assigned_to_id == by.pk)


def check_may_change_lead(by: User | None, lead: Lead) -> None:
    """Raise `NotYourLead` unless `by` may change the lead."""
    if not may_change_lead(by, lead):
        raise errors.NotYourLead


def may_merge_leads(by: User) -> bool:
    """Whether `by` may merge leads and see the list of possible duplicates: managers."""
    return by.has_perm("sales.merge_lead")


def may_transfer_many_leads(by: User) -> bool:
    """Whether `by` may transfer several leads at once: managers."""
    return by.has_perm("sales.bulk_transfer_lead")


def may_archive_leads(by: User) -> bool:
    """Whether `by` may archive and restore leads: managers."""
    return by.has_perm("sales.delete_lead")


def may_import_leads(by: User) -> bool:
    """Whether `by` may import leads from files: managers."""
    return by.has_perms(IMPORT_LEADS)


def may_export_leads(by: User) -> bool:
    """Whether `by` may export lists of leads to files: managers."""
    return by.has_perm("sales.export_lead")


def may_read_reports(by: User) -> bool:
    """Whether `by` may see the pages of reports: managers."""
    return by.has_perm("sales.report_lead")


def may_add_spend(by: User) -> bool:
    """Whether `by` may enter what a source cost in a month: managers."""
    return by.has_perm(ADD_SPEND)


def may_delete_spend(by: User) -> bool:
    """Whether `by` may delete what a source cost in a month: managers."""
    return by.has_perm("sales.delete_sourcespend")


def may_search_users(by: User) -> bool:
    """Whether `by` may look for any user by name, as in the field for the owner of a new lead."""
    return by.has_perm("accounts.view_user")


# Follow-ups


def may_cancel_many_follow_ups(by: User) -> bool:
    """Whether `by` may cancel several follow-ups at once; each one asks `may_change_follow_up`."""
    return by.has_perm("sales.delete_followup")


def may_change_follow_up(by: User | None, follow_up: FollowUp) -> bool:
    """Whether `by` may reschedule, snooze or cancel the follow-up: its assignee and managers may."""
    return by is None or is_manager(by) or (by.is_active and follow_up.assigned_to_id == by.pk)


def check_may_change_follow_up(by: User | None, follow_up: FollowUp) -> None:
    """Raise `NotYourFollowUp` unless `by` may change the follow-up."""
    if not may_change_follow_up(by, follow_up):
        raise errors.NotYourFollowUp


def may_complete_follow_up(by: User, follow_up: FollowUp) -> bool:
    """Whether `by` may complete the follow-up: only its assignee may, since the outcome is what they did."""
    return by.is_active and follow_up.assigned_to_id == by.pk


def check_may_complete_follow_up(by: User, follow_up: FollowUp) -> None:
    """Raise `NotYourFollowUp` unless `by` may complete the follow-up."""
    if not may_complete_follow_up(by, follow_up):
        raise errors.NotYourFollowUp


# Activities


def may_correct_activity(by: User | None, activity: Activity) -> bool:
    """Whether `by` may correct the activity: the user who logged it and managers may."""
    return by is None or is_manager(by) or (by.is_active and activity.user_id == by.pk)


def check_may_correct_activity(by: User | None, activity: Activity) -> None:
    """Raise `NotYourActivity` unless `by` may correct the activity."""
    if not may_correct_activity(by, activity):
        raise errors.NotYourActivity


# Transfers


def get_receiver_filter(by: User | None) -> Q:
    """A filter for the active users to whom `by` may give a lead or a follow-up.

    Managers give to anybody, salespeople to their team; without a team, only to themselves.
    """
    if by is None or is_manager(by):
        return Q(is_active=True)
    if by.team_id is None:
        return Q(pk=by.pk, is_active=True)
    return Q(team=by.team_id, is_active=True)


def may_undo_transfer(by: User | None, batch: TransferBatch) -> bool:
    """Whether `by` may undo the transfer batch: the user who made it and administrators may."""
    return by is None or (by.is_active and batch.by_id == by.pk) or by.has_role(Role.ADMIN)


def check_may_undo_transfer(by: User | None, batch: TransferBatch) -> None:
    """Raise `NotYourTransfer` unless `by` may undo the transfer batch."""
    if not may_undo_transfer(by, batch):
        raise errors.NotYourTransfer


# Users


def find_fallback_recipients() -> "QuerySet[User]":
    """The users to notify about leads without an active owner: the managers, or administrators if there are none."""
    active = User.objects.filter(is_active=True).order_by("pk")
    managers = active.filter(role=Role.MANAGER)
    return managers if managers.exists() else active.filter(role=Role.ADMIN)


def get_visible_owner_filter(user: User) -> Q:
    """A filter for the users whose leads `user` may read: the user's team and the user.

    Administrators, and managers without a team, read everybody's.
    """
    if user.reads_all_leads:
        return Q()
    return Q(pk=user.pk) if user.team_id is None else Q(team=user.team_id) | Q(pk=user.pk)


def get_scope_filter(user: User) -> Q:
    """A filter for the users whose reports `user` may read: salespeople read their own, managers their team's.

    Administrators, and managers without a team, read everybody's.
    """
    if user.reads_all_leads:
        return Q()
    if user.role == Role.MANAGER:
        return Q(team=user.team_id)
    return Q(pk=user.pk)
