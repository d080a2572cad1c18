"""Writing follow-ups inside a caller's transaction, which has checked the permissions.

All services that plan, change or end follow-ups use these functions, so due times, reminders and a lead's next date are
computed in one place.
"""

from collections.abc import Collection
from datetime import date, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Case, F, Min, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, JSONObject, NullIf, Substr
from django.utils import timezone

from athena.accounts.models import User
from athena.db import FormatDate
from athena.db.bulk import IdIn, update_each
from athena.formatting import format_date, format_datetime
from sales import schedule
from sales.models import FollowUp, Lead
from sales.services.follow_ups import change_history

_CLOCK = Substr(Cast("scheduled_time", TextField()), 1, 5)  # hh:mm

EARLIEST_DUE = Subquery(
    FollowUp.objects.open()
    .filter(lead=OuterRef("pk"))
    .order_by()
    .values("lead")
    .annotate(earliest=Min("due_at"))
    .values("earliest")
)


# What `build_context` returns, as an SQL expression: thousands of reminders are due at the same hour.
CONTEXT_EXPRESSION = JSONObject(
    follow_up_id="pk",
    follow_up_type="follow_up_type",
    scheduled_date=Cast("scheduled_date", TextField()),
    scheduled_time=_CLOCK,
    when=Case(
        When(scheduled_time=None, then=FormatDate("scheduled_date")),
        default=Concat(FormatDate("scheduled_date"), Value(", "), _CLOCK, output_field=TextField()),
    ),
    notes="notes",
    lead_id="lead_id",
    lead_name=Coalesce(NullIf("lead__company_name", Value("")), "lead__contact_name"),
    phone="lead__phone",
    email="lead__email",
)


def plan_follow_up(
    *,
    lead: Lead,
    by: User | None,
    assignee: User,
    follow_up_type: str,
    scheduled_date: date,
    scheduled_time: time | None,
    notes: str,
) -> FollowUp:
    """Create an open follow-up. The caller refreshes the lead's next date."""
    follow_up = FollowUp(
        lead=lead,
        created_by=by,
        assigned_to=assignee,
        follow_up_type=follow_up_type,
        scheduled_date=scheduled_date,
        scheduled_time=scheduled_time,
        first_scheduled_date=scheduled_date,
        notes=notes,
    )
    follow_up.planned = change_history.take_snapshot(follow_up)
    set_due_times(follow_up, planned_at=timezone.now())
    follow_up.save()
    return follow_up


def set_due_times(follow_up: FollowUp, *, planned_at: datetime) -> None:
    """Compute, for a new plan, when it is due, when its assignee is reminded, and whether it was late when planned."""
    assignee, day, clock = follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time
    follow_up.due_at = schedule.get_due_at(assignee, day, clock)
    follow_up.late_when_planned = day < planned_at.astimezone(assignee.zone).date()
    _set_reminder(follow_up, schedule.get_remind_at(assignee, day, clock, timezone.now()))


def update_due_times(follow_up: FollowUp) -> None:
    """Compute again when a follow-up is due, because its assignee's time zone or lead time has changed.

    It is no new plan: the plan's reminder moves only while it is unsent and the day is not over.
    """
    assignee, day, clock = follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time
    follow_up.due_at = schedule.get_due_at(assignee, day, clock)
    is_unsent = not follow_up.reminder_sent if follow_up.snoozed_until is None else follow_up.plan_remind_at is not None
    remind_at = schedule.get_remind_at(assignee, day, clock, timezone.now())
    if is_unsent and remind_at is not None and not follow_up.late_when_planned:
        _set_reminder(follow_up, remind_at)


def rearm_reminder(follow_up: FollowUp, *, has_new_day: bool, has_new_assignee: bool) -> None:
    """Start a new plan, because the date, the time or the assignee is new: compute due times and end a snooze.

    The reminder is sent (again). If the date stays, so does its lateness: an overdue notice goes to a new assignee, and
    managers are not notified again.
    """
    was_late, old_no = follow_up.late_when_planned, follow_up.reminder_no
    follow_up.snoozed_until = follow_up.plan_remind_at = None
    set_due_times(follow_up, planned_at=timezone.now())
    follow_up.reminder_no += 1
    follow_up.snooze_no += 1
    follow_up.reminder_sent = False
    if has_new_day:
        return
    follow_up.late_when_planned &= was_late
    if follow_up.escalated_no == old_no:
        follow_up.escalated_no = follow_up.reminder_no
    if follow_up.overdue_no == old_no and not has_new_assignee:
        follow_up.overdue_no = follow_up.reminder_no


