"""Saying that somebody is to be told something: a row in the caller's transaction, so that it is told if and only if
what it is about has happened. A row for its delivery by each channel is written with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.utils import timezone

from athena import task_names
from athena.db.bulk import Sql, build_insert, build_insert_select
from athena.runtime.task_publisher import publish_task
from notifications import channels
from notifications.models import Delivery, Notification


@dataclass(frozen=True)
class NewNotification:
    """One thing to tell one person, once for each `dedupe_key`; not before `not_before` (UTC), where given.

    `by_id` is whose act it tells of: they are not told.
    """

    kind: str
    recipient_id: int
    dedupe_key: str
    context: Mapping[str, Any]
    not_before: datetime | None = None
    by_id: int | None = None


def add(
    *,
    kind: str,
    recipient_id: int,
    dedupe_key: str,
    context: Mapping[str, Any],
    not_before: datetime | None = None,
    by_id: int | None = None,
) -> bool:
    """Tell one person. False where this `dedupe_key` has been told, or is to be, already, or it is their own act."""
    return bool(add_many([NewNotification(kind, recipient_id, dedupe_key, context, not_before, by_id)]))


def add_many(messages: Iterable[NewNotification]) -> int:
    """Tell many, in a fixed number of statements however many they are. Returns how many were new."""
    now = timezone.now()
    rows = [
        (message.kind, message.recipient_id, message.dedupe_key, dict(message.context), message.not_before or now)
        for message in sorted(messages, key=lambda message: message.dedupe_key)  # one order, so that no two wait
        if message.by_id is None or message.by_id != message.recipient_id
    ]
    if not rows:
        return 0
    return _write(build_insert(Notification, ("kind", "recipient", "dedupe_key", "context", "not_before"), rows))


def add_from(
    rows: "QuerySet[Any, Any]", *, kind: str, recipient: str, dedupe_key: Combinable, context: Combinable
) -> int:
    """Tell something of each of these rows, in a fixed number of statements: nothing passes through Python.

    `recipient` names the rows' column with the user, `context` is an expression for a JSON object. Returns how many
    were new.
    """
    now = Value(timezone.now())
    who: dict[str, Combinable] = {"kind": Value(kind), "recipient": F(recipient), "dedupe_key": dedupe_key}
    return _write(build_insert_select(Notification, rows, **who, context=context, not_before=now))


def lock_unsent(kind: str, recipient_ids: Iterable[int]) -> dict[int, Notification]:
    """By recipient, a message of this kind that nobody has been sent or shown yet, for its context to be added to.

    No worker takes it until the caller's transaction ends: its deliveries are locked, and workers read it after they
    have locked them. Two queries.
    """
    deliveries = Delivery.objects.select_for_update(of=("self",)).filter(
        notification__kind=kind, notification__recipient__in=list(recipient_ids),
        state=Delivery.State.WAITING, attempts=0, lease_until=None, next_attempt_at__gt=timezone.now(),
    )  # fmt: skip
    keys = set(deliveries.order_by("pk").values_list("notification", flat=True))
    return {message.recipient_id: message for message in Notification.objects.filter(pk__in=keys).order_by("pk")}


def find_with_deliveries(dedupe_keys: Iterable[str]) -> "QuerySet[Notification]":
    """What became of these messages: each with its recipient and its deliveries. Those never written are missing."""
    told = Notification.objects.filter(dedupe_key__in=list(dedupe_keys))
    return told.select_related("recipient").prefetch_related("deliveries").order_by("id")


def _write(insertion: Sql) -> int:
    """Write the notifications that are new, and their deliveries. Returns how many they are."""
    write = _write_at_once if connection.vendor == "postgresql" else _write_in_turn
    new = write(*insertion, list(channels.get_sending()))
    if new:
        publish_task(task_names.DELIVER)
    return new


def _write_at_once(insert: str, parameters: tuple[Any, ...], by: list[str]) -> int:
    """PostgreSQL: one statement, which alone knows which of its rows were new."""
    sql = (
        f"WITH new AS ({insert} ON CONFLICT DO NOTHING RETURNING id, not_before),"  # noqa: S608
        " pushed AS (INSERT INTO notification_deliveries (notification_id, channel, next_attempt_at)"
        " SELECT id, channel, not_before FROM new CROSS JOIN unnest(%s::text[]) AS channel)"
        " SELECT COUNT(*) FROM new"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [*parameters, by])
        return int(cursor.fetchone()[0])


@transaction.atomic(savepoint=False)
def _write_in_turn(insert: str, parameters: tuple[Any, ...], by: list[str]) -> int:
    """SQLite, where a writer is alone and keys only rise: what has come after the highest key is new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM notifications")
        (last,) = cursor.fetchone()
        cursor.execute(f"{insert} ON CONFLICT DO NOTHING", parameters)
        new = int(cursor.rowcount)
        for channel in by if new else ():
            cursor.execute(
                "INSERT INTO notification_deliveries (notification_id, channel, next_attempt_at)"
                " SELECT id, %s, not_before FROM notifications WHERE id > %s",
                [channel, last],
            )
    return new
