"""Which of the notifications that wait to be sent are no longer true, as the apps that told them say."""

from collections.abc import Iterable

from notifications import kinds
from notifications.models import Notification


def find_stale(notifications: Iterable[Notification]) -> dict[int, str]:
    """Why each of these that is not to be sent (any longer) is not, by its key. Their recipients are loaded.

    A fixed number of queries a kind. One that is still true in part has lost the rest of its `context` afterwards.
    """
    by_kind: dict[str, list[Notification]] = {}
    for notification in notifications:
        by_kind.setdefault(notification.kind, []).append(notification)
    reasons: dict[int, str] = {}
    for name, rows in by_kind.items():
        lapsed = kinds.get_kind(name).find_stale
        if lapsed is not None:
            reasons |= lapsed(rows)
    return reasons
