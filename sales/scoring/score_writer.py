"""Writes scores and their history for many leads at once.

Only open leads that are not archived are scored; a closed lead keeps its score. A lead is written only if its `version`
is still the one that was read with the values it is scored by: whoever changes such a value raises the version. Writing
a score raises it, too, but leaves `updated_at` alone: that is when somebody changed the lead, while `score_updated_at`
is when the score changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from sales.models import Lead
from sales.scoring.compiler import MAX_SCORE, MIN_SCORE, CompiledRule, build_raw_points
from sales.scoring.value_sources import LeadSelection


@dataclass(frozen=True)
class Cause:
    """Why scores change, and who or what changed them. It goes into each row of the score history."""

    reason: str
    run_id: int | None = None
    user_id: int | None = None
    activity_id: int | None = None


@dataclass(frozen=True)
class WriteResult:
    """How many leads got another score, and how many were skipped because somebody else changed them meanwhile."""

    changed: int
    skipped: int


_COLUMNS = "lead_id, old_score, new_score, points_changed, reason, changed_at, run_id, user_id, activity_id"
_CLAMP = f"CASE WHEN raw < {MIN_SCORE} THEN {MIN_SCORE} WHEN raw > {MAX_SCORE} THEN {MAX_SCORE} ELSE raw END"

# S608: these statements consist of this module's own text and of SQL that Django compiled.

# The database's clock stamps the rows, so a lead's rows are in order whichever machine wrote them. `locked` takes the
# rows in key order, like all other code, and checks the version of a row again that it had to wait for. The range of
# keys helps the query planner; OFFSET 0 makes it compute each lead's points once, not wherever they are named.
_POSTGRESQL_WRITE = f"""
WITH changed AS MATERIALIZED (
    SELECT * FROM (
        SELECT *, {_CLAMP} AS score FROM ({{candidates}} OFFSET 0) AS candidates (id, version, old_score, old_raw, raw)
    ) AS scored
    WHERE score <> old_score OR raw <> old_raw
),
locked AS (
    SELECT leads.id, old_score, changed.score, raw
    FROM leads JOIN changed ON changed.id = leads.id
    WHERE leads.version = changed.version AND leads.id BETWEEN %s AND %s
    ORDER BY leads.id FOR NO KEY UPDATE OF leads
),
updated AS (
    UPDATE leads
    SET score = locked.score, score_raw = raw, version = version + 1,
        score_updated_at = CASE WHEN locked.score = old_score THEN score_updated_at ELSE STATEMENT_TIMESTAMP() END
    FROM locked WHERE leads.id = locked.id
    RETURNING leads.id, old_score, leads.score
),
history AS (
    INSERT INTO lead_score_history ({_COLUMNS})
    SELECT id, old_score, score, score - old_score, %s, STATEMENT_TIMESTAMP(), %s, %s, %s
    FROM updated WHERE score <> old_score
    RETURNING 1
)
SELECT (SELECT COUNT(*) FROM history), (SELECT COUNT(*) FROM changed) - (SELECT COUNT(*) FROM updated)
"""  # noqa: S608

# SQLite takes two statements, which nothing can come between: a transaction that writes is alone.
_SQLITE_CHANGED = f"""
    SELECT * FROM (
        SELECT *, {_CLAMP} AS new_score FROM (
            WITH candidates (id, version, old_score, old_raw, raw) AS ({{candidates}}) SELECT * FROM candidates
        )
    ) WHERE new_score <> old_score OR raw <> old_raw
"""  # noqa: S608
_SQLITE_HISTORY = f"""
INSERT INTO lead_score_history ({_COLUMNS})
SELECT id, old_score, new_score, new_score - old_score, %s, %s, %s, %s, %s FROM ({_SQLITE_CHANGED})
WHERE new_score <> old_score
"""  # noqa: S608
_SQLITE_UPDATE = f"""
UPDATE leads
SET score = new_score, score_raw = raw, version = leads.version + 1,
    score_updated_at = CASE WHEN new_score = old_score THEN score_updated_at ELSE %s END
FROM ({_SQLITE_CHANGED}) AS changed WHERE leads.id = changed.id
"""  # noqa: S608


def write_scores(rules: Iterable[CompiledRule], selection: LeadSelection, cause: Cause) -> WriteResult:
    """Score the selected open leads by these rules, as of the selection's time, in the caller's transaction."""
    candidates = (
        Lead.objects.open()
        .filter(selection.where("pk"))
        .order_by()
        .annotate(raw=build_raw_points(rules, selection))
        .values_list("pk", "version", "score", "score_raw", "raw")
    )
    sql, params = candidates.query.get_compiler(connection=connection).as_sql()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _write_on_postgresql(cursor, sql, (*params, selection.first, selection.last), cause)
        return _write_on_sqlite(cursor, sql, params, cause)


def _write_on_postgresql(cursor: CursorWrapper, candidates: str, params: tuple[Any, ...], cause: Cause) -> WriteResult:
    cause_params = (cause.reason[:255], cause.run_id, cause.user_id, cause.activity_id)
    cursor.execute(_POSTGRESQL_WRITE.format(candidates=candidates), (*params, *cause_params))
    changed, skipped = cursor.fetchone()
    return WriteResult(changed, skipped)


def _write_on_sqlite(cursor: CursorWrapper, candidates: str, params: tuple[Any, ...], cause: Cause) -> WriteResult:
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    cause_params = (cause.reason[:255], now, cause.run_id, cause.user_id, cause.activity_id)
    cursor.execute(_SQLITE_HISTORY.format(candidates=candidates), (*cause_params, *params))
    changed = cursor.rowcount
    cursor.execute(_SQLITE_UPDATE.format(candidates=candidates), (now, *params))
    return WriteResult(changed, 0)
