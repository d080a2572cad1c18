"""What users change about their notifications: which ones are read, their preferences, and retries of failed ones."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone

from athena import task_names
from athena.accounts import services as accounts
from athena.accounts.models import User
from athena.runtime.task_publisher import publish_task
from notifications import channels, kinds, stale_messages
from notifications.emails import unsubscribe_tokens
from notifications.models import Delivery, Notification, Preference

logger = structlog.get_logger(__name__)

RETRY_BATCH_SIZE = 100  # failed deliveries whose staleness is checked at once
State = Delivery.State


@dataclass(frozen=True)
class KindPreference:
    """The names of the channels by which one user receives one kind."""

    kind: kinds.Kind
    channels: tuple[str, ...]


def mark_read(*, by: User, ids: Iterable[int]) -> int:
    """Mark these notifications of the user as read. Returns how many were unread."""
    return Notification.objects.visible_to(by).unread().filter(pk__in=list(ids)).update(read_at=timezone.now())


def mark_all_read(*, by: User) -> int:
    """Mark all notifications in the user's list as read. Returns how many were unread."""
    return Notification.objects.shown_to(by).unread().update(read_at=timezone.now())


def get_preferences(user: User) -> list[KindPreference]:
    """Return, for each kind, the channels by which this user receives it. One query."""
    rows = Preference.objects.filter(user=user.pk).values_list("kind", "channel", "wanted")
    choices = {(kind, channel): wanted for kind, channel, wanted in rows}
    return [
        KindPreference(
            kind, tuple(name for name in channels.get_all() if kind.is_sent_by(name, choices.get((kind.name, name))))
        )
        for kind in kinds.get_all()
    ]


@transaction.atomic
def set_preferences(
    *, by: User, wanted: Mapping[str, Collection[str]], reminder_minutes: int, digest_hour: int
) -> User:
    """Set by which channels the user receives each kind (none: not at all), how many minutes before a follow-up the
    reminder comes, and at which hour of the user's day the digest comes.

    A kind that `wanted` does not name gets its defaults; channels that a kind does not use are ignored. Only choices
    that differ from a kind's defaults are stored, so that a later change of the defaults reaches everybody else.
    """
    User.objects.select_for_update().get(pk=by.pk)
    Preference.objects.filter(user=by, kind__in=[kind.name for kind in kinds.get_all()]).delete()
    Preference.objects.bulk_create(
        Preference(user=by, kind=kind.name, channel=channel, wanted=channel in wanted[kind.name])
        for kind in kinds.get_all()
        if kind.name in wanted
        for channel in kind.channels
        if (channel in wanted[kind.name]) != kind.is_sent_by(channel, None)
    )
    changes = {"reminder_minutes": reminder_minutes, "digest_hour": digest_hour}
    return accounts.update_profile(by=by, changes=changes)


def unsubscribe(*, token: str) -> kinds.Kind | None:
    """Turn off emails of a kind for a user, by the token of such an email's link.

    Returns the kind, or None if the token is not valid.
    """
    link = unsubscribe_tokens.read_token(token)
    user = User.objects.filter(pk=link[0]).first() if link else None
    if link is None or user is None:
        return None
    _, kind = link
    Preference.objects.update_or_create(user=user, kind=kind, channel=kinds.EMAIL, defaults={"wanted": False})
    logger.info("unsubscribed", user=user.pk, kind=kind)
    return kinds.get_kind(kind)


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
