"""Staleness rules of the notifications about follow-ups."""

from collections.abc import Callable, Collection

from athena.accounts.models import local_today
from athena.db.bulk import IdIn
from notifications.kinds import PendingNotification
from sales.models import FollowUp, MovedFollowUp
from sales.queries.stale_messages.stale_messages import (
    CLOSED,
    DAY_OVER,
    Reasons,
    explain_hidden,
    find_leads_visible_to_managers,
    find_stale,
    get_listed_items,
    get_unlisted_keys,
)

DELETED = "The follow-up no longer exists."
COMPLETED, CANCELED = "The follow-up was completed.", "The follow-up was canceled."
RESCHEDULED = "The follow-up was rescheduled or snoozed again."
REASSIGNED = "The follow-up was assigned to somebody else."
NOT_OVERDUE = "The follow-up is not overdue."
NONE_LEFT = "None of the follow-ups is open and assigned to the recipient."
SNOOZE_PREFIX = "snooze:"  # of the dedupe keys of snoozes


def find_stale_reminders(notifications: Collection[PendingNotification]) -> Reasons:
    """A reminder is true until the follow-up's day is over; a snoozed one until the next snooze."""
    return _find_stale(notifications, _explain_reminder)


def find_stale_overdue_notices(notifications: Collection[PendingNotification]) -> Reasons:
    """An overdue notice is true while the follow-up is overdue and the recipient's."""
    return _find_stale(notifications, _explain_not_overdue)


def find_stale_reassignments(notifications: Collection[PendingNotification]) -> Reasons:
    """A follow-up assigned to the recipient is news while it is the recipient's."""
    return _find_stale(notifications, _explain_reassigned)


def find_stale_escalations(notifications: Collection[PendingNotification]) -> Reasons:
    """An escalation is true while the follow-up is open and the manager may see its lead."""
    return _find_stale(notifications, _explain_nothing, for_managers=True)


def find_stale_handovers(notifications: Collection[PendingNotification]) -> Reasons:
    """A handover is news while at least one of its follow-ups is open and the recipient's."""
    parts = {row.pk: row.dedupe_key.split(":") for row in notifications}
    batches = {pk: int(part[1]) for pk, part in parts.items() if len(part) == 3 and part[1].isdecimal()}
    moved = MovedFollowUp.objects.filter(batch__in=batches.values(), follow_up__in=FollowUp.objects.open().order_by())
    held = set(moved.order_by().values_list("batch", "follow_up__assigned_to"))
    return {
        row.pk: NONE_LEFT
        for row in notifications
        if row.pk in batches and (batches[row.pk], row.recipient.pk) not in held
    }


def _find_stale(
    notifications: Collection[PendingNotification],
    explain: Callable[[PendingNotification, FollowUp], str],
    *,
    for_managers: bool = False,
) -> Reasons:
    """`explain` is called with open follow-ups only."""
    plans = {row.pk: _get_plan_numbers(row) for row in notifications}
    keys = {key for numbers in plans.values() for key in numbers}
    follow_ups = {row.pk: row for row in FollowUp.objects.select_related("lead").filter(IdIn("pk", keys))}
    lead_ids = {follow_up.lead_id for follow_up in follow_ups.values()}
    visible = find_leads_visible_to_managers(notifications, lead_ids) if for_managers else None

    def explain_by_id(row: PendingNotification, follow_up_id: int) -> str:
        follow_up = follow_ups.get(follow_up_id)
        if follow_up is None:
            return DELETED
        if not follow_up.is_open:
            return COMPLETED if follow_up.completed else CANCELED
        number = follow_up.snooze_no if row.dedupe_key.startswith(SNOOZE_PREFIX) else follow_up.reminder_no
        is_same_plan = number == plans[row.pk][follow_up_id]
        closed = "" if follow_up.lead.is_open else CLOSED
        return (
            explain_hidden(row, follow_up.lead, visible)
            or closed
            or explain(row, follow_up)
            or ("" if is_same_plan else RESCHEDULED)
        )

    return find_stale(notifications, plans, explain_by_id, ("follow_ups", "follow_up_id"))


def _get_plan_numbers(row: PendingNotification) -> dict[int, int]:
    """Return, by follow-up, the number of its plan (or snooze) when the notification was written.

    They are in the context's lists, or for a single follow-up in the dedupe key.
    """
    numbers = {item["follow_up_id"]: item["reminder_no"] for item in get_listed_items(row, "follow_ups")}
    numbers |= dict(get_unlisted_keys(row))
    parts = row.dedupe_key.split(":")[1:3]
    is_numbered = len(parts) == 2 and all(part.isdecimal() for part in parts)
    return numbers or ({int(parts[0]): int(parts[1])} if is_numbered else {})


def _explain_nothing(row: PendingNotification, follow_up: FollowUp) -> str:
    return ""


def _explain_reassigned(row: PendingNotification, follow_up: FollowUp) -> str:
    return "" if follow_up.assigned_to_id == row.recipient.pk else REASSIGNED


def _explain_reminder(row: PendingNotification, follow_up: FollowUp) -> str:
    is_day_over = follow_up.scheduled_date < local_today(row.recipient)
    is_snooze = row.dedupe_key.startswith(SNOOZE_PREFIX)
    return _explain_reassigned(row, follow_up) or (DAY_OVER if is_day_over and not is_snooze else "")


def _explain_not_overdue(row: PendingNotification, follow_up: FollowUp) -> str:
    is_overdue = follow_up.scheduled_date < local_today(row.recipient)
    return _explain_reassigned(row, follow_up) or ("" if is_overdue else NOT_OVERDUE)
