"""A lead's timeline: everything that happened to it, newest first, each thing once.

One statement reads it: for each kind of entry a SELECT of the newest few rows, by an index on the lead, and a UNION of
these. A page costs the same however long the timeline is, and nothing is stored twice.

What two tables record is shown from the one that knows more: a completed follow-up from the follow-up, a transfer from
the transfer, a new status from the field change. Their rows in the activity log are left out.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from athena.api.fields import MAX_ID
from sales.queries.timeline.descriptions import Event, describe_events
from sales.queries.timeline.entry_kinds import ENTRY_KINDS, KINDS, RANKS

_LATEST = datetime(9999, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Actor:
    id: int
    full_name: str | None


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened: `title` and `detail` are for people, `data` is for programs.

    `id` is that of the row which records it. There is no `actor` if Athena did it, or if it is not known who did.
    """

    kind: str
    id: int
    at: datetime
    actor: Actor | None
    title: str
    detail: str
    data: dict[str, Any]

    @property
    def label(self) -> str:
        """The kind in words."""
        return ENTRY_KINDS[self.kind].label

    @property
    def position(self) -> list[Any]:
        """Where the entry is in the timeline, in values that JSON can hold."""
        return _build_position(self.at, self.kind, self.id)


class Timeline:
    """The timeline of a lead that exists, perhaps of some kinds only.

    It is a `Pageable` for `athena.api.pagination`, for which an entry is a dict.
    """

    name = "timeline"

    def __init__(self, lead_id: int, kinds: Collection[str] = ()) -> None:
        self._lead_id = lead_id
        self._kinds = tuple(kind for kind in KINDS if not kinds or kind in kinds)

    def read_entries(
        self, limit: int, position: Sequence[Any] | None = None, backwards: bool = False
    ) -> list[TimelineEntry]:
        """The entries that are older than `position`; backwards: newer ones, the nearest first.

        One query, and one each for the names of sources and lost reasons that occur.
        """
        at, rank, pk = self._parse_position(position)
        params = {"lead": self._lead_id, "limit": limit, "at": connection.ops.adapt_datetimefield_value(at)}
        for kind in self._kinds:  # at the same time, the rank of the kind decides, then the id
            params[kind] = pk if RANKS[kind] == rank else MAX_ID if RANKS[kind] < rank else 0
        with connection.cursor() as cursor:
            cursor.execute(_build_statement(self._kinds, backwards, connection.vendor), params)
            rows = [_Row(*row) for row in cursor.fetchall()]
        events = [Event(KINDS[row.rank], _parse_data(row.data)) for row in rows]
        return [
            TimelineEntry(event.kind, row.id, _parse_datetime(row.at), row.actor, title, detail, event.data)
            for row, event, (title, detail) in zip(rows, events, describe_events(events), strict=True)
        ]

    def read(self, limit: int, position: Sequence[Any] | None = None, backwards: bool = False) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self.read_entries(limit, position, backwards)]

    def get_position(self, row: dict[str, Any]) -> list[Any]:
        return _build_position(row["at"], row["kind"], row["id"])

    def without_order_columns(self, row: dict[str, Any]) -> dict[str, Any]:
        return row

    @staticmethod
    def _parse_position(position: Sequence[Any] | None) -> tuple[datetime, int, int]:
        if position is None:
            return _LATEST, len(KINDS), 0
        at, rank, pk = position
        return datetime.fromisoformat(at), rank, pk


@dataclass(frozen=True)
class _Row:
    """A row of the statement. SQLite gives the time as text."""

    rank: int
    id: int
    at: datetime | str
    actor_id: int | None
    actor_name: str | None
    data: str

    @property
    def actor(self) -> Actor | None:
        return None if self.actor_id is None else Actor(self.actor_id, self.actor_name)


def _build_position(at: datetime, kind: str, pk: int) -> list[Any]:
    return [at.isoformat(), RANKS[kind], pk]


def _parse_data(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(text)
    first_plan = data.pop("planned", None) or {}  # what was planned then replaces what is planned now
    return data | first_plan


def _parse_datetime(value: datetime | str) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@lru_cache(maxsize=64)
def _build_statement(kinds: tuple[str, ...], backwards: bool, vendor: str) -> str:
    """The UNION of the kinds, built once for each choice of kinds: all values are parameters."""
    comparison, direction = (">", "ASC") if backwards else ("<", "DESC")
    selects = [ENTRY_KINDS[kind].build_select(kind, RANKS[kind], comparison, direction, vendor) for kind in kinds]
    order = f"ORDER BY s.at {direction}, s.rank {direction}, s.id {direction}"
    return (
        f"SELECT s.rank, s.id, s.at, s.actor_id, actor.full_name, s.data"  # noqa: S608 (our own names)
        f" FROM (SELECT * FROM ({' UNION ALL '.join(selects)}) AS s {order} LIMIT %(limit)s) AS s"
        f" LEFT JOIN users AS actor ON actor.id = s.actor_id {order}"
    )
