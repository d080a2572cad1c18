"""A lead's story: everything that happened to it, newest first, each thing told once.

One statement: an arm for each kind, which reads the few newest rows by the lead's index, and a union of the arms. So a
page costs the same however long the story is, and nothing is kept twice.

What two tables know is told by the one that knows more: completing a follow-up by the follow-up, a transfer by the
transfer, a new status by the field's change. Their lines in the activity log are left out.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime

from athena.api.fields import MAX_ID
from sales.queries.timeline import descriptions


@dataclass(frozen=True)
class Arm:
    """A kind of thing that happens: where it is written down, when it happened, and who did it.

    `data` are the keys of an item's `data`, each with its SQL; a lone `*` marks a column that holds JSON.
    """

    label: str
    table: str
    at: str
    actor: str
    data: dict[str, str]
    where: str = "TRUE"
    joins: str = ""
    lead: str = "t.lead_id"


_FOLLOW_UP = {
    "follow_up_type": "t.follow_up_type",
    "scheduled_date": "t.scheduled_date",
    "scheduled_time": "t.scheduled_time",
    "assigned_to": "t.assigned_to",
    "assigned_to_name": "assignee.full_name",
}
_FIRST_CHANGE = "(SELECT id FROM field_changes WHERE lead_id = t.id AND field = 'source' ORDER BY at, id LIMIT 1)"
_KEYS = (f"CAST(NULLIF(CAST(other.{side} AS TEXT), 'null') AS BIGINT)" for side in ("old", "new"))
_FIRST_SOURCE = f"COALESCE({', '.join(_KEYS)}, t.source_id)"  # before and after its first change, or that of now
_ASSIGNEE = "JOIN users AS assignee ON assignee.id = t.assigned_to"
_CHANGE = {"field": "t.field", "old": "*t.old", "new": "*t.new"}
ARMS = {  # of what happens at the same moment, the later in this order is told first: it followed from the others
    "created": Arm(
        "Taken in", "leads", "t.created_at", "t.created_by", {"source": _FIRST_SOURCE, "source_name": "source.name"},
        joins=f"LEFT JOIN field_changes AS other ON other.id = {_FIRST_CHANGE}"
        f" LEFT JOIN lead_sources AS source ON source.id = {_FIRST_SOURCE}",
        lead="t.id",
    ),
    "follow_up_planned": Arm(
        "Follow-up planned", "follow_ups", "t.created_at", "t.created_by",
        {**_FOLLOW_UP, "first_scheduled_date": "t.first_scheduled_date", "notes": "t.notes", "planned": "*t.planned"},
        joins=_ASSIGNEE,
    ),
    "follow_up_changed": Arm(
        "Follow-up changed", "field_changes", "t.at", "t.by_id", _CHANGE, where="t.field = 'follow_up'"
    ),
    "activity": Arm(
        "Activity", "activities", "t.occurred_at", "t.user_id",
        {"activity_type": "t.activity_type", "direction": "t.direction", "description": "t.description",
         "notes": "t.notes", "data": "*t.data"},
        where="t.activity_type NOT IN ('transfer', 'status_change') AND t.follow_up_id IS NULL",
    ),
    "correction": Arm("Correction", "field_changes", "t.at", "t.by_id", _CHANGE, where="t.field = 'activity'"),
    "follow_up_done": Arm(
        "Follow-up done", "follow_ups", "t.completed_at", "t.completed_by",
        {**_FOLLOW_UP, "outcome": "t.outcome", "outcome_notes": "t.outcome_notes", "activity_id": "t.activity_id",
         "no_next_reason": "t.no_next_reason"},
        where="t.completed", joins=_ASSIGNEE,
    ),
    "field_change": Arm(
        "Change", "field_changes", "t.at", "t.by_id", _CHANGE,
        where="t.field NOT IN ('status', 'activity', 'follow_up', 'merged', 'merged_into')",
    ),
    "status": Arm("Status", "field_changes", "t.at", "t.by_id", _CHANGE, where="t.field = 'status'"),
    "follow_up_cancelled": Arm(
        "Follow-up cancelled", "follow_ups", "t.cancelled_at", "t.cancelled_by",
        {**_FOLLOW_UP, "cancel_reason": "t.cancel_reason"}, where="t.cancelled_at IS NOT NULL", joins=_ASSIGNEE,
    ),
    "transfer": Arm(
        "Transfer", "lead_transfers", "t.transferred_at", "t.transferred_by",
        {"from_user_id": "t.from_user_id", "from_name": "giver.full_name", "to_user_id": "t.to_user_id",
         "to_name": "taker.full_name", "reason": "t.transfer_reason", "notes": "t.notes", "batch_id": "t.batch_id"},
        joins="LEFT JOIN users AS giver ON giver.id = t.from_user_id"
        " LEFT JOIN users AS taker ON taker.id = t.to_user_id",
    ),
    "score": Arm(
        "Score", "lead_score_history", "t.changed_at", "t.user_id",
        {"old_score": "t.old_score", "new_score": "t.new_score", "points_changed": "t.points_changed",
         "reason": "t.reason", "run_id": "t.run_id", "activity_id": "t.activity_id"},
    ),
    "merge": Arm(
        "Merge", "field_changes", "t.at", "t.by_id", _CHANGE, where="t.field IN ('merged', 'merged_into')"
    ),
}  # fmt: skip
KINDS = tuple(ARMS)
_RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


class Story:
    """The story of one lead, which must be there, in an order that pages can be cut from (see `athena.api.keyset`).

    An item is `{kind, id, at, actor, title, detail, data}`: title and detail are for people, data is for programs.
    """

    name = "timeline"

    def __init__(self, lead_id: int, kinds: Collection[str] = ()) -> None:
        self._lead = lead_id
        self._kinds = tuple(kind for kind in KINDS if not kinds or kind in kinds)

    def read(self, limit: int, place: Sequence[Any] | None = None, backwards: bool = False) -> list[dict[str, Any]]:
        """The items after `place` (backwards: before it, nearest first): one query, and one for names that need it."""
        at, rank, pk = self._place(place)
        values = {"lead": self._lead, "limit": limit, "at": connection.ops.adapt_datetimefield_value(at)}
        for kind in self._kinds:  # where two things happened at the same moment, the arm's place decides, then the id
            values[kind] = pk if _RANKS[kind] == rank else MAX_ID if _RANKS[kind] < rank else 0
        with connection.cursor() as cursor:
            cursor.execute(_statement(self._kinds, backwards, connection.vendor), values)
            rows = cursor.fetchall()
        return descriptions.told([_item(*row) for row in rows])

    def get_position(self, item: dict[str, Any]) -> list[Any]:
        return [item["at"].isoformat(), _RANKS[item["kind"]], item["id"]]

    def without_order_columns(self, item: dict[str, Any]) -> dict[str, Any]:
        return item

    @staticmethod
    def _place(place: Sequence[Any] | None) -> tuple[datetime, int, int]:
        if place is None:
            return _LATEST, len(KINDS), 0
        at, rank, pk = place
        return datetime.fromisoformat(at), rank, pk


def _item(rank: int, pk: int, at: Any, actor_id: int | None, actor: str | None, data: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(data)
    values |= values.pop("planned", None) or {}  # what was planned then, in the place of what is planned now
    moment: Any = parse_datetime(at) if isinstance(at, str) else at
    return {
        "kind": KINDS[rank],
        "id": pk,
        "at": moment if moment.tzinfo else moment.replace(tzinfo=UTC),
        "actor": None if actor_id is None else {"id": actor_id, "full_name": actor},
        "data": values,
    }


@lru_cache(maxsize=64)
def _statement(kinds: tuple[str, ...], backwards: bool, vendor: str) -> str:
    """The union of the arms. Written once for each choice of kinds: the values are parameters."""
    beyond, way = (">", "ASC") if backwards else ("<", "DESC")
    arms = []
    for kind in kinds:
        arm = ARMS[kind]
        arms.append(
            f"SELECT * FROM (SELECT {_RANKS[kind]} AS rank, t.id AS id, {arm.at} AS at,"  # noqa: S608 (our own names)
            f" {arm.actor} AS actor_id,"
            f" {_object(arm.data, vendor)} AS data FROM {arm.table} AS t {arm.joins}"
            f" WHERE {arm.lead} = %(lead)s AND {arm.where} AND ({arm.at}, t.id) {beyond} (%(at)s, %({kind})s)"
            f" ORDER BY {arm.at} {way}, t.id {way} LIMIT %(limit)s) AS {kind}"
        )
    order = f"ORDER BY s.at {way}, s.rank {way}, s.id {way}"
    return (
        f"SELECT s.rank, s.id, s.at, s.actor_id, actor.full_name, s.data"  # noqa: S608 (our own names)
        f" FROM (SELECT * FROM ({' UNION ALL '.join(arms)}) AS s {order} LIMIT %(limit)s) AS s"
        f" LEFT JOIN users AS actor ON actor.id = s.actor_id {order}"
    )


def _object(data: dict[str, str], vendor: str) -> str:
    """A JSON object of these columns, as text."""
    make, column = ("JSONB_BUILD_OBJECT", "{}") if vendor == "postgresql" else ("JSON_OBJECT", "JSON({})")
    pairs = (
        f"'{name}', {column.format(value[1:]) if value.startswith('*') else value}" for name, value in data.items()
    )
    return f"CAST({make}({', '.join(pairs)}) AS TEXT)"