def set_snooze(follow_up: FollowUp, until: datetime) -> None:
    """Set a reminder at `until`. The plan's own reminder, if unsent, still comes, unless `until` is later."""
    if follow_up.snoozed_until is None and not follow_up.reminder_sent:
        follow_up.plan_remind_at = follow_up.remind_at
    follow_up.remind_at = follow_up.snoozed_until = until
    follow_up.snooze_no += 1
    follow_up.reminder_sent = False


def _set_reminder(follow_up: FollowUp, remind_at: datetime | None) -> None:
    """Set the plan's own reminder. A snooze stays, and comes before it or in its place."""
    if follow_up.snoozed_until is None:
        follow_up.remind_at = remind_at
    else:
        follow_up.remind_at, follow_up.plan_remind_at = follow_up.snoozed_until, remind_at


class Reassignment(NamedTuple):
    """An open follow-up that gets a new assignee, `to`."""

    follow_up_id: int
    lead_id: int
    scheduled_date: date
    scheduled_time: time | None
    from_id: int
    to: User


def reassign(reassignments: Collection[Reassignment], *, by_id: int | None) -> None:
    """Give many open follow-ups new assignees, with the effects of `rearm_reminder`, and record it. Four statements."""
    now = timezone.now()
    change_history.record_reassignments({item.follow_up_id: item.to for item in reassignments}, by_id=by_id, at=now)
    times: dict[tuple[int, date, time | None], tuple[datetime, datetime | None]] = {}
    values = {}
    for item in reassignments:
        day, clock = item.scheduled_date, item.scheduled_time
        key = (item.to.pk, day, clock)
        if key not in times:
            times[key] = schedule.get_due_at(item.to, day, clock), schedule.get_remind_at(item.to, day, clock, now)
        values[item.follow_up_id] = (item.to.pk, *times[key])
    update_each(
        FollowUp,
        ("assigned_to", "due_at", "remind_at"),
        values,
        shared={"reminder_sent": False, "snoozed_until": None, "plan_remind_at": None, "updated_at": now},
        incremented=("reminder_no", "snooze_no", "version"),
    )
    is_ahead, was_escalated = Q(remind_at__isnull=False), Q(escalated_no=F("reminder_no") - 1)
    is_changed = Q(late_when_planned=True) & is_ahead | was_escalated
    FollowUp.objects.filter(is_changed, IdIn("pk", values)).update(
        late_when_planned=Case(When(is_ahead, then=False), default=F("late_when_planned")),
        escalated_no=Case(When(was_escalated, then=F("reminder_no")), default=F("escalated_no")),
    )


def cancel_open_follow_ups(leads: "QuerySet[Lead]", *, reason: str, by: User | None) -> None:
    """Cancel the open follow-ups of these (locked) leads. The caller refreshes the leads' next dates."""
    now = timezone.now()
    FollowUp.objects.open().filter(lead__in=leads.order_by().values("pk")).update(
        cancelled_at=now, cancelled_by=by, cancel_reason=reason, version=F("version") + 1, updated_at=now
    )


def refresh_next_dates(leads: "QuerySet[Lead]") -> None:
    """Set each lead's `next_follow_up_date` to the earliest `due_at` of its open follow-ups, in one statement."""
    leads.order_by().update(next_follow_up_date=EARLIEST_DUE)


def find_warnings(follow_up: FollowUp | None) -> list[dict[str, str]]:
    """Warnings about a follow-up that was just planned, each with a code and a message. None has none."""
    pickup = follow_up.lead.pickup_at if follow_up is not None else None
    if follow_up is None or pickup is None:
        return []
    pickup_date = pickup.astimezone(schedule.company_zone()).date()
    if follow_up.scheduled_date <= pickup_date:
        return []
    message = f"The follow-up is after the pickup, which is on {format_date(pickup_date)}."
    return [{"code": "after_pickup", "message": message}]


def build_context(follow_up: FollowUp, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """The context of a notification about a follow-up whose lead is loaded.

    `when` is on the clock of `zone`, the recipient's time zone, or else on the assignee's clock.
    """
    lead = follow_up.lead
    return {
        "follow_up_id": follow_up.pk,
        "follow_up_type": follow_up.follow_up_type,
        "scheduled_date": follow_up.scheduled_date.isoformat(),
        "scheduled_time": follow_up.scheduled_time.strftime("%H:%M") if follow_up.scheduled_time else None,
        "when": _format_due(follow_up, zone),
        "notes": follow_up.notes,
        "lead_id": lead.pk,
        "lead_name": str(lead),
        "phone": lead.phone,
        "email": lead.email,
    }


def _format_due(follow_up: FollowUp, zone: ZoneInfo | None) -> str:
    if zone is not None and follow_up.scheduled_time is not None:
        due = schedule.get_due_at(follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time)
        return format_datetime(due, zone)
    day = format_date(follow_up.scheduled_date)
    return f"{day}, {follow_up.scheduled_time:%H:%M}" if follow_up.scheduled_time else day
