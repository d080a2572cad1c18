"""Promising to follow up on a lead, changing the promise, and keeping it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from athena.accounts.models import User, local_today
from notifications import outbox
from sales import errors, policy, schedule
from sales.models import Activity, FollowUp, Lead
from sales.services import activities, cadences, leads, locks, planning, scoring

DEFAULT_NEXT_DAYS = 3
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
    lead = locks.visible_lead(by, lead_id)
    policy.require_write_lead(by, lead)
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
    before = (follow_up.scheduled_date, follow_up.scheduled_time, follow_up.assigned_to_id)
    if "assigned_to" in changes and changes["assigned_to"] != follow_up.assigned_to_id:
        policy.require_manager(by)
        follow_up.assigned_to = _assignee(by, changes["assigned_to"])
    for name in changes.keys() - {"assigned_to"}:
        setattr(follow_up, name, changes[name])
    after = (follow_up.scheduled_date, follow_up.scheduled_time, follow_up.assigned_to_id)
    if before != after:
        follow_up.snoozed_until = None
        planning.rearm(follow_up)
    _save(follow_up)
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    if before[2] != after[2]:
        _tell_assignee(follow_up, by)
    return follow_up


@transaction.atomic
def snooze(*, by: User | None, follow_up_id: int, until: datetime) -> FollowUp:
    """Remind the assignee (again) at `until`, within the next 30 days. The day that was promised stays as it is.

    Raises `NotFound`, `NotYourFollowUp`, `FollowUpClosed`, `Invalid`.
    """
    follow_up, _ = _open_follow_up(by, follow_up_id, None)
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        raise errors.Invalid({"until": "This must be a time in the next 30 days."})
    follow_up.snoozed_until = until
    planning.rearm(follow_up)
    _save(follow_up)
    return follow_up


@transaction.atomic
def cancel(*, by: User | None, follow_up_id: int, reason: str = "", versions: Container[int] | None = None) -> FollowUp:
    """Take a follow-up off the list; it stays in the lead's story. A cadence whose step it is stops.

    Raises `NotFound`, `NotYourFollowUp`, `Changed`, `FollowUpClosed`.
    """
    follow_up, lead = _open_follow_up(by, follow_up_id, versions)
    follow_up.cancelled_at, follow_up.cancel_reason = timezone.now(), reason
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
    next_follow_up_type: str | None = None,
    close: str | None = None,
    lost_reason: str | None = None,
    booked_value: Decimal | None = None,
    no_next_reason: str = "",
) -> Completion:
    """Say what came of a follow-up, and what comes next: another in N days, the lead's end, or nothing, because …

    Only the assignee completes. Writes the activity, counts, and works out the lead's next date; `notes` become the
    outcome's, the instructions stay. The next date is a working day. Completing a cadence's step plans its next one;
    `schedule_next` then says when, and what, in that step's place, and `no_next_reason` stops the cadence.
    Raises `NotFound`, `NotYourFollowUp`, `FollowUpClosed`, `LeadClosed`, `Invalid`.
    """
    if schedule_next and (close or no_next_reason):
        name = "close" if close else "no_next_reason"
        raise errors.Invalid({name: "There is a next follow-up, or the end of it: not both."})
    follow_up, lead = _own_open_follow_up(by, follow_up_id)
    if schedule_next and not lead.is_open:
        raise errors.LeadClosed
    activity = _record_outcome(follow_up, lead, by, outcome, notes, no_next_reason)
    step = None if close else cadences.next_of(follow_up, stop_because=no_next_reason)
    following = None
    if schedule_next:
        following = _plan_next(follow_up, by, step, next_follow_up_days, next_follow_up_type)
    elif step is not None:
        following = _plan_next(follow_up, by, step)
    activities.touch(
        lead,
        activity,
        last_follow_up_date=follow_up.completed_at,
        follow_up_count=F("follow_up_count") + 1,
        next_follow_up_date=planning.EARLIEST_DUE,
    )
    scoring.rescore(lead_ids=[lead.pk], by=by, reason=f"Activity: {activity}", activity_id=activity.pk)
    if close:
        ending = {"lost_reason": lost_reason, "booked_value": booked_value}
        changes = {"status": close, **{name: value for name, value in ending.items() if value is not None}}
        leads.update(by=by, lead_id=lead.pk, changes=changes)
    return Completion(follow_up, following)


def _plan_next(
    follow_up: FollowUp,
    by: User,
    step: cadences.Step | None,
    days: int | None = None,
    follow_up_type: str | None = None,
) -> FollowUp:
    """What follows a completed one, in `days` or, on a cadence, when its next step comes."""
    if days is None:
        days = step.days if step else DEFAULT_NEXT_DAYS
    following = planning.plan(
        lead=follow_up.lead,
        by=by,
        assignee=step.assignee if step else follow_up.assigned_to,
        follow_up_type=follow_up_type or (step or follow_up).follow_up_type,
        scheduled_date=schedule.working_day(local_today(by) + timedelta(days=days)),
        scheduled_time=None if step else follow_up.scheduled_time,
        notes=step.notes if step else f"Follow-up from {follow_up.scheduled_date}",
    )
    if step is not None:
        cadences.reach(step, following)
    _tell_assignee(following, by)
    return following


def _open_follow_up(by: User | None, follow_up_id: int, versions: Container[int] | None) -> tuple[FollowUp, Lead]:
    follow_up, lead = locks.visible_follow_up(by, follow_up_id)
    policy.require_write_follow_up(by, follow_up)
    locks.require_version(follow_up, versions)
    if not follow_up.is_open:
        raise errors.FollowUpClosed
    return follow_up, lead


def _own_open_follow_up(by: User, follow_up_id: int) -> tuple[FollowUp, Lead]:
    follow_up, lead = locks.visible_follow_up(by, follow_up_id)
    if follow_up.assigned_to_id != by.pk:
        raise errors.NotYourFollowUp
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


def _record_outcome(
    follow_up: FollowUp, lead: Lead, by: User, outcome: str, notes: str, no_next_reason: str
) -> Activity:
    labels = FollowUp.Type(follow_up.follow_up_type).label, FollowUp.Outcome(outcome).label.lower()
    activity = activities.write(
        lead=lead,
        by=by,
        activity_type=follow_up.follow_up_type,
        direction=Activity.Direction.OUTBOUND,
        description=f"{labels[0]} follow-up completed: {labels[1]}",
        notes=notes,
        data={"outcome": outcome},
        follow_up=follow_up,
    )
    follow_up.completed, follow_up.completed_at, follow_up.completed_by = True, activity.occurred_at, by
    follow_up.outcome, follow_up.outcome_notes, follow_up.no_next_reason = outcome, notes, no_next_reason
    follow_up.activity = activity
    _save(follow_up)
    return activity


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
