"""Promising to follow up on a lead, changing the promise, and keeping it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from athena.accounts.models import User
from notifications import outbox
from sales import errors, policy
from sales.models import Activity, FollowUp, Lead
from sales.services import activities, locks
from sales.services.follow_ups import cadences, change_history, completion, planning
from sales.services.follow_ups.completion import AS_BEFORE, NextStep
from sales.services.leads import leads, sale_progress
from sales.services.scoring import scores

LONGEST_SNOOZE = timedelta(days=30)
CHANGEABLE = ("follow_up_type", "scheduled_date", "scheduled_time", "notes", "assigned_to")


@dataclass(frozen=True)
class Completion:
    follow_up: FollowUp
    following: FollowUp | None

    @property
    def next_follow_up_id(self) -> int | None:
        return self.following.pk if self.following else None


@transaction.atomic
def create(
    *,
    by: User | None,
    lead_id: int,
    follow_up_type: str,
    scheduled_date: date,
    scheduled_time: time | None = None,
    notes: str = "",
    assigned_to: int | None = None,
) -> FollowUp:
    """Plan a follow-up, the caller's own unless a manager names another active user.

    A past date is allowed (a call that was missed is written down so) and never reminded of.
    Raises `NotFound`, `NotYourLead`, `LeadClosed`, `ReceiverNotAllowed`, `Invalid`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    if not lead.is_open:
        raise errors.LeadClosed
    follow_up = planning.plan(
        lead=lead,
        by=by,
        assignee=_assignee(by, by.pk if assigned_to is None and by is not None else assigned_to),
        follow_up_type=follow_up_type,
        scheduled_date=scheduled_date,
        scheduled_time=scheduled_time,
        notes=notes,
    )
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    _tell_assignee(follow_up, by)
    return follow_up


@transaction.atomic
def update(
    *, by: User | None, follow_up_id: int, changes: Mapping[str, Any], versions: Container[int] | None = None
) -> FollowUp:
    """Reschedule, reword or (managers) reassign an open follow-up. A new date or assignee arms the reminder again.

    Raises `NotFound`, `NotYourFollowUp`, `Changed` (its version is none of `versions`), `FollowUpClosed`,
    `ReceiverNotAllowed`, `Invalid`.
    """
    follow_up, lead = _open_follow_up(by, follow_up_id, versions)
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "This can't be changed."))
    was = change_history.keep_plan(follow_up)
    before = (follow_up.scheduled_date, follow_up.scheduled_time, follow_up.assigned_to_id)
    if "assigned_to" in changes and changes["assigned_to"] != follow_up.assigned_to_id:
        policy.check_is_manager(by)
        follow_up.assigned_to = _assignee(by, changes["assigned_to"])
    for name in changes.keys() - {"assigned_to"}:
        setattr(follow_up, name, changes[name])
    after = (follow_up.scheduled_date, follow_up.scheduled_time, follow_up.assigned_to_id)
    if before != after:
        planning.rearm(follow_up, has_new_day=before[0] != after[0], has_new_assignee=before[2] != after[2])
    _save(follow_up)
    change_history.record(follow_up, was, by=by, at=follow_up.updated_at)
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    if before[2] != after[2]:
        _tell_assignee(follow_up, by)
    return follow_up


@transaction.atomic
def snooze(*, by: User | None, follow_up_id: int, until: datetime) -> FollowUp:
    """Remind the assignee (once more) at `until`, within the next 30 days. It is no new plan: the day stays, what was
    told of it is not told again, and a reminder that is still to come comes at its time, unless `until` is later.

    Raises `NotFound`, `NotYourFollowUp`, `FollowUpClosed`, `Invalid`.
    """
    follow_up, _ = _open_follow_up(by, follow_up_id, None)
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        raise errors.Invalid({"until": "This must be a time in the next 30 days."})
    planning.snooze(follow_up, until)
    _save(follow_up)
    return follow_up


@transaction.atomic
def cancel(*, by: User | None, follow_up_id: int, reason: str = "", versions: Container[int] | None = None) -> FollowUp:
    """Take a follow-up off the list; it stays in the lead's story. A cadence whose step it is stops.

    Raises `NotFound`, `NotYourFollowUp`, `Changed`, `FollowUpClosed`.
    """
    follow_up, lead = _open_follow_up(by, follow_up_id, versions)
    follow_up.cancelled_at, follow_up.cancelled_by, follow_up.cancel_reason = timezone.now(), by, reason
    _save(follow_up)
    cadences.end_at(follow_up, reason="Its step was cancelled")
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    return follow_up


