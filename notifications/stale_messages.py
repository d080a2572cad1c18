"""Which notifications are stale, meaning no longer true, according to the rules of their kinds."""

from collections.abc import Iterable

from notifications import kinds
from notifications.models import Notification


def find_stale(notifications: Iterable[Notification]) -> dict[int, str]:
    """Return, by notification id, the reason why each stale one must not be sent. Their recipients have to be loaded.

    Takes a fixed number of queries for each kind. A notification that is still true in part loses the items of its
    `context` that are not, without being saved.
    """
    by_kind: dict[str, list[Notification]] = {}
    for notification in notifications:
        by_kind.setdefault(notification.kind, []).append(notification)
    reasons: dict[int, str] = {}
    for name, rows in by_kind.items():
        rule = kinds.get_kind(name).find_stale
        if rule is not None:
            reasons |= rule(rows)
    return reasons
