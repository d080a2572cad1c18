"""Sending what the outbox holds: for each channel, claim a few deliveries, send each of them, record the result.

A claim is a lease. If a worker dies between claim and result, any worker may take the row after the lease has expired.
So each notification is sent at least once, and with the same Message-ID if it is ever sent twice.
"""

from collections import Counter
from collections.abc import Mapping
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

BATCH_SIZE = 20
MAX_BATCHES = 500  # of one channel in one call
RETRY_MINUTES = (1, 5, 15, *[60] * 23)  # about a day in all
MAX_STALENESS_AGE = timedelta(seconds=5)  # how long the answer of a staleness rule is relied on
State = Delivery.State


def deliver() -> dict[str, int]:
    """Send the deliveries that are due. Returns how many ended as sent, waiting, dead, off and lapsed.

    One call takes at most `MAX_BATCHES` of a channel, so that a worker can be stopped; the next tick continues. A
    channel that is unavailable does not stop the others.
    """
    counts: Counter[str] = Counter()
    for name, channel_class in channels.get_sending().items():
        with closing(channel_class()) as channel:
            for _ in range(MAX_BATCHES):
                batch = _claim(name)
                if not batch or not _send_batch(channel, batch, counts):
                    break
    return dict(counts)


def _claim(channel: str) -> list[Delivery]:
    """Lease a few deliveries that are due to this worker. No two workers ever hold the same row.

    Rows that another worker left behind come last and one at a time: if such a row is what killed the worker, nothing
    else waits for it, and its attempts run out.
    """
    now = timezone.now()
    due = Delivery.objects.deliverable(now).filter(channel=channel)
    return _lease(due.filter(lease_until__isnull=True), BATCH_SIZE, now) or _lease(due, 1, now)


@transaction.atomic
def _lease(due: "QuerySet[Delivery]", limit: int, now: datetime) -> list[Delivery]:
    lease_until = now + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)
    rows = due.select_for_update(of=("self",), skip_locked=True)
    rows = rows.prefetch_related("notification__recipient")  # read after the lock: see `outbox.lock_unsent`
    batch = list(rows.order_by("next_attempt_at", "pk")[:limit])
    if batch:
        leased = Delivery.objects.filter(pk__in=[row.pk for row in batch])
        leased.update(lease_until=lease_until, attempts=F("attempts") + 1)
    for row in batch:
        row.lease_until, row.attempts = lease_until, row.attempts + 1
    return batch


def _send_batch(channel: Channel, batch: list[Delivery], counts: Counter[str]) -> bool:
    """Send the deliveries that are wanted and still true. Returns False if the channel is unavailable.

    Deliveries that were not tried are given back.
    """
    unwanted, stale, checked_at = _find_unwanted(channel.name, batch), dict[int, str](), None
    for position, row in enumerate(batch):
        if checked_at is None or timezone.now() - checked_at > MAX_STALENESS_AGE:
            checked_at = timezone.now()
            stale = stale_messages.find_stale(later.notification for later in batch[position:])
        if row.pk in unwanted:
            counts[_end(row, State.OFF)] += 1
            continue
        if row.notification_id in stale:
            counts[_end(row, State.LAPSED, last_error=stale[row.notification_id])] += 1
            continue
        if row.attempts > len(RETRY_MINUTES) + 1:
            counts[_give_up(row, "Every worker that tried to send it died.")] += 1
            continue
        if _is_lease_short(row):
            _give_back(batch[position:])
            return True
        try:
            channel.send(row.notification)
        except ChannelUnavailable as error:
            counts[_retry_later(row, error)] += 1
            _give_back(batch[position + 1 :])
            logger.warning("channel_away", channel=channel.name, error=str(error))
            return False
        except TemporaryFailure as error:
            counts[_retry_later(row, error)] += 1
        except Exception as error:  # PermanentFailure, or a fault in the channel: the other deliveries go on
            counts[_give_up(row, str(error) if isinstance(error, PermanentFailure) else repr(error))] += 1
        else:
            counts[_end(row, State.SENT, last_error="")] += 1
    return True


def _find_unwanted(channel: str, batch: list[Delivery]) -> set[int]:
    """Return the ids of deliveries to deactivated users, or to users who turned this kind off for this channel."""
    recipients = {row.notification.recipient_id for row in batch}
    preferences = Preference.objects.filter(channel=channel, user__in=recipients)
    choices = {(user, kind): wanted for user, kind, wanted in preferences.values_list("user", "kind", "wanted")}

    return {row.pk for row in batch if not _is_wanted(row, choices)}


def _is_wanted(row: Delivery, choices: Mapping[tuple[int, str], bool]) -> bool:
    notification = row.notification
    choice = choices.get((notification.recipient_id, notification.kind))
    return notification.recipient.is_active and kinds.get_kind(notification.kind).is_sent_by(row.channel, choice)


def _is_lease_short(row: Delivery) -> bool:
    """Whether less than half of the lease is left: a slow server could take longer, and then another worker starts."""
    half = timedelta(seconds=settings.DELIVERY_LEASE_SECONDS / 2)
    return row.lease_until is None or timezone.now() > row.lease_until - half


def _retry_later(row: Delivery, error: Exception) -> str:
    if row.attempts > len(RETRY_MINUTES):
        return _give_up(row, str(error))
    retry_at: datetime = timezone.now() + timedelta(minutes=RETRY_MINUTES[row.attempts - 1])
    return _mark(row, next_attempt_at=retry_at, last_error=str(error)[:500])


def _give_up(row: Delivery, reason: str) -> str:
    logger.error("delivery_dead", delivery=row.pk, channel=row.channel, error=reason)
    return _end(row, State.DEAD, last_error=reason[:500])


def _end(row: Delivery, state: State, **columns: object) -> str:
    return _mark(row, state=state, ended_at=timezone.now(), **columns)


def _mark(row: Delivery, **columns: object) -> str:
    """Record the result of a delivery if this worker still holds its lease. Returns the delivery's state."""
    held = Delivery.objects.filter(pk=row.pk, state=State.WAITING, lease_until=row.lease_until)
    held.update(lease_until=None, **columns)
    return str(columns.get("state", State.WAITING))


def _give_back(rows: list[Delivery]) -> None:
    """Undo the claim of deliveries that were not tried."""
    for row in rows:
        held = Delivery.objects.filter(pk=row.pk, state=State.WAITING, lease_until=row.lease_until)
        held.update(lease_until=None, attempts=F("attempts") - 1)
