"""Saying that somebody is to be told something: a row in the caller's transaction, so that it is told if and only if
what it is about has happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from athena.db.bulk import insert_new
from athena.wake import wake
from notifications.models import Notification


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
    """Tell many, in one statement however many they are. Returns how many were new."""
    now = timezone.now()
    rows = [
        (message.kind, message.recipient_id, message.dedupe_key, dict(message.context), message.not_before or now)
        for message in sorted(messages, key=lambda message: message.dedupe_key)  # one order, so that no two wait
    ]
    if not rows:
        return 0
    new = insert_new(Notification, ("kind", "recipient", "dedupe_key", "context", "next_attempt_at"), rows)
    if new:
        wake("notifications.deliver")
    return new
