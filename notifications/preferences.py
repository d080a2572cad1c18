"""Which kinds of notifications a user receives by which channels, and how early reminders and digests come."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog
from django.db import transaction

from athena.accounts import services as accounts
from athena.accounts.models import User
from notifications import channels, kinds
from notifications.emails import unsubscribe_tokens
from notifications.models import Preference

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class KindPreference:
    """The names of the channels by which one user receives one kind."""

    kind: kinds.Kind
    channels: tuple[str, ...]


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
