"""The kinds of timeline entries, and the SQL that reads each kind from its table.

The SQL consists of our own names alone; values are parameters. The table of a kind is called `t`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_FOLLOW_UP = {
    "follow_up_type": "t.follow_up_type",
    "scheduled_date": "t.scheduled_date",
    "scheduled_time": "t.scheduled_time",
    "assigned_to": "t.assigned_to",
    "assigned_to_name": "assignee.full_name",
}
_JOIN_ASSIGNEE = "JOIN users AS assignee ON assignee.id = t.assigned_to"

# The source with which a lead was created: the one before (or, if it had none, after) its first change of source, or
# the present one.
_FIRST_SOURCE_CHANGE = (
    "(SELECT id FROM field_changes WHERE lead_id = t.id AND field = 'source' ORDER BY at, id LIMIT 1)"
)
_OLD_SOURCE_ID = "CAST(NULLIF(CAST(source_change.old AS TEXT), 'null') AS BIGINT)"
_NEW_SOURCE_ID = "CAST(NULLIF(CAST(source_change.new AS TEXT), 'null') AS BIGINT)"
_FIRST_SOURCE_ID = f"COALESCE({_OLD_SOURCE_ID}, {_NEW_SOURCE_ID}, t.source_id)"


@dataclass(frozen=True)
class EntryKind:
    """How one kind of entry is read: from which table, when it happened, and who did it.

    `columns` and `json_columns` are the keys of an entry's `data`, each with its SQL; the latter hold JSON.
    """

    label: str
    table: str
    at: str
    actor: str
    columns: Mapping[str, str]
    json_columns: Mapping[str, str] = field(default_factory=dict)
    where: str = "TRUE"
    joins: str = ""
    lead: str = "t.lead_id"

    def build_select(self, kind: str, rank: int, comparison: str, direction: str, vendor: str) -> str:
        """The SELECT of this kind's entries before (`<`, DESC) or after (`>`, ASC) a position.

        Its parameters are `lead`, `at`, `limit` and, named for the kind, the id at the position.
        """
        return (
            f"SELECT * FROM (SELECT {rank} AS rank, t.id AS id, {self.at} AS at,"  # noqa: S608 (our own names)
            f" {self.actor} AS actor_id,"
            f" {self._build_json_object(vendor)} AS data FROM {self.table} AS t {self.joins}"
            f" WHERE {self.lead} = %(lead)s AND {self.where} AND ({self.at}, t.id) {comparison} (%(at)s, %({kind})s)"
            f" ORDER BY {self.at} {direction}, t.id {direction} LIMIT %(limit)s) AS {kind}"
        )

    def _build_json_object(self, vendor: str) -> str:
        """A JSON object of the columns, as text."""
        function, nested = ("JSONB_BUILD_OBJECT", "{}") if vendor == "postgresql" else ("JSON_OBJECT", "JSON({})")
        columns = {**self.columns, **{name: nested.format(sql) for name, sql in self.json_columns.items()}}
        pairs = ", ".join(f"'{name}', {sql}" for name, sql in columns.items())
        return f"CAST({function}({pairs}) AS TEXT)"


def _build_change_kind(label: str, where: str) -> EntryKind:
    """A kind of change that is recorded as a `FieldChange`."""
    return EntryKind(
        label,
        table="field_changes",
        at="t.at",
        actor="t.by_id",
        columns={"field": "t.field"},
        json_columns={"old": "t.old", "new": "t.new"},
        where=where,
    )


# If several things happened at the same time, the later one in this list is shown first: it followed from the others.
ENTRY_KINDS = {
    "created": EntryKind(
        "Created",
        table="leads",
        at="t.created_at",
        actor="t.created_by",
        columns={"source": _FIRST_SOURCE_ID, "source_name": "source.name"},
        joins=f"LEFT JOIN field_changes AS source_change ON source_change.id = {_FIRST_SOURCE_CHANGE}"
        f" LEFT JOIN lead_sources AS source ON source.id = {_FIRST_SOURCE_ID}",
        lead="t.id",
    ),
    "follow_up_planned": EntryKind(
        "Follow-up planned",
        table="follow_ups",
        at="t.created_at",
        actor="t.created_by",
        columns={**_FOLLOW_UP, "first_scheduled_date": "t.first_scheduled_date", "notes": "t.notes"},
        json_columns={"planned": "t.planned"},
        joins=_JOIN_ASSIGNEE,
    ),
    "follow_up_changed": _build_change_kind("Follow-up changed", "t.field = 'follow_up'"),
    "activity": EntryKind(
        "Activity",
        table="activities",
        at="t.occurred_at",
        actor="t.user_id",
        columns={
            "activity_type": "t.activity_type",
            "direction": "t.direction",
            "description": "t.description",
            "notes": "t.notes",
        },
        json_columns={"data": "t.data"},
        where="t.activity_type NOT IN ('transfer', 'status_change') AND t.follow_up_id IS NULL",
    ),
    "correction": _build_change_kind("Correction", "t.field = 'activity'"),
    "follow_up_done": EntryKind(
        "Follow-up completed",
        table="follow_ups",
        at="t.completed_at",
        actor="t.completed_by",
        columns={
            **_FOLLOW_UP,
            "outcome": "t.outcome",
            "outcome_notes": "t.outcome_notes",
            "activity_id": "t.activity_id",
            "no_next_reason": "t.no_next_reason",
        },
        where="t.completed",
        joins=_JOIN_ASSIGNEE,
    ),
    "field_change": _build_change_kind(
        "Change", "t.field NOT IN ('status', 'activity', 'follow_up', 'merged', 'merged_into')"
    ),
    "status": _build_change_kind("Status", "t.field = 'status'"),
    "follow_up_cancelled": EntryKind(
        "Follow-up canceled",
        table="follow_ups",
        at="t.cancelled_at",
        actor="t.cancelled_by",
        columns={**_FOLLOW_UP, "cancel_reason": "t.cancel_reason"},
        where="t.cancelled_at IS NOT NULL",
        joins=_JOIN_ASSIGNEE,
    ),
    "transfer": EntryKind(
        "Transfer",
        table="lead_transfers",
        at="t.transferred_at",
        actor="t.transferred_by",
        columns={
            "from_user_id": "t.from_user_id",
            "from_name": "old_owner.full_name",
            "to_user_id": "t.to_user_id",
            "to_name": "new_owner.full_name",
            "reason": "t.transfer_reason",
            "notes": "t.notes",
            "batch_id": "t.batch_id",
        },
        joins="LEFT JOIN users AS old_owner ON old_owner.id = t.from_user_id"
        " LEFT JOIN users AS new_owner ON new_owner.id = t.to_user_id",
    ),
    "score": EntryKind(
        "Score",
        table="lead_score_history",
        at="t.changed_at",
        actor="t.user_id",
        columns={
            "old_score": "t.old_score",
            "new_score": "t.new_score",
            "points_changed": "t.points_changed",
            "reason": "t.reason",
            "run_id": "t.run_id",
            "activity_id": "t.activity_id",
        },
    ),
    "merge": _build_change_kind("Merge", "t.field IN ('merged', 'merged_into')"),
}
KINDS = tuple(ENTRY_KINDS)
RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
