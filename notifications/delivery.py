"""Sending what the outbox holds: for each channel claim a few deliveries, send each, mark each.

A claim is a lease. A worker that dies between claim and mark loses nothing: when the lease is over, the row is
anybody's again. So each thing is told at least once, with the same Message-ID should it ever be told twice.
"""

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from notifications import channels, kinds, stale_messages
from notifications.channels import Channel, ChannelUnavailable, PermanentFailure, TemporaryFailure
from notifications.models import Delivery, Preference

logger = structlog.get_logger(__name__)

BATCH, BATCHES = 20, 500
RETRY_MINUTES = (1, 5, 15, *[60] * 23)  # about a day in all
FRESH = timedelta(seconds=5)  # for how long the answer holds that a message is still true
State = Delivery.State


def deliver() -> dict[str, int]:
    """Send what has come due. Returns how many rows ended as sent, waiting, dead, off and lapsed.

    One call takes `BATCHES` of a channel at most, so that a worker can be stopped; the next tick goes on. A channel
    that is away stops no other.
    """
    counts: Counter[str] = Counter()
    for name, make in channels.get_sending().items():
        with closing(make()) as channel:
            for _ in range(BATCHES):
                batch = _claim(name)
                if not batch or not _send_batch(channel, batch, counts):
                    break
    return dict(counts)


def _claim(channel: str) -> list[Delivery]:
    """A few rows whose turn has come, leased to this worker. Two workers never hold the same row.

    What a worker has left behind comes last and one by one: should it be what the worker died of, then nothing else
    waits for it, and its attempts run out.
    """
    now = timezone.now()
    due = Delivery.objects.deliverable(now).filter(channel=channel)
    return _lease(due.filter(lease_until__isnull=True), BATCH, now) or _lease(due, 1, now)


@transaction.atomic
def _lease(due: "QuerySet[Delivery]", most: int, now: datetime) -> list[Delivery]:
    lease_until = now + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
    rows = due.select_for_update(of=("self",), skip_locked=True)
    rows = rows.prefetch_related("notification__recipient")  # read after the lock: see `outbox.lock_unsent`
    batch = list(rows.order_by("next_attempt_at", "pk")[:most])
    if batch:
        leased = Delivery.objects.filter(pk__in=[row.pk for row in batch])
        leased.update(lease_until=lease_until, attempts=F("attempts") + 1)
    for row in batch:
        row.lease_until, row.attempts = lease_until, row.attempts + 1
    return batch


def _send_batch(channel: Channel, batch: list[Delivery], counts: Counter[str]) -> bool:
    """Send what is wanted and still true. False when the channel is away; what was not tried is given back."""
    unwanted, lapsed, asked_at = _unwanted(channel.name, batch), dict[int, str](), None
    for place, row in enumerate(batch):
        if asked_at is None or timezone.now() - asked_at > FRESH:
            asked_at = timezone.now()
            lapsed = stale_messages.find_stale(each.notification for each in batch[place:])
        if row.pk in unwanted:
            counts[_end(row, State.OFF)] += 1
            continue
        if row.notification_id in lapsed:
            counts[_end(row, State.LAPSED, last_error=lapsed[row.notification_id])] += 1
            continue
        if row.attempts > len(RETRY_MINUTES) + 1:
            counts[_give_up(row, "Each worker that tried it has died.")] += 1
            continue
        if _lease_is_short(row):
            _give_back(batch[place:])
            return True
        try:
            channel.send(row.notification)
        except ChannelUnavailable as error:
            counts[_retry(row, error)] += 1
            _give_back(batch[place + 1 :])
            logger.warning("channel_away", channel=channel.name, error=str(error))
            return False
        except TemporaryFailure as error:
            counts[_retry(row, error)] += 1
        except Exception as error:  # PermanentFailure, or a fault of the channel's own: the others are not to blame
            counts[_give_up(row, str(error) if isinstance(error, PermanentFailure) else repr(error))] += 1
        else:
            counts[_end(row, State.SENT, last_error="")] += 1
    return True


def _unwanted(channel: str, batch: list[Delivery]) -> set[int]:
    """The rows of those who left, or who do not want this kind by this channel."""
    told = [row.notification for row in batch]
    chosen = {
        (user, kind): wanted
        for user, kind, wanted in Preference.objects.filter(
            channel=channel, user__in={each.recipient_id for each in told}
        ).values_list("user", "kind", "wanted")
    }
    return {
        row.pk
        for row, each in zip(batch, told, strict=True)
        if not each.recipient.is_active
        or not chosen.get((each.recipient_id, each.kind), channel not in kinds.get_kind(each.kind).off)
    }


def _lease_is_short(row: Delivery) -> bool:
    """Less than half is left: a slow server may take longer than that, and another worker must not start too."""
    half = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS / 2)
    return row.lease_until is None or timezone.now() > row.lease_until - half


def _retry(row: Delivery, error: Exception) -> str:
    if row.attempts > len(RETRY_MINUTES):
        return _give_up(row, str(error))
    again: datetime = timezone.now() + timedelta(minutes=RETRY_MINUTES[row.attempts - 1])
    return _mark(row, next_attempt_at=again, last_error=str(error)[:500])


def _give_up(row: Delivery, why: str) -> str:
    logger.error("delivery_dead", delivery=row.pk, channel=row.channel, error=why)
    return _end(row, State.DEAD, last_error=why[:500])


def _end(row: Delivery, state: State, **columns: object) -> str:
    return _mark(row, state=state, ended_at=timezone.now(), **columns)


def _mark(row: Delivery, **columns: object) -> str:
    """Write what became of a row, if the lease is still ours. Returns its state."""
    ours = Delivery.objects.filter(pk=row.pk, state=State.WAITING, lease_until=row.lease_until)
    ours.update(lease_until=None, **columns)
    return str(columns.get("state", State.WAITING))


def _give_back(rows: list[Delivery]) -> None:
    """Undo the claim of rows that were not tried."""
    for row in rows:
        ours = Delivery.objects.filter(pk=row.pk, state=State.WAITING, lease_until=row.lease_until)
        ours.update(lease_until=None, attempts=F("attempts") - 1)
