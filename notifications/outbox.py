"""The outbox: writes notifications in the caller's transaction, so that a notification exists if and only if the event
that it reports was committed. A delivery for each channel that sends it is written along with it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.utils import timezone

from athena import task_names
from athena.accounts.models import User
from athena.db.bulk import Sql, build_insert, build_insert_select
from athena.runtime.task_publisher import publish_task
from notifications import channels, kinds
from notifications.models import Delivery, Notification


@dataclass(frozen=True)
class NewNotification:
    """A notification to write, once for each `dedupe_key`. It is not sent before `not_before` (UTC).

    `by_id` is the user whose action it reports: they are not notified of it.
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
    """Notify one user. Returns False if the `dedupe_key` exists already or the recipient is the user `by_id`."""
    return bool(add_many([NewNotification(kind, recipient_id, dedupe_key, context, not_before, by_id)]))


def add_many(notifications: Iterable[NewNotification]) -> int:
    """Write notifications, in a fixed number of statements. Returns how many of them were new."""
    now = timezone.now()
    rows = [
        (new.kind, new.recipient_id, new.dedupe_key, dict(new.context), new.not_before or now)
        for new in sorted(notifications, key=lambda new: new.dedupe_key)  # always in this order: no deadlocks
        if new.by_id is None or new.by_id != new.recipient_id
    ]
    if not rows:
        return 0
    columns = ("kind", "recipient", "dedupe_key", "context", "not_before")
    return _write(build_insert(Notification, columns, rows), {kind for kind, *_ in rows})


def add_from(
    rows: "QuerySet[Any, Any]", *, kind: str, recipient: str, dedupe_key: Combinable, context: Combinable
) -> int:
    """Write a notification for each row of a query, in a fixed number of statements; the rows stay in the database.

    `recipient` names the rows' column that holds the user's id, `context` is an expression for a JSON object. Returns
    how many notifications were new.
    """
    now = Value(timezone.now())
    columns: dict[str, Combinable] = {"kind": Value(kind), "recipient": F(recipient), "dedupe_key": dedupe_key}
    return _write(build_insert_select(Notification, rows, **columns, context=context, not_before=now), {kind})


def lock_unsent(kind: str, recipient_ids: Iterable[int]) -> dict[int, Notification]:
    """Return, by recipient, a notification of this kind that is due later, so that the caller can add to its context.

    No worker sends it until the caller's transaction ends: its deliveries are locked, and a worker reads a notification
    after it has locked its delivery. Two queries.
    """
    deliveries = Delivery.objects.select_for_update(of=("self",)).filter(
        notification__kind=kind,
        notification__recipient__in=list(recipient_ids),
        state=Delivery.State.WAITING,
        attempts=0,
        lease_until=None,
        next_attempt_at__gt=timezone.now(),
    )
    ids = set(deliveries.order_by("pk").values_list("notification", flat=True))
    return {row.recipient_id: row for row in Notification.objects.filter(pk__in=ids).order_by("pk")}


def find_with_deliveries(dedupe_keys: Iterable[str]) -> "QuerySet[Notification]":
    """Return the notifications with these keys, oldest first, each with its recipient and its deliveries loaded."""
    notifications = Notification.objects.filter(dedupe_key__in=list(dedupe_keys))
    return notifications.select_related("recipient").prefetch_related("deliveries").order_by("id")


class _Route(NamedTuple):
    """A channel, and the SQL condition on new notifications that it sends."""

    channel: str
    condition: str
    parameters: list[Any]


def _write(insertion: Sql, kind_names: set[str]) -> int:
    """Write the notifications that are new, of these kinds, and their deliveries. Returns how many were new."""
    write = _write_at_once if connection.vendor == "postgresql" else _write_in_turn
    count = write(*insertion, _find_routes(kind_names))
    if count:
        publish_task(task_names.DELIVER)
    return count


def _find_routes(kind_names: set[str]) -> list[_Route]:
    """Return a route for each channel that one of the kinds names, limited to the recipients whom it can reach."""
    routes = []
    for name, channel in channels.get_sending().items():
        sent = sorted(kind for kind in kind_names if name in kinds.get_kind(kind).channels)
        if not sent:
            continue
        condition, parameters = f"kind IN ({', '.join(['%s'] * len(sent))})", list[Any](sent)
        if channel.reachable_users:
            users = User.objects.filter(channel.reachable_users).order_by().values("pk")
            try:
                sql, user_parameters = users.query.sql_with_params()
            except EmptyResultSet:  # the channel reaches nobody
                continue
            condition, parameters = f"{condition} AND recipient_id IN ({sql})", [*parameters, *user_parameters]
        routes.append(_Route(name, condition, parameters))
    return routes


def _write_at_once(insert: str, parameters: tuple[Any, ...], routes: list[_Route]) -> int:
    """PostgreSQL: one statement, which alone knows which of its rows were new."""
    sql = f"WITH new AS ({insert} ON CONFLICT DO NOTHING RETURNING id, kind, recipient_id, not_before)"
    values = list(parameters)
    if routes:
        rows = " UNION ALL ".join(
            f"SELECT id, %s::text AS channel, not_before FROM new WHERE {route.condition}"  # noqa: S608
            for route in routes
        )
        sql += f", sent AS (INSERT INTO notification_deliveries (notification_id, channel, next_attempt_at) {rows})"
        values += [value for route in routes for value in (route.channel, *route.parameters)]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} SELECT COUNT(*) FROM new", values)  # noqa: S608
        return int(cursor.fetchone()[0])


@transaction.atomic(savepoint=False)
def _write_in_turn(insert: str, parameters: tuple[Any, ...], routes: list[_Route]) -> int:
    """SQLite, where only one connection writes and ids only rise: the rows after the highest id are the new ones."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(MAX(id), 0) FROM notifications")
        (last_id,) = cursor.fetchone()
        cursor.execute(f"{insert} ON CONFLICT DO NOTHING", parameters)
        count = int(cursor.rowcount)
        for route in routes if count else ():
            cursor.execute(
                "INSERT INTO notification_deliveries (notification_id, channel, next_attempt_at)"  # noqa: S608
                f" SELECT id, %s, not_before FROM notifications WHERE id > %s AND {route.condition}",
                [route.channel, last_id, *route.parameters],
            )
    return count
