"""The told stories again, of other clients, for as many leads as a benchmark wants: a few statements for many leads.

A copy's rows are those of the story, each id and each reference moved up by a whole number of spans, so whatever holds
for a story (what a score is the sum of, what closed a lead, when the next follow-up is due) holds for its copies.
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

AT_ONCE = 10_000  # leads a statement
# In the order in which they need each other. A follow-up names its activity, which names the follow-up: see `_link`.
COPIED: tuple[type[Model], ...] = (
    Lead, LeadSearch, TransferBatch, FollowUp, Activity, FieldChange, LeadTransfer, LeadScoreHistory, CadenceEnrolment,
)  # fmt: skip
_WHICH = {
    Lead: "t.id <= %(last)s",
    TransferBatch: "t.id IN (SELECT batch_id FROM lead_transfers WHERE lead_id <= %(last)s)",
}
# How a copy's client differs. Numbers keep their country and area, and seven digits of an exchange that there may be.
_NUMBER = (
    "SUBSTR(t.phone_normalised, 1, 5)"
    " || CAST(2000000 + (CAST(SUBSTR(t.phone_normalised, 6) AS BIGINT) + n.n * 7919) %% 8000000 AS VARCHAR(7))"
)
_OTHER: dict[type[Model], dict[str, str]] = {
    Lead: {
        "company_name": "CASE WHEN t.company_name = '' THEN '' ELSE t.company_name || ' ' || n.n END",
        "contact_name": "CASE WHEN t.company_name = '' THEN t.contact_name || ' ' || n.n ELSE t.contact_name END",
        "email": "CASE WHEN t.email = '' THEN '' ELSE n.n || '.' || t.email END",
        "email_normalised": "CASE WHEN t.email_normalised = '' THEN '' ELSE n.n || '.' || t.email_normalised END",
        "phone": f"CASE WHEN t.phone_normalised = '' THEN t.phone ELSE {_NUMBER} END",
        "phone_normalised": f"CASE WHEN t.phone_normalised = '' THEN '' ELSE {_NUMBER} END",
    },
    LeadSearch: {  # found by its own address and number; and nobody's duplicate
        "text": "t.text || ' ' || n.n || ' ' || (SELECT c.email_normalised || REPLACE(c.phone_normalised, '+', ' ')"
        " FROM leads AS c WHERE c.id = t.lead_id + n.n * {leads})",
        "company": "CASE WHEN t.company = '' THEN '' ELSE t.company || ' ' || n.n END",
        "company_day": "''",
        "trip": "''",
    },
}


def multiply(told: int, leads: int, progress: Callable[[int], None]) -> None:
    """Make the `told` leads that there are, with all that belongs to them, into `leads`."""
    spans = {model: model._default_manager.aggregate(last=Max("pk"))["last"] or 0 for model in COPIED}
    whole, rest = divmod(leads, told)
    step = max(AT_ONCE // told, 1)
    parts = [(first, min(first + step, whole) - 1, told) for first in range(1, whole, step)]
    parts += [(whole, whole, rest)] if rest else []
    statements = [_copy(model, spans) for model in COPIED]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # or each row's checks are kept in memory until the end
        for first, last, of in parts:
            values = {"first": first, "final": last, "last": of}
            for statement in statements:
                cursor.execute(statement, values)
            cursor.execute(
                _link(spans), values | {"low": first * spans[FollowUp], "high": (last + 1) * spans[FollowUp]}
            )
            progress(last * told + of)


def _copy(model: type[Model], spans: dict[type[Model], int]) -> str:
    """INSERT … SELECT of every column there is, for the copies `first` to `final` of the leads up to `last`."""
    columns = {str(field.column): _value(field, spans) for field in model._meta.concrete_fields}
    columns |= {name: how.format(leads=spans[Lead]) for name, how in _OTHER.get(model, {}).items()}
    names = ", ".join(f'"{name}"' for name in columns)
    which = _WHICH.get(model, "t.lead_id <= %(last)s")
    table, key = model._meta.db_table, model._meta.pk.column
    return f"""
        INSERT INTO {table} ({names})
        WITH RECURSIVE n (n) AS (SELECT %(first)s UNION ALL SELECT n + 1 FROM n WHERE n < %(final)s)
        SELECT {", ".join(columns.values())} FROM n CROSS JOIN {table} AS t WHERE t.{key} <= {spans[model]} AND {which}
    """  # noqa: S608 (our own names)


def _value(field: "Field[object, object]", spans: dict[type[Model], int]) -> str:
    column, to = f't."{field.column}"', field.model if field.primary_key else field.related_model
    if field.model is FollowUp and field.name == "activity":
        return "NULL"
    return f"{column} + n.n * {spans[to]}" if to in spans else column  # type: ignore[index]


def _link(spans: dict[type[Model], int]) -> str:
    """Afterwards: while the one waits for the other, SQLite looks for each new activity in all follow-ups."""
    follow_ups, activities = spans[FollowUp], spans[Activity]
    return f"""
        UPDATE follow_ups SET activity_id = (
            SELECT t.activity_id FROM follow_ups AS t WHERE t.id = (follow_ups.id - 1) %% {follow_ups} + 1
        ) + (follow_ups.id - 1) / {follow_ups} * {activities}
        WHERE completed AND id > %(low)s AND id <= %(high)s
    """  # noqa: S608
