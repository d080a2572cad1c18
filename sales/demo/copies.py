"""Copies of the generated leads, with other clients, for as many leads as a benchmark needs. A few statements each.

The rows of a copy are those of the original lead, with every id and reference raised by a multiple of its table's
span. So whatever is consistent in the original (its score and its history, its status, its next follow-up) is so in the
copies.
"""

from collections.abc import Callable

from django.db import connection
from django.db.models import Field, Max, Model

from sales.models import (
    Activity,
    CadenceEnrolment,
    FieldChange,
    FollowUp,
    Lead,
    LeadScoreHistory,
    LeadSearch,
    LeadTransfer,
    TransferBatch,
)

LEADS_PER_STATEMENT = 10_000
# In the order of their foreign keys. A follow-up and its activity refer to each other: see `_build_link_statement`.
COPIED_MODELS: tuple[type[Model], ...] = (
    Lead, LeadSearch, TransferBatch, FollowUp, Activity, FieldChange, LeadTransfer, LeadScoreHistory, CadenceEnrolment,
)  # fmt: skip
_CONDITIONS = {
    Lead: "t.id <= %(last)s",
    TransferBatch: "t.id IN (SELECT batch_id FROM lead_transfers WHERE lead_id <= %(last)s)",
}
# How the client of a copy differs. Phone numbers keep their country and area code; the exchange is a possible one.
_COPIED_PHONE = (
    "SUBSTR(t.phone_normalised, 1, 5)"
    " || CAST(2000000 + (CAST(SUBSTR(t.phone_normalised, 6) AS BIGINT) + n.n * 7919) %% 8000000 AS VARCHAR(7))"
)
_CHANGED_COLUMNS: dict[type[Model], dict[str, str]] = {
    Lead: {
        "company_name": "CASE WHEN t.company_name = '' THEN '' ELSE t.company_name || ' ' || n.n END",
        "contact_name": "CASE WHEN t.company_name = '' THEN t.contact_name || ' ' || n.n ELSE t.contact_name END",
        "email": "CASE WHEN t.email = '' THEN '' ELSE n.n || '.' || t.email END",
        "email_normalised": "CASE WHEN t.email_normalised = '' THEN '' ELSE n.n || '.' || t.email_normalised END",
        "phone": f"CASE WHEN t.phone_normalised = '' THEN t.phone ELSE {_COPIED_PHONE} END",
        "phone_normalised": f"CASE WHEN t.phone_normalised = '' THEN '' ELSE {_COPIED_PHONE} END",
    },
    LeadSearch: {  # a copy is found by its own email and phone, and is nobody's duplicate
        "text": "t.text || ' ' || n.n || ' ' || (SELECT c.email_normalised || REPLACE(c.phone_normalised, '+', ' ')"
        " FROM leads AS c WHERE c.id = t.lead_id + n.n * {leads})",
        "company": "CASE WHEN t.company = '' THEN '' ELSE t.company || ' ' || n.n END",
        "company_day": "''",
        "trip": "''",
    },
}


def copy_leads(originals: int, leads: int, progress: Callable[[int], None]) -> None:
    """Copy the `originals` leads in the database, with everything that belongs to them, until there are `leads`.

    `progress` is called with the number of leads so far.
    """
    spans = {model: model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in COPIED_MODELS}
    rounds, rest = divmod(leads, originals)
    step = max(LEADS_PER_STATEMENT // originals, 1)
    parts = [(first, min(first + step, rounds) - 1, originals) for first in range(1, rounds, step)]
    parts += [(rounds, rounds, rest)] if rest else []
    statements = [_build_copy_statement(model, spans) for model in COPIED_MODELS]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SET CONSTRAINTS ALL IMMEDIATE"
            )  # or PostgreSQL keeps the checks of all rows in memory until the end
        for first, last, count in parts:
            params = {"first": first, "final": last, "last": count}
            for statement in statements:
                cursor.execute(statement, params)
            follow_up_ids = {"low": first * spans[FollowUp], "high": (last + 1) * spans[FollowUp]}
            cursor.execute(_build_link_statement(spans), params | follow_up_ids)
            progress(last * originals + count)


def _build_copy_statement(model: type[Model], spans: dict[type[Model], int]) -> str:
    """INSERT … SELECT of all columns, for the copies `first` to `final` of the leads up to `last`."""
    columns = {str(field.column): _build_value(field, spans) for field in model._meta.concrete_fields}
    columns |= {name: sql.format(leads=spans[Lead]) for name, sql in _CHANGED_COLUMNS.get(model, {}).items()}
    names = ", ".join(f'"{name}"' for name in columns)
    condition = _CONDITIONS.get(model, "t.lead_id <= %(last)s")
    table, key = model._meta.db_table, model._meta.pk.column
    return f"""
        INSERT INTO {table} ({names})
        WITH RECURSIVE n (n) AS (SELECT %(first)s UNION ALL SELECT n + 1 FROM n WHERE n < %(final)s)
        SELECT {", ".join(columns.values())} FROM n CROSS JOIN {table} AS t
        WHERE t.{key} <= {spans[model]} AND {condition}
    """  # noqa: S608 (our own names)


def _build_value(field: "Field[object, object]", spans: dict[type[Model], int]) -> str:
    column, target = f't."{field.column}"', field.model if field.primary_key else field.related_model
    if field.model is FollowUp and field.name == "activity":
        return "NULL"
    return f"{column} + n.n * {spans[target]}" if isinstance(target, type) and target in spans else column


def _build_link_statement(spans: dict[type[Model], int]) -> str:
    """Set the activities of completed follow-ups.

    This is done afterwards: while the two wait for each other, SQLite looks for each new activity in all follow-ups.
    """
    follow_ups, activities = spans[FollowUp], spans[Activity]
    return f"""
        UPDATE follow_ups SET activity_id = (
            SELECT t.activity_id FROM follow_ups AS t WHERE t.id = (follow_ups.id - 1) %% {follow_ups} + 1
        ) + (follow_ups.id - 1) / {follow_ups} * {activities}
        WHERE completed AND id > %(low)s AND id <= %(high)s
    """  # noqa: S608
