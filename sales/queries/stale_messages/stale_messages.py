"""Which notifications about sales are stale, and why. Each is checked just before it is sent.

A notification that lists several leads or follow-ups loses those of which it is no longer true. What cannot be checked
is sent.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from django.db.models import Value

from athena.accounts.models import local_today
from athena.db.bulk import IdIn
from notifications.kinds import UNLISTED, PendingNotification
from sales import policy
from sales.models import Lead

Reasons = dict[int, str]  # by notification id
VisibleLeads = Collection[tuple[int, int]]  # pairs of a user's id and the id of a lead that the user may see
DAY_OVER = "Its day is over."
ARCHIVED, CLOSED = "The lead was archived.", "The lead was closed."
NOT_VISIBLE = "The recipient may no longer see the lead or is no longer responsible for it."


def find_stale_digests(notifications: Collection[PendingNotification]) -> Reasons:
    """A digest is stale when its day is over for its recipient. (The day may not have begun after a move west.)"""
    days = {row.pk: row.dedupe_key.split(":")[-1] for row in notifications if row.dedupe_key.count(":") == 2}
    return {
        row.pk: DAY_OVER
        for row in notifications
        if row.pk in days and days[row.pk] < local_today(row.recipient).isoformat()
    }


def find_stale(
    notifications: Collection[PendingNotification],
    keys: Mapping[int, Iterable[int]],
    explain: Callable[[PendingNotification, int], str],
    listed: tuple[str, str],
) -> Reasons:
    """Return the reasons of the notifications that are true of none of their items, and shorten the others' lists.

    `keys` holds the ids of each notification's items, `explain` returns why a notification is not true of an item (or
    nothing). `listed` names the list in a context and the id in each of its entries.
    """
    reasons = {}
    for notification in notifications:
        stale = {key: reason for key in keys[notification.pk] if (reason := explain(notification, key))}
        if stale and _remove_items(notification, stale, *listed) <= 0:
            reasons[notification.pk] = next(iter(stale.values()))
    return reasons


def get_listed_items(notification: PendingNotification, name: str) -> list[dict[str, Any]]:
    """Return the entries of the list `name` in a context; none if there is no such list, or it is malformed."""
    items = notification.context.get(name) if isinstance(notification.context, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def get_unlisted_keys(notification: PendingNotification) -> list[Any]:
    """Return the keys of the items that a notification counts but does not list."""
    keys = notification.context.get(UNLISTED) if isinstance(notification.context, dict) else None
    return keys if isinstance(keys, list) else []


def find_leads_visible_to_managers(
    notifications: Collection[PendingNotification], lead_ids: Collection[int]
) -> VisibleLeads:
    """Return which of these leads each recipient may see who is a manager or administrator. One query."""
    managers = {row.recipient for row in notifications if policy.is_manager(row.recipient)}
    queries = [
        Lead.objects.visible_to(user).filter(IdIn("pk", lead_ids)).order_by().values_list(Value(user.pk), "pk")
        for user in sorted(managers, key=lambda user: user.pk)
    ]
    return set(queries[0].union(*queries[1:], all=True)) if queries else set()


def explain_hidden(notification: PendingNotification, lead: Lead, visible: VisibleLeads | None) -> str:
    """Return why the lead is archived or hidden from the recipient, or nothing.

    `visible` is None for kinds that are not for managers alone: visibility is not checked then.
    """
    if lead.archived_at is not None:
        return ARCHIVED
    return NOT_VISIBLE if visible is not None and (notification.recipient.pk, lead.pk) not in visible else ""


def _remove_items(notification: PendingNotification, stale: Collection[int], name: str, key: str) -> int:
    """Remove stale items from what a context lists and counts. Returns how many items are left."""
    listed, unlisted = get_listed_items(notification, name), get_unlisted_keys(notification)
    if not listed:
        return 0
    kept = [item for item in listed if item.get(key) not in stale]
    kept_unlisted = [item for item in unlisted if _get_key(item) not in stale]
    removed_unlisted = len(unlisted) - len(kept_unlisted)
    removed = sum(int(item.get("count", 1)) for item in listed if item not in kept) + removed_unlisted
    count = int(notification.context["count"]) - removed
    notification.context = {**notification.context, name: kept, UNLISTED: kept_unlisted, "count": count}
    if notification.context.get("more"):
        notification.context["more"] -= removed_unlisted
    return count


def _get_key(unlisted: Any) -> Any:
    """Return the id of an unlisted item. For follow-ups, the item is the id and the number of the plan."""
    return unlisted[0] if isinstance(unlisted, list) and unlisted else unlisted
