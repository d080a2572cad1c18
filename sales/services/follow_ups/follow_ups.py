"""The verbs of follow-ups: plan, change, snooze, cancel and complete one."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from athena.accounts.models import User, local_today
from notifications import outbox
from sales import errors, policy
from sales.models import Activity, FollowUp, Lead
from sales.services import activities, locks
from sales.services.follow_ups import cadences, change_history, completion, planning
from sales.services.follow_ups.completion import CompletionInput
from sales.services.leads import leads, sale_progress
from sales.services.scoring import scores

MAX_SNOOZE = timedelta(days=30)
WRITABLE = ("follow_up_type", "scheduled_date", "scheduled_time", "notes", "assigned_to")


@dataclass(frozen=True)
class CompletionResult:
    """The completed follow-up, and the one that was planned next."""

    follow_up: FollowUp
    next_follow_up: FollowUp | None

    @property
    def next_follow_up_id(self) -> int | None:
        return self.next_follow_up.pk if self.next_follow_up else None


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
    """Plan a follow-up for `by`, or for another active user (`assigned_to`, an id) if `by` is a manager.

    `scheduled_date` and `scheduled_time` are on the assignee's clock. A past date is allowed, to record a missed call,
    and gets no reminder. Raises `NotFound`, `NotYourLead`, `LeadClosed`, `ReceiverNotAllowed`, `Invalid`.
    """
    lead = locks.lock_visible_lead(by, lead_id)
    policy.check_may_change_lead(by, lead)
    if not lead.is_open:
        raise errors.LeadClosed
    follow_up = planning.plan_follow_up(
        lead=lead,
        by=by,
        assignee=_find_assignee(by, by.pk if assigned_to is None and by is not None else assigned_to),
        follow_up_type=follow_up_type,
        scheduled_date=scheduled_date,
        scheduled_time=scheduled_time,
        notes=notes,
    )
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    _notify_assignee(follow_up, by)
    return follow_up


@transaction.atomic
def update(
    *, by: User | None, follow_up_id: int, changes: Mapping[str, Any], versions: Container[int] | None = None
) -> FollowUp:
    """Change an open follow-up; only managers change its assignee. A new date, time or assignee brings a new reminder.

    `changes` has keys from `WRITABLE`; `assigned_to` is an id. Raises `NotFound`, `NotYourFollowUp`, `StaleVersion`
    (its version is not in `versions`), `FollowUpClosed`, `NotAllowed`, `ReceiverNotAllowed`, `Invalid`.
    """
    follow_up, lead = _lock_open_follow_up(by, follow_up_id, versions)
    unknown = set(changes) - set(WRITABLE)
    if unknown:
        raise errors.Invalid(dict.fromkeys(sorted(unknown), "This can't be changed."))
    old_plan = change_history.keep_first_plan(follow_up)
    old_day, old_time, old_assignee = _get_schedule(follow_up)
    if "assigned_to" in changes and changes["assigned_to"] != follow_up.assigned_to_id:
        policy.check_is_manager(by)
        follow_up.assigned_to = _find_assignee(by, changes["assigned_to"])
    for name in changes.keys() - {"assigned_to"}:
        setattr(follow_up, name, changes[name])
    day, clock, assignee = _get_schedule(follow_up)
    if (day, clock, assignee) != (old_day, old_time, old_assignee):
        planning.rearm_reminder(follow_up, has_new_day=day != old_day, has_new_assignee=assignee != old_assignee)
    _save(follow_up)
    change_history.record_change(follow_up, old_plan, by=by, at=follow_up.updated_at)
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    if assignee != old_assignee:
        _notify_assignee(follow_up, by)
    return follow_up


@transaction.atomic
def snooze(*, by: User | None, follow_up_id: int, until: datetime) -> FollowUp:
    """Remind the assignee (again) at `until`, an instant within the next 30 days.

    The scheduled date stays, and overdue notices that were sent are not sent again. A reminder that is still to come
    comes at its time, unless `until` is later. Raises `NotFound`, `NotYourFollowUp`, `FollowUpClosed`, `Invalid`.
    """
    follow_up, _ = _lock_open_follow_up(by, follow_up_id, None)
    now = timezone.now()
    if not now < until <= now + MAX_SNOOZE:
        raise errors.Invalid({"until": "Choose a time within the next 30 days."})
    planning.set_snooze(follow_up, until)
    _save(follow_up)
    return follow_up


@transaction.atomic
def cancel(*, by: User | None, follow_up_id: int, reason: str = "", versions: Container[int] | None = None) -> FollowUp:
    """Cancel an open follow-up. It stays in the lead's timeline; if it is a cadence's step, the cadence stops.

    Raises `NotFound`, `NotYourFollowUp`, `StaleVersion`, `FollowUpClosed`.
    """
    follow_up, lead = _lock_open_follow_up(by, follow_up_id, versions)
    follow_up.cancelled_at, follow_up.cancelled_by, follow_up.cancel_reason = timezone.now(), by, reason
    _save(follow_up)
    cadences.stop_at_follow_up(follow_up, reason="Its step was canceled")
    planning.refresh_next_dates(Lead.objects.filter(pk=lead.pk))
    return follow_up


@transaction.atomic
def complete(*, by: User, follow_up_id: int, completion_input: CompletionInput) -> CompletionResult:
    """Record the outcome of a follow-up, and what happens next: another one, the end of the lead, or nothing.

    Only the assignee completes. Writes the activity, moves the lead's status forward as the activity implies, and
    rescores the lead. Completing a cadence's step plans the next step, unless the input says what happens instead.
    Raises `NotFound`, `NotYourFollowUp`, `FollowUpClosed`, `LeadClosed`, `Invalid`; `NotYourLead` for closing somebody
    else's lead.
    """
    completion_input.check(today=local_today(by))
    follow_up, lead = locks.lock_visible_follow_up(by, follow_up_id)
    policy.check_may_complete_follow_up(by, follow_up)
    if not follow_up.is_open:
        raise errors.FollowUpClosed
    if completion_input.schedule_next and not lead.is_open:
        raise errors.LeadClosed
    quote_data = sale_progress.build_quote_data(
        follow_up.follow_up_type, completion_input.amount, completion_input.valid_until
    )
    activity = completion.record_outcome(follow_up, by, completion_input, quote_data)
    _save(follow_up)
    step = None
    if not completion_input.close:
        step = cadences.find_next_or_stop(follow_up, stop_reason=completion_input.no_next_reason)
    next_follow_up = None
    if completion_input.schedule_next or step is not None:
        next_follow_up = completion.plan_next(follow_up, by, completion_input, step)
        _notify_assignee(next_follow_up, by)
    _apply_completion_to_lead(lead, activity, by)
    if completion_input.close:
        policy.check_may_change_lead(by, lead)
        lead.refresh_from_db()
        leads.apply_changes(lead, by=by, changes=completion_input.lead_changes)
    return CompletionResult(follow_up, next_follow_up)


def _apply_completion_to_lead(lead: Lead, activity: Activity, by: User) -> None:
    """Update the (locked) lead's dates, counts, status and score from the activity of a completed follow-up."""
    activities.apply_to_lead(
        lead,
        activity,
        last_follow_up_date=activity.occurred_at,
        follow_up_count=F("follow_up_count") + 1,
        next_follow_up_date=planning.EARLIEST_DUE,
    )
    scores.rescore(lead_ids=[lead.pk], by=by, reason=f"Activity: {activity}", activity_id=activity.pk)


