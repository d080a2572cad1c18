"""Marking the duplicates among an import's rows: those that match an open lead, or an earlier row of the same file."""

from django.db import connection
from django.db.models import F, Q

from athena.accounts.models import User
from sales.exchange import columns, row_reader
from sales.models import ImportRow, Lead, LeadImport

NO_SUCH_LEAD = f"There is no lead with this number that you can see. {row_reader.RENAME_LEAD_COLUMN}"
IS_DUPLICATE = Q(same_as__isnull=False) | Q(same_line__isnull=False)

# Both statements join and sort the whole table at once. The planner knows nothing of a table that has just been filled,
# and would otherwise go through all rows for each row.
_MATCH_LEADS = """
UPDATE import_rows SET same_as_id = matches.lead
FROM (
    SELECT import_rows.id AS id, MIN(open_leads.id) AS lead
    FROM import_rows JOIN ({open_leads}) AS open_leads ON open_leads.{key} = import_rows.{key}
    WHERE lead_import_id = %s AND state = 'ready' AND lead_number IS NULL
        AND same_as_id IS NULL AND import_rows.{key} <> ''
    GROUP BY import_rows.id
) AS matches
WHERE import_rows.id = matches.id
"""
_FIRST_LINES = """
SELECT id, line, MIN(line) OVER (PARTITION BY {key}) AS first
FROM import_rows WHERE lead_import_id = %s AND state = 'ready' AND lead_number IS NULL AND {key} <> ''
"""
_MATCH_ROWS = """
UPDATE import_rows SET same_line = matches.first
FROM (SELECT id, MIN(first) AS first FROM ({first_lines}) AS same WHERE first < line GROUP BY id) AS matches
WHERE import_rows.id = matches.id
"""
_KEYS = ("email_normalised", "phone_normalised")  # in the order of their weight


def mark_duplicates(lead_import: LeadImport, *, by: User) -> None:
    """Set `same_as` and `same_line` of each row that is ready; rows of other imports stay as they are.

    A row that gives a lead's number matches that lead and no other; the number of a lead that `by` can't see makes
    the row wrong. Any other row matches the oldest open lead that `by` can see with the same email address, or else
    with the same phone number, and the first row of the file with either. Closed leads don't match: a
    client who asks again after a closed sale is a new inquiry.
    """
    rows = ImportRow.objects.filter(lead_import=lead_import, state=ImportRow.State.READY)
    rows.filter(IS_DUPLICATE).update(same_as=None, same_line=None)
    visible = Lead.objects.visible_to(by).order_by()
    if columns.LEAD_NUMBER in lead_import.columns:
        numbered = rows.filter(lead_number__isnull=False)
        numbered.filter(lead_number__in=visible.values("pk")).update(same_as_id=F("lead_number"))
        numbered.filter(same_as=None).update(state=ImportRow.State.WRONG, problems={"Lead": NO_SUCH_LEAD})
    with connection.cursor() as cursor:
        for key in _KEYS:
            open_leads = visible.open().exclude(**{key: ""}).values_list("id", key)
            sql, params = open_leads.query.sql_with_params()
            cursor.execute(_MATCH_LEADS.format(open_leads=sql, key=key), [*params, lead_import.pk])
        first_lines = " UNION ALL ".join(_FIRST_LINES.format(key=key) for key in _KEYS)
        cursor.execute(_MATCH_ROWS.format(first_lines=first_lines), [lead_import.pk] * len(_KEYS))
