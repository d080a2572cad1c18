"""Messages about follow-ups that are no longer true when they come to be sent."""

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

GONE = "The follow-up is gone."
COMPLETED, CANCELLED = "The follow-up was completed.", "The follow-up was cancelled."
MOVED, REASSIGNED = "The follow-up was moved, or snoozed again.", "The follow-up was given to somebody else."
SNOOZE = "snooze:"  # how the keys of snoozes begin


def find_stale_reminders(notifications: Collection[PendingNotification]) -> Reasons:
    """A reminder is true until the day of its plan is over, a snooze's until the next one."""

    def reason(told: PendingNotification, follow_up: FollowUp) -> str:
        is_over = follow_up.scheduled_date < local_today(told.recipient) and not told.dedupe_key.startswith(SNOOZE)
        return _not_assigned(told, follow_up) or (DAY_OVER if is_over else "")

    return _judge(notifications, reason)


def find_stale_overdue_notices(notifications: Collection[PendingNotification]) -> Reasons:
    def reason(told: PendingNotification, follow_up: FollowUp) -> str:
        is_over = follow_up.scheduled_date < local_today(told.recipient)
        return _not_assigned(told, follow_up) or ("" if is_over else "Its day is not over.")

    return _judge(notifications, reason)


def find_stale_reassignments(notifications: Collection[PendingNotification]) -> Reasons:
    return _judge(notifications, _not_assigned)


def find_stale_escalations(notifications: Collection[PendingNotification]) -> Reasons:
    return _judge(notifications, lambda told, follow_up: "", by_managers=True)


def find_stale_handovers(notifications: Collection[PendingNotification]) -> Reasons:
    """Follow-ups that came with a batch: at least one of them is still open and the recipient's."""
    parts = {told.pk: told.dedupe_key.split(":") for told in notifications}
    batches = {pk: int(each[1]) for pk, each in parts.items() if len(each) == 3 and each[1].isdecimal()}
    moved = MovedFollowUp.objects.filter(batch__in=batches.values(), follow_up__in=FollowUp.objects.open().order_by())
    held = set(moved.order_by().values_list("batch", "follow_up__assigned_to"))
    return {
        told.pk: "None of the follow-ups is open and theirs."
        for told in notifications
        if told.pk in batches and (batches[told.pk], told.recipient.pk) not in held
    }


def _judge(
    notifications: Collection[PendingNotification],
    reason: Callable[[PendingNotification, FollowUp], str],
    *,
    by_managers: bool = False,
) -> Reasons:
    """`reason` is asked of what is open."""
    plans = {told.pk: _plans(told) for told in notifications}
    keys = {key for numbers in plans.values() for key in numbers}
    rows = {row.pk: row for row in FollowUp.objects.select_related("lead").filter(IdIn("pk", keys))}
    lead_ids = {row.lead_id for row in rows.values()}
    readers = find_leads_visible_to_managers(notifications, lead_ids) if by_managers else None

    def why_not(told: PendingNotification, key: int) -> str:
        row = rows.get(key)
        if row is None:
            return GONE
        if not row.is_open:
            return COMPLETED if row.completed else CANCELLED
        number = row.snooze_no if told.dedupe_key.startswith(SNOOZE) else row.reminder_no
        is_same_plan = number == plans[told.pk][key]
        closed = "" if row.lead.is_open else CLOSED
        return explain_hidden(told, row.lead, readers) or closed or reason(told, row) or ("" if is_same_plan else MOVED)

    return find_stale(notifications, plans, why_not, ("follow_ups", "follow_up_id"))


def _plans(told: PendingNotification) -> dict[int, int]:
    """The follow-ups that it tells of, each with the number of its plan (or snooze): listed, or in its own key."""
    listed = {item["follow_up_id"]: item["reminder_no"] for item in get_listed_items(told, "follow_ups")}
    listed |= dict(get_unlisted_keys(told))
    parts = told.dedupe_key.split(":")[1:3]
    is_numbered = len(parts) == 2 and all(part.isdecimal() for part in parts)
    return listed or ({int(parts[0]): int(parts[1])} if is_numbered else {})


def _not_assigned(told: PendingNotification, follow_up: FollowUp) -> str:
    return "" if follow_up.assigned_to_id == told.recipient.pk else REASSIGNED