@transaction.atomic
def complete(
    *,
    by: User,
    follow_up_id: int,
    outcome: str,
    notes: str = "",
    schedule_next: bool = False,
    next_follow_up_days: int | None = None,
    next_follow_up_date: date | None = None,
    next_follow_up_time: time | completion.AsBefore | None = AS_BEFORE,
    next_follow_up_type: str | None = None,
    next_follow_up_notes: str = "",
    close: str | None = None,
    lost_reason: str | None = None,
    booked_value: Decimal | None = None,
    no_next_reason: str = "",
    amount: Decimal | None = None,
    valid_until: date | None = None,
) -> Completion:
    """Say what came of a follow-up, and what comes next: another one, the lead's end, or nothing, because …

    Only the assignee completes. Writes the activity and lets the lead come as far as that says; `notes` become the
    outcome's, the instructions stay. The arguments `next_…` are a `NextStep`. Completing a cadence's step plans its
    next one; `schedule_next` then says when, and what, in its place, and `no_next_reason` stops the cadence. `amount`
    and `valid_until` are of the quote that was sent. Raises `NotFound`, `NotYourFollowUp`, `FollowUpClosed`,
    `LeadClosed`, `Invalid`.
    """
    if schedule_next and (close or no_next_reason):
        name = "close" if close else "no_next_reason"
        raise errors.Invalid({name: "There is a next follow-up, or the end of it: not both."})
    wanted = NextStep(
        next_follow_up_days, next_follow_up_date, next_follow_up_time, next_follow_up_type, next_follow_up_notes
    )
    wanted.check(by, wanted=schedule_next)
    follow_up, lead = _own_open_follow_up(by, follow_up_id)
    if schedule_next and not lead.is_open:
        raise errors.LeadClosed
    quote = sale_progress.build_quote_data(follow_up.follow_up_type, amount, valid_until)
    activity = completion.record_outcome(follow_up, by, outcome, notes, no_next_reason, quote)
    _save(follow_up)
    step = None if close else cadences.next_of(follow_up, stop_because=no_next_reason)
    following = None
    if schedule_next or step is not None:
        following = completion.plan_next(follow_up, by, outcome, step, wanted if schedule_next else NextStep())
        _tell_assignee(following, by)
    _count(lead, activity, by)
    if close:
        changes = {"status": close, "lost_reason": lost_reason, "booked_value": booked_value}
        policy.check_may_change_lead(by, lead)
        lead.refresh_from_db()
        leads.apply_changes(lead, by=by, changes=changes)
    return Completion(follow_up, following)


def _count(lead: Lead, activity: Activity, by: User) -> None:
    """Let the lead know of the activity of a completed follow-up."""
    activities.apply_to_lead(
        lead,
        activity,
        last_follow_up_date=activity.occurred_at,
        follow_up_count=F("follow_up_count") + 1,
        next_follow_up_date=planning.EARLIEST_DUE,
    )
    scores.rescore(lead_ids=[lead.pk], by=by, reason=f"Activity: {activity}", activity_id=activity.pk)


def _open_follow_up(by: User | None, follow_up_id: int, versions: Container[int] | None) -> tuple[FollowUp, Lead]:
    follow_up, lead = locks.lock_visible_follow_up(by, follow_up_id)
    policy.check_may_change_follow_up(by, follow_up)
    locks.require_version(follow_up, versions)
    if not follow_up.is_open:
        raise errors.FollowUpClosed
    return follow_up, lead


def _own_open_follow_up(by: User, follow_up_id: int) -> tuple[FollowUp, Lead]:
    follow_up, lead = locks.lock_visible_follow_up(by, follow_up_id)
    policy.check_may_complete_follow_up(by, follow_up)
    if not follow_up.is_open:
        raise errors.FollowUpClosed
    return follow_up, lead


def _assignee(by: User | None, user_id: int | None) -> User:
    """The active user a follow-up is to be for. Raises `Invalid`, `ReceiverNotAllowed`."""
    assignee = User.objects.filter(pk=user_id).first() if user_id is not None else None
    if assignee is None:
        raise errors.Invalid({"assigned_to": "There is no such user."})
    if by is not None and assignee.pk != by.pk and not policy.is_manager(by):
        raise errors.ReceiverNotAllowed("Only a manager plans follow-ups for others.")
    if not assignee.is_active:
        raise errors.Invalid({"assigned_to": "This user is not active."})
    return assignee


def _save(follow_up: FollowUp) -> None:
    """Write a changed (locked) follow-up, one version on."""
    follow_up.version += 1
    follow_up.updated_at = timezone.now()
    follow_up.save()


def _tell_assignee(follow_up: FollowUp, by: User | None) -> None:
    """A follow-up that somebody else gave them is told to the assignee, once for each time it is given."""
    if by is not None and follow_up.assigned_to_id == by.pk:
        return
    outbox.add(
        kind="follow_up_reassigned",
        recipient_id=follow_up.assigned_to_id,
        dedupe_key=f"reassigned:{follow_up.pk}:{follow_up.reminder_no}",
        context=planning.told(follow_up) | {"by_name": str(by) if by else "Athena"},
    )