def _lock_open_follow_up(by: User | None, follow_up_id: int, versions: Container[int] | None) -> tuple[FollowUp, Lead]:
    """Lock a follow-up that `by` may change, and its lead first."""
    follow_up, lead = locks.lock_visible_follow_up(by, follow_up_id)
    policy.check_may_change_follow_up(by, follow_up)
    locks.require_version(follow_up, versions)
    if not follow_up.is_open:
        raise errors.FollowUpClosed
    return follow_up, lead


def _get_schedule(follow_up: FollowUp) -> tuple[date, time | None, int]:
    return follow_up.scheduled_date, follow_up.scheduled_time, follow_up.assigned_to_id


def _find_assignee(by: User | None, user_id: int | None) -> User:
    """The active user with this id, if `by` may plan for them. Raises `Invalid`, `ReceiverNotAllowed`."""
    assignee = User.objects.filter(pk=user_id).first() if user_id is not None else None
    if assignee is None:
        raise errors.Invalid({"assigned_to": "There is no such user."})
    if by is not None and assignee.pk != by.pk and not policy.is_manager(by):
        raise errors.ReceiverNotAllowed("Only a manager plans follow-ups for others.")
    if not assignee.is_active:
        raise errors.Invalid({"assigned_to": "This user is not active."})
    return assignee


def _save(follow_up: FollowUp) -> None:
    """Save a changed (locked) follow-up under a new version."""
    follow_up.version += 1
    follow_up.updated_at = timezone.now()
    follow_up.save()


def _notify_assignee(follow_up: FollowUp, by: User | None) -> None:
    """Notify the assignee of a follow-up that somebody else has given them, once for each time it is given."""
    if by is not None and follow_up.assigned_to_id == by.pk:
        return
    outbox.add(
        kind="follow_up_reassigned",
        recipient_id=follow_up.assigned_to_id,
        dedupe_key=f"reassigned:{follow_up.pk}:{follow_up.reminder_no}",
        context=planning.build_context(follow_up) | {"by_name": str(by) if by else "Athena"},
    )
