"""What people change about their notifications: what they have read, and how they want to hear of things."""

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

EMAIL = "email"
RETRIED = 100  # of what was given up, asked at once whether it is still true
State = Delivery.State


@dataclass(frozen=True)
class KindPreference:
    """How one person hears of one kind of thing."""

    kind: kinds.Kind
    channels: tuple[str, ...]


def mark_read(*, by: User, ids: Iterable[int]) -> int:
    """These of one's own count as read from now on. Returns how many did not yet."""
    return Notification.objects.visible_to(by).unread().filter(pk__in=list(ids)).update(read_at=timezone.now())


def mark_all_read(*, by: User) -> int:
    """All that one is shown counts as read. Returns how many did not yet."""
    return Notification.objects.shown_to(by).unread().update(read_at=timezone.now())


def get_preferences(user: User) -> list[KindPreference]:
    """By which channels this user hears of each kind."""
    chosen = {
        (kind, channel): wanted
        for kind, channel, wanted in Preference.objects.filter(user=user.pk).values_list("kind", "channel", "wanted")
    }
    return [
        KindPreference(
            kind, tuple(name for name in channels.get_all() if chosen.get((kind.name, name), name not in kind.off))
        )
        for kind in kinds.get_all()
    ]


@transaction.atomic
def set_preferences(
    *, by: User, wanted: Mapping[str, Collection[str]], reminder_minutes: int, digest_hour: int
) -> User:
    """By which channels one wants to hear of each kind (none: not at all), how long before a follow-up one is
    reminded, and at which hour the digest comes.

    A kind that `wanted` does not name is told as it is by itself. What differs from that is stored, so that a kind's
    new default, or a new channel, reaches everybody who has not decided otherwise.
    """
    User.objects.select_for_update().get(pk=by.pk)
    Preference.objects.filter(user=by, kind__in=[kind.name for kind in kinds.get_all()]).delete()
    Preference.objects.bulk_create(
        Preference(user=by, kind=kind.name, channel=channel, wanted=channel in wanted[kind.name])
        for kind in kinds.get_all()
        if kind.name in wanted
        for channel in channels.get_all()
        if (channel in wanted[kind.name]) != (channel not in kind.off)
    )
    changes = {"reminder_minutes": reminder_minutes, "digest_hour": digest_hour}
    return accounts.update_profile(by=by, changes=changes)


def unsubscribe(*, token: str) -> kinds.Kind | None:
    """No more e-mails of a kind, by the link of one of them. Returns the kind; None where it is no link of ours."""
    found = unsubscribe_tokens.read_token(token)
    user = User.objects.filter(pk=found[0]).first() if found else None
    if found is None or user is None:
        return None
    Preference.objects.update_or_create(user=user, kind=found[1], channel=EMAIL, defaults={"wanted": False})
    logger.info("unsubscribed", user=user.pk, kind=found[1])
    return kinds.get_kind(found[1])


@transaction.atomic
def retry(*, by: User, ids: Iterable[int]) -> int:
    """Send what was given up after all, as if for the first time, but for what is no longer true. Who asked for it is
    kept. Returns how many will be sent."""
    now = timezone.now()
    dead = Delivery.objects.visible_to(by).filter(pk__in=list(ids), state=State.DEAD).select_for_update(of=("self",))
    rows = list(dead.select_related("notification__recipient").order_by("pk"))
    again: list[int] = []
    for start in range(0, len(rows), RETRIED):
        some = rows[start : start + RETRIED]
        lapsed = stale_messages.find_stale(row.notification for row in some)
        for reason in set(lapsed.values()):
            those = [row.pk for row in some if lapsed.get(row.notification_id) == reason]
            Delivery.objects.filter(pk__in=those).update(
                state=State.LAPSED, last_error=reason, ended_at=now, retried_by=by, retried_at=now
            )
        again += [row.pk for row in some if row.notification_id not in lapsed]
    Delivery.objects.filter(pk__in=again).update(
        state=State.WAITING, ended_at=None, attempts=0, next_attempt_at=now, retried_by=by, retried_at=now
    )
    if again:
        logger.info("deliveries_retried", user=by.pk, count=len(again))
        publish_task(task_names.DELIVER)
    return len(again)
