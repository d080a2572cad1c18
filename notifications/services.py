"""What users do with notifications: mark them as read, and send failed ones again."""

from collections.abc import Iterable

import structlog
from django.db import transaction
from django.utils import timezone

from athena import task_names
from athena.accounts.models import User
from athena.runtime.task_publisher import publish_task
from notifications import stale_messages
from notifications.models import Delivery, Notification

logger = structlog.get_logger(__name__)

RETRY_BATCH_SIZE = 100  # failed deliveries whose staleness is checked at once
State = Delivery.State


def mark_read(*, by: User, ids: Iterable[int]) -> int:
    """Mark these notifications of the user as read. Returns how many were unread."""
    return Notification.objects.visible_to(by).unread().filter(pk__in=list(ids)).update(read_at=timezone.now())


def mark_all_read(*, by: User) -> int:
    """Mark all notifications in the user's list as read. Returns how many were unread."""
    return Notification.objects.shown_to(by).unread().update(read_at=timezone.now())


@transaction.atomic
def retry(*, by: User, ids: Iterable[int]) -> int:
    """Send failed deliveries again, from the first attempt on; those that are stale end as lapsed instead.

    Records who asked for it and when. Returns how many will be sent.
    """
    now = timezone.now()
    failed = Delivery.objects.visible_to(by).filter(pk__in=list(ids), state=State.DEAD).select_for_update(of=("self",))
    rows = list(failed.select_related("notification__recipient").order_by("pk"))
    resent: list[int] = []
    for start in range(0, len(rows), RETRY_BATCH_SIZE):
        batch = rows[start : start + RETRY_BATCH_SIZE]
        stale = stale_messages.find_stale(row.notification for row in batch)
        for reason in set(stale.values()):
            lapsed = [row.pk for row in batch if stale.get(row.notification_id) == reason]
            Delivery.objects.filter(pk__in=lapsed).update(
                state=State.LAPSED, last_error=reason, ended_at=now, retried_by=by, retried_at=now
            )
        resent += [row.pk for row in batch if row.notification_id not in stale]
    Delivery.objects.filter(pk__in=resent).update(
        state=State.WAITING, ended_at=None, attempts=0, next_attempt_at=now, retried_by=by, retried_at=now
    )
    if resent:
        logger.info("deliveries_retried", user=by.pk, count=len(resent))
        publish_task(task_names.DELIVER)
    return len(resent)
