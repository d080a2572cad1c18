"""Messages about follow-ups that are no longer true when they come to be sent."""

from collections.abc import Callable, Collection

from athena.accounts.models import local_today
from athena.db.bulk import AmongKeys
from notifications.kinds import Told
from sales.models import FollowUp, MovedFollowUp
from sales.queries.stale_messages.stale_messages import (
    CLOSED,
    DAY_OVER,
    Reasons,
    items,
    judge,
    managers_of,
    unlisted,
    unseen,
)

GONE = "The follow-up is gone."
COMPLETED, CANCELLED = "The follow-up was completed.", "The follow-up was cancelled."
MOVED, REASSIGNED = "The follow-up was moved, or snoozed again.", "The follow-up was given to somebody else."
SNOOZE = "snooze:"  # how the keys of snoozes begin


def due(notifications: Collection[Told]) -> Reasons:
    """A reminder is true until the day of its plan is over, a snooze's until the next one."""

    def reason(told: Told, follow_up: FollowUp) -> str:
        is_over = follow_up.scheduled_date < local_today(told.recipient) and not told.dedupe_key.startswith(SNOOZE)
        return _not_assigned(told, follow_up) or (DAY_OVER if is_over else "")

    return _judge(notifications, reason)


def overdue(notifications: Collection[Told]) -> Reasons:
    def reason(told: Told, follow_up: FollowUp) -> str:
        is_over = follow_up.scheduled_date < local_today(told.recipient)
        return _not_assigned(told, follow_up) or ("" if is_over else "Its day is not over.")

    return _judge(notifications, reason)


def reassigned(notifications: Collection[Told]) -> Reasons:
    return _judge(notifications, _not_assigned)


def escalated(notifications: Collection[Told]) -> Reasons:
    return _judge(notifications, lambda told, follow_up: "", by_managers=True)


def handed_over(notifications: Collection[Told]) -> Reasons:
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
    notifications: Collection[Told], reason: Callable[[Told, FollowUp], str], *, by_managers: bool = False
) -> Reasons:
    """`reason` is asked of what is open."""
    plans = {told.pk: _plans(told) for told in notifications}
    keys = {key for numbers in plans.values() for key in numbers}
    rows = {row.pk: row for row in FollowUp.objects.select_related("lead").filter(AmongKeys("pk", keys))}
    readers = managers_of(notifications, {row.lead_id for row in rows.values()}) if by_managers else None

    def why_not(told: Told, key: int) -> str:
        row = rows.get(key)
        if row is None:
            return GONE
        if not row.is_open:
            return COMPLETED if row.completed else CANCELLED
        number = row.snooze_no if told.dedupe_key.startswith(SNOOZE) else row.reminder_no
        is_same_plan = number == plans[told.pk][key]
        closed = "" if row.lead.is_open else CLOSED
        return unseen(told, row.lead, readers) or closed or reason(told, row) or ("" if is_same_plan else MOVED)

    return judge(notifications, plans, why_not, ("follow_ups", "follow_up_id"))


def _plans(told: Told) -> dict[int, int]:
    """The follow-ups that it tells of, each with the number of its plan (or snooze): listed, or in its own key."""
    listed = {item["follow_up_id"]: item["reminder_no"] for item in items(told, "follow_ups")}
    listed |= dict(unlisted(told))
    parts = told.dedupe_key.split(":")[1:3]
    is_numbered = len(parts) == 2 and all(part.isdecimal() for part in parts)
    return listed or ({int(parts[0]): int(parts[1])} if is_numbered else {})


def _not_assigned(told: Told, follow_up: FollowUp) -> str:
    return "" if follow_up.assigned_to_id == told.recipient.pk else REASSIGNED
