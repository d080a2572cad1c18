"""Scores and their history, written for many leads at once.

Only open leads that are not archived are scored; a closed lead keeps its score. A lead is written only where its
`version` is still the one that was read with its inputs: whoever changes an input raises it. Writing raises it too, and
leaves `updated_at` alone, which says when somebody changed the lead; `score_updated_at` says when the score changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from sales.models import Lead
from sales.scoring.compiler import HIGHEST, LOWEST, Compiled, raw_points
from sales.scoring.value_sources import Scope


@dataclass(frozen=True)
class Cause:
    """Why scores are written; it goes into each row of the history."""

    reason: str
    run_id: int | None = None
    user_id: int | None = None
    activity_id: int | None = None


@dataclass(frozen=True)
class Written:
    """`changed` leads got another score; `skipped` ones were changed meanwhile and are still to be scored."""

    changed: int
    skipped: int


_COLUMNS = "lead_id, old_score, new_score, points_changed, reason, changed_at, run_id, user_id, activity_id"
_CLAMP = f"CASE WHEN raw < {LOWEST} THEN {LOWEST} WHEN raw > {HIGHEST} THEN {HIGHEST} ELSE raw END"

# (S608: what is put into these statements is this module's own text and what Django compiled.)
# The database's clock stamps the rows, so that the rows of one lead are in order whichever machine wrote them. `locked`
# takes the rows in key order, as everybody does, and looks again at the version of one that it had to wait for. (The
# range of keys is for the planner; OFFSET 0 has it work out each lead's points once and not wherever they are named.)
_POSTGRESQL = f"""
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


def write_scores(rules: Iterable[Compiled], scope: Scope, cause: Cause) -> Written:
    """Score the open leads of the scope by these rules, as of the scope's time, inside the caller's transaction."""
    candidates = (
        Lead.objects.open()
        .filter(scope.where("pk"))
        .order_by()
        .annotate(raw=raw_points(rules, scope))
        .values_list("pk", "version", "score", "score_raw", "raw")
    )
    sql, params = candidates.query.get_compiler(connection=connection).as_sql()
    why = (cause.reason[:255], cause.run_id, cause.user_id, cause.activity_id)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _on_postgresql(cursor, sql, (*params, scope.first, scope.last, *why))
        return _on_sqlite(cursor, sql, params, why)


def _on_postgresql(cursor: Any, sql: str, params: tuple[Any, ...]) -> Written:
    cursor.execute(_POSTGRESQL.format(candidates=sql), params)
    changed, skipped = cursor.fetchone()
    return Written(changed, skipped)


def _on_sqlite(cursor: Any, sql: str, params: tuple[Any, ...], why: tuple[Any, ...]) -> Written:
    """In two statements, which nothing can come between: a transaction that writes is alone."""
    reason, *who = why
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    cursor.execute(_SQLITE_HISTORY.format(candidates=sql), (reason, now, *who, *params))
    changed = cursor.rowcount
    cursor.execute(_SQLITE_UPDATE.format(candidates=sql), (now, *params))
    return Written(changed, 0)
