"""Which rows of an import are there already: as an open lead, or on an earlier line of the same file."""

from django.db import connection
from django.db.models import Q

from athena.accounts.models import User
from sales.models import ImportRow, Lead, LeadImport

DUPLICATE = Q(same_as__isnull=False) | Q(same_line__isnull=False)

# Hashed and sorted whole: row by row the planner, which has seen nothing of a table that has just been filled, would go
# through all the lines before each line.
_LEAD = """
UPDATE import_rows SET same_as_id = found.lead
FROM (
    SELECT import_rows.id AS id, MIN(seen.id) AS lead
    FROM import_rows JOIN ({seen}) AS seen ON seen.{key} = import_rows.{key}
    WHERE lead_import_id = %s AND state = 'ready' AND same_as_id IS NULL AND import_rows.{key} <> ''
    GROUP BY import_rows.id
) AS found
WHERE import_rows.id = found.id
"""
_FIRST = """
SELECT id, line, MIN(line) OVER (PARTITION BY {key}) AS first
FROM import_rows WHERE lead_import_id = %s AND state = 'ready' AND {key} <> ''
"""
_LINE = """
UPDATE import_rows SET same_line = found.first
FROM (SELECT id, MIN(first) AS first FROM ({first}) AS same WHERE first < line GROUP BY id) AS found
WHERE import_rows.id = found.id
"""
_KEYS = ("email_normalised", "phone_normalised")


def find(by: User, lead_import: LeadImport) -> int:
    """Mark each row that is ready with the lead, or the line, whose e-mail or else phone it has. Returns how many.

    Only open leads that `by` can see count: what asks again after its sale was closed is a new inquiry.
    """
    rows = ImportRow.objects.filter(lead_import=lead_import, state=ImportRow.State.READY)
    rows.filter(DUPLICATE).update(same_as=None, same_line=None)
    with connection.cursor() as cursor:
        for key in _KEYS:
            seen = Lead.objects.visible_to(by).open().exclude(**{key: ""}).order_by().values_list("id", key)
            sql, params = seen.query.sql_with_params()
            cursor.execute(_LEAD.format(seen=sql, key=key), [*params, lead_import.pk])
        first = " UNION ALL ".join(_FIRST.format(key=key) for key in _KEYS)
        cursor.execute(_LINE.format(first=first), [lead_import.pk] * len(_KEYS))
    return rows.filter(DUPLICATE).count()
