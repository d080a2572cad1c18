"""The rows of follow-ups, inside somebody's transaction: no rights are asked here.

Every service that plans, moves or ends follow-ups is made of these pieces, so that due times, reminders and a lead's
next date are worked out in one place.
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


# What `told` says, worked out where the rows lie: thousands of reminders come due at the same hour.
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
    """A new open follow-up. The lead's next date is the caller's to refresh."""
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
    """Work out for a new plan when it is due, when its assignee is reminded, and whether it was late when planned."""
    assignee, day, clock = follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time
    follow_up.due_at = schedule.get_due_at(assignee, day, clock)
    follow_up.late_when_planned = day < planned_at.astimezone(assignee.zone).date()
    _set_reminder(follow_up, schedule.get_remind_at(assignee, day, clock, timezone.now()))


def update_due_times(follow_up: FollowUp) -> None:
    """Work out anew when it is due: its assignee has another zone or lead time, but it is no new plan.

    The plan's own reminder moves along while it is unsent. Where the day is over by now it stays as it was.
    """
    assignee, day, clock = follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time
    follow_up.due_at = schedule.get_due_at(assignee, day, clock)
    is_unsent = not follow_up.reminder_sent if follow_up.snoozed_until is None else follow_up.plan_remind_at is not None
    moment = schedule.get_remind_at(assignee, day, clock, timezone.now())
    if is_unsent and moment is not None and not follow_up.late_when_planned:
        _set_reminder(follow_up, moment)


def rearm_reminder(follow_up: FollowUp, *, has_new_day: bool, has_new_assignee: bool) -> None:
    """As `set_due`, and the reminder is sent (again): it has a new day, time or assignee. A snooze ends.

    While the day stays, it is as late as it was: that it is overdue is told to a new assignee, and not to managers
    again.
    """
    was_late, was_no = follow_up.late_when_planned, follow_up.reminder_no
    follow_up.snoozed_until = follow_up.plan_remind_at = None
    set_due_times(follow_up, planned_at=timezone.now())
    follow_up.reminder_no += 1
    follow_up.snooze_no += 1
    follow_up.reminder_sent = False
    if has_new_day:
        return
    follow_up.late_when_planned &= was_late
    if follow_up.escalated_no == was_no:
        follow_up.escalated_no = follow_up.reminder_no
    if follow_up.overdue_no == was_no and not has_new_assignee:
        follow_up.overdue_no = follow_up.reminder_no


def set_snooze(follow_up: FollowUp, until: datetime) -> None:
    """Remind at `until`. The plan's own reminder, while unsent, still comes at its time unless `until` is later."""
    if follow_up.snoozed_until is None and not follow_up.reminder_sent:
        follow_up.plan_remind_at = follow_up.remind_at
    follow_up.remind_at = follow_up.snoozed_until = until
    follow_up.snooze_no += 1
    follow_up.reminder_sent = False


def _set_reminder(follow_up: FollowUp, moment: datetime | None) -> None:
    """Set the plan's own reminder; one that was snoozed comes at `snoozed_until` before it, or in its place."""
    if follow_up.snoozed_until is None:
        follow_up.remind_at = moment
    else:
        follow_up.remind_at, follow_up.plan_remind_at = follow_up.snoozed_until, moment


class Reassignment(NamedTuple):
    """An open follow-up that goes from one person to another."""

    follow_up_id: int
    lead_id: int
    scheduled_date: date
    scheduled_time: time | None
    from_id: int
    to: User


def reassign(reassignments: Collection[Reassignment], *, by_id: int | None) -> None:
    """Give open follow-ups to somebody else, as `rearm` does; `by_id` is who does it.

    Four statements, with the records of it.
    """
    now = timezone.now()
    change_history.record_reassignments({each.follow_up_id: each.to for each in reassignments}, by_id=by_id, at=now)
    moments: dict[Any, tuple[Any, ...]] = {}
    values = {}
    for each in reassignments:
        whose, day, clock = when = each.to.id, each.scheduled_date, each.scheduled_time
        if when not in moments:
            moments[when] = (
                whose,
                schedule.get_due_at(each.to, day, clock),
                schedule.get_remind_at(each.to, day, clock, now),
            )
        values[each.follow_up_id] = moments[when]
    update_each(
        FollowUp,
        ("assigned_to", "due_at", "remind_at"),
        values,
        shared={"reminder_sent": False, "snoozed_until": None, "plan_remind_at": None, "updated_at": now},
        incremented=("reminder_no", "snooze_no", "version"),
    )
    is_ahead, was_escalated = Q(remind_at__isnull=False), Q(escalated_no=F("reminder_no") - 1)
    changing = Q(late_when_planned=True) & is_ahead | was_escalated
    FollowUp.objects.filter(changing, IdIn("pk", values)).update(
        late_when_planned=Case(When(is_ahead, then=False), default=F("late_when_planned")),
        escalated_no=Case(When(was_escalated, then=F("reminder_no")), default=F("escalated_no")),
    )


def cancel_open_follow_ups(leads: "QuerySet[Lead]", *, reason: str, by: User | None) -> None:
    """Cancel every open follow-up of these (locked) leads; their next date is the caller's to refresh."""
    now = timezone.now()
    FollowUp.objects.open().filter(lead__in=leads.order_by().values("pk")).update(
        cancelled_at=now, cancelled_by=by, cancel_reason=reason, version=F("version") + 1, updated_at=now
    )


def refresh_next_dates(leads: "QuerySet[Lead]") -> None:
    """Set each lead's `next_follow_up_date` to the earliest `due_at` of its open follow-ups, in one statement."""
    leads.order_by().update(next_follow_up_date=EARLIEST_DUE)


def find_warnings(follow_up: FollowUp | None) -> list[dict[str, str]]:
    """What whoever planned this open follow-up should know; it is planned all the same."""
    pickup = follow_up.lead.pickup_at if follow_up is not None else None
    if follow_up is None or pickup is None:
        return []
    day = pickup.astimezone(schedule.company_zone()).date()
    if follow_up.scheduled_date <= day:
        return []
    return [{"code": "after_pickup", "message": f"The trip begins before that, on {format_date(day)}."}]


def build_context(follow_up: FollowUp, zone: ZoneInfo | None = None) -> dict[str, Any]:
    """What a notification about this follow-up says (its lead is loaded): when it is due on the clock of `zone`, where
    the reader is, or else on the assignee's."""
    lead = follow_up.lead
    return {
        "follow_up_id": follow_up.pk,
        "follow_up_type": follow_up.follow_up_type,
        "scheduled_date": follow_up.scheduled_date.isoformat(),
        "scheduled_time": follow_up.scheduled_time.strftime("%H:%M") if follow_up.scheduled_time else None,
        "when": _when(follow_up, zone),
        "notes": follow_up.notes,
        "lead_id": lead.pk,
        "lead_name": str(lead),
        "phone": lead.phone,
        "email": lead.email,
    }


def _when(follow_up: FollowUp, zone: ZoneInfo | None) -> str:
    """The day, and the time if it has one, as people say it."""
    if zone is not None and follow_up.scheduled_time is not None:
        due = schedule.get_due_at(follow_up.assigned_to, follow_up.scheduled_date, follow_up.scheduled_time)
        return format_datetime(due, zone)
    day = format_date(follow_up.scheduled_date)
    return f"{day}, {follow_up.scheduled_time:%H:%M}" if follow_up.scheduled_time else day
