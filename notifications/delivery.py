"""Sending what the outbox holds: claim a few rows, send each, mark each.

A claim is a lease. A worker that dies between claim and mark loses nothing: when the lease is over, the row is
anybody's again. So each thing is told at least once, with the same Message-ID should it ever be told twice.
"""

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from notifications.channels import ChannelAway, PermanentFailure, TemporaryFailure
from notifications.channels.email import EmailChannel
from notifications.models import Notification, Preference

logger = structlog.get_logger(__name__)

BATCH, BATCHES = 20, 500
RETRY_MINUTES = (1, 5, 15, *[60] * 23)  # about a day in all
State = Notification.State


def deliver() -> dict[str, int]:
    """Send what has come due. Returns how many rows ended as sent, waiting, dead and off.

    One call takes `BATCHES` at most, so that a worker can be stopped; the next tick goes on.
    """
    counts: Counter[str] = Counter()
    with closing(EmailChannel()) as channel:
        for _ in range(BATCHES):
            batch = _claim()
            if not batch or not _send_batch(channel, batch, counts):
                break
    return dict(counts)


def _claim() -> list[Notification]:
    """A few rows whose turn has come, leased to this worker. Two workers never hold the same row."""
    now = timezone.now()
    lease_until = now + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
    with transaction.atomic():
        rows = Notification.objects.deliverable(now).select_for_update(of=("self",), skip_locked=True)
        batch = list(rows.select_related("recipient").order_by("next_attempt_at", "pk")[:BATCH])
        Notification.objects.filter(pk__in=[row.pk for row in batch]).update(
            lease_until=lease_until, attempts=F("attempts") + 1
        )
    for row in batch:
        row.lease_until, row.attempts = lease_until, row.attempts + 1
    return batch


def _send_batch(channel: EmailChannel, batch: list[Notification], counts: Counter[str]) -> bool:
    """Send what is wanted. False when the channel is away; what was not tried is given back."""
    unwanted = _unwanted(batch)
    for place, row in enumerate(batch):
        if row.pk in unwanted:
            counts[_mark(row, state=State.OFF)] += 1
            continue
        if _lease_is_short(row):
            _give_back(batch[place:])
            return True
        try:
            channel.send(row)
        except ChannelAway as error:
            counts[_retry(row, error)] += 1
            _give_back(batch[place + 1 :])
            logger.warning("channel_away", error=str(error))
            return False
        except TemporaryFailure as error:
            counts[_retry(row, error)] += 1
        except PermanentFailure as error:
            logger.error("notification_dead", notification=row.pk, error=str(error))
            counts[_mark(row, state=State.DEAD, last_error=str(error)[:500])] += 1
        else:
            counts[_mark(row, state=State.SENT, sent_at=timezone.now(), last_error="")] += 1
    return True


def _unwanted(batch: list[Notification]) -> set[int]:
    """The rows of those who left, or who do not want this kind by e-mail."""
    people = {row.recipient_id for row in batch}
    off = set(Preference.objects.filter(user__in=people, email=False).values_list("user", "kind"))
    return {row.pk for row in batch if not row.recipient.is_active or (row.recipient_id, row.kind) in off}


def _lease_is_short(row: Notification) -> bool:
    """Less than half is left: a slow server may take longer than that, and another worker must not start too."""
    half = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS / 2)
    return row.lease_until is None or timezone.now() > row.lease_until - half


def _retry(row: Notification, error: Exception) -> str:
    if row.attempts > len(RETRY_MINUTES):
        logger.error("notification_dead", notification=row.pk, error=str(error))
        return _mark(row, state=State.DEAD, last_error=str(error)[:500])
    again: datetime = timezone.now() + timedelta(minutes=RETRY_MINUTES[row.attempts - 1])
    return _mark(row, next_attempt_at=again, last_error=str(error)[:500])


def _mark(row: Notification, **columns: object) -> str:
    """Write what became of a row, if the lease is still ours. Returns its state."""
    ours = Notification.objects.filter(pk=row.pk, state=State.WAITING, lease_until=row.lease_until)
    ours.update(lease_until=None, **columns)
    return str(columns.get("state", State.WAITING))


def _give_back(rows: list[Notification]) -> None:
    """Undo the claim of rows that were not tried."""
    for row in rows:
        ours = Notification.objects.filter(pk=row.pk, state=State.WAITING, lease_until=row.lease_until)
        ours.update(lease_until=None, attempts=F("attempts") - 1)
