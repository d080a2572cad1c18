"""Saying that somebody is to be told something: a row in the caller's transaction, so that it is told if and only if
what it is about has happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from athena.wake import wake
from notifications.models import Notification

BATCH = 1_000


@dataclass(frozen=True)
class Message:
    """One thing to tell one person, once for each `dedupe_key`; not before `not_before` (UTC), where given."""

    kind: str
    recipient_id: int
    dedupe_key: str
    context: Mapping[str, Any]
    not_before: datetime | None = None


def add(
    *,
    kind: str,
    recipient_id: int,
    dedupe_key: str,
    context: Mapping[str, Any],
    not_before: datetime | None = None,
) -> bool:
    """Tell one person. False where this `dedupe_key` has been told, or is to be, already."""
    return bool(add_many([Message(kind, recipient_id, dedupe_key, context, not_before)]))


def add_many(messages: Iterable[Message]) -> int:
    """Tell many, in one statement for each thousand. Returns how many were new."""
    now = timezone.now()
    by_key = {message.dedupe_key: message for message in messages}
    if not by_key:
        return 0
    known = set()
    keys = list(by_key)
    for start in range(0, len(keys), BATCH):
        part = keys[start : start + BATCH]
        known |= set(Notification.objects.filter(dedupe_key__in=part).values_list("dedupe_key", flat=True))
    Notification.objects.bulk_create(
        (
            Notification(
                kind=message.kind,
                recipient_id=message.recipient_id,
                dedupe_key=message.dedupe_key,
                context=dict(message.context),
                next_attempt_at=message.not_before or now,
            )
            for message in by_key.values()
            if message.dedupe_key not in known
        ),
        batch_size=BATCH,
        ignore_conflicts=True,
    )
    wake("notifications.deliver")
    return len(keys) - len(known)
