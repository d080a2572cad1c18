"""Which rows of an import are there already: as an open lead, or on an earlier line of the same file."""

from django.db import connection
from django.db.models import F, Q

from athena.accounts.models import User
from sales.exchange import row_reader
from sales.models import ImportRow, Lead, LeadImport

NO_SUCH_LEAD = f"There is no lead of this number that you can see. {row_reader.RENAME_LEAD_COLUMN}"
DUPLICATE = Q(same_as__isnull=False) | Q(same_line__isnull=False)

# Hashed and sorted whole: row by row the planner, which has seen nothing of a table that has just been filled, would go
# through all the lines before each line.
_LEAD = """
UPDATE import_rows SET same_as_id = found.lead
FROM (
    SELECT import_rows.id AS id, MIN(seen.id) AS lead
    FROM import_rows JOIN ({seen}) AS seen ON seen.{key} = import_rows.{key}
    WHERE lead_import_id = %s AND state = 'ready' AND lead_number IS NULL
        AND same_as_id IS NULL AND import_rows.{key} <> ''
    GROUP BY import_rows.id
) AS found
WHERE import_rows.id = found.id
"""
_FIRST = """
SELECT id, line, MIN(line) OVER (PARTITION BY {key}) AS first
FROM import_rows WHERE lead_import_id = %s AND state = 'ready' AND lead_number IS NULL AND {key} <> ''
"""
_LINE = """
UPDATE import_rows SET same_line = found.first
FROM (SELECT id, MIN(first) AS first FROM ({first}) AS same WHERE first < line GROUP BY id) AS found
WHERE import_rows.id = found.id
"""
_KEYS = ("email_normalised", "phone_normalised")


def find(by: User, lead_import: LeadImport) -> int:
    """Mark each row that is ready with its lead: the one whose number it gives, and no other; else the open one, or the
    line, whose e-mail or else phone it has. Returns how many. A number of no lead that `by` can see makes a row wrong.

    Without a number only open leads that `by` can see count: what asks again after its sale was closed is new.
    """
    rows = ImportRow.objects.filter(lead_import=lead_import, state=ImportRow.State.READY)
    rows.filter(DUPLICATE).update(same_as=None, same_line=None)
    visible = Lead.objects.visible_to(by).order_by().values("pk")
    numbered = rows.filter(lead_number__isnull=False)
    numbered.filter(lead_number__in=visible).update(same_as_id=F("lead_number"))
    numbered.filter(same_as=None).update(state=ImportRow.State.WRONG, problems={"Lead": NO_SUCH_LEAD})
    with connection.cursor() as cursor:
        for key in _KEYS:
            seen = Lead.objects.visible_to(by).open().exclude(**{key: ""}).order_by().values_list("id", key)
            sql, params = seen.query.sql_with_params()
            cursor.execute(_LEAD.format(seen=sql, key=key), [*params, lead_import.pk])
        first = " UNION ALL ".join(_FIRST.format(key=key) for key in _KEYS)
        cursor.execute(_LINE.format(first=first), [lead_import.pk] * len(_KEYS))
    return rows.filter(DUPLICATE).count()
