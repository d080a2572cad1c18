"""Undoing an import in batches: created leads are archived and replaced values restored, unless touched since."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from athena.db.bulk import IdIn, update_each
from sales.exchange import columns
from sales.models import ImportRow, Lead, LeadImport
from sales.services import locks
from sales.services.leads import lead_batches, leads

BATCH_ROWS = 2_000
TOUCHED_LEAD = "Somebody has worked on this lead since."
CHANGED_FIELD = "It has been changed since."

_RowState = ImportRow.State
RowResult = tuple[str, dict[str, str]]  # the new state of a row, and its problems by column


def undo_batch(lead_import: LeadImport) -> int:
    """Undo all rows of some leads, from the last row of the file to the first; after the last batch the import is
    undone. Returns the number of rows."""
    imported = lead_import.rows.filter(state__in=ImportRow.IMPORTED_STATES, lead__isnull=False).order_by("-line")
    batch = list(imported.values_list("lead", flat=True)[:BATCH_ROWS])
    lead_ids = sorted(set(batch))
    rows = list(imported.filter(IdIn("lead_id", lead_ids))) if batch else []
    if rows:
        _undo_rows(lead_import, rows, lead_ids)
    if len(batch) < BATCH_ROWS:
        lead_import.state, lead_import.undone_at = LeadImport.State.UNDONE, timezone.now()
    return len(rows)


def _undo_rows(lead_import: LeadImport, rows: list[ImportRow], lead_ids: list[int]) -> None:
    locked = {lead.pk: lead for lead in locks.lock_leads(lead_ids)}
    created = {row.lead_id for row in rows if row.state == _RowState.CREATED}
    updates = [row for row in rows if row.lead_id not in created]
    results = _restore_values(lead_import, updates, locked) if updates else {}
    if created:
        results |= _archive_created(lead_import, [row for row in rows if row.lead_id in created])
    update_each(ImportRow, ("state", "problems"), results)


def _archive_created(lead_import: LeadImport, rows: list[ImportRow]) -> dict[int, RowResult]:
    """Archive the leads of these rows that nobody has touched since the import last wrote to them."""
    written_at: dict[int, datetime] = {}
    for row in rows:
        lead_id = row.lead_id or 0
        written_at[lead_id] = max(filter(None, (row.written_at, written_at.get(lead_id))))
    touched = lead_batches.find_touched_leads(written_at)
    lead_batches.archive(by=lead_import.undone_by, lead_ids=written_at.keys() - touched, reason=_reason(lead_import))
    return {
        row.pk: (_RowState.KEPT, {"Lead": TOUCHED_LEAD}) if row.lead_id in touched else (_RowState.UNDONE, {})
        for row in rows
    }


def _restore_values(lead_import: LeadImport, rows: list[ImportRow], locked: dict[int, Lead]) -> dict[int, RowResult]:
    """Restore the values from before the import, of those fields that still have the import's value."""
    changes: list[tuple[int, dict[str, Any]]] = []
    changed_fields: list[list[str]] = []
    restored: dict[int, dict[str, Any]] = {}  # by lead: values that a later row has restored in this batch
    for row in rows:
        lead = locked[row.lead_id or 0]
        current = restored.setdefault(lead.pk, {})
        row_changes = row.changes or {}
        values = {}
        for name, (old, new) in row_changes.items():
            if current.get(name, leads.json_value(lead, name)) == new:
                values[name] = current[name] = old
        changed_fields.append(sorted(row_changes.keys() - values.keys()))
        changes.append((lead.pk, columns.to_lead_fields(values)))
    results, _ = lead_batches.update(
        by=lead_import.undone_by, changes=changes, reason=_reason(lead_import), import_id=None
    )
    row_results: dict[int, RowResult] = {}
    for row, result, fields in zip(rows, results, changed_fields, strict=True):
        problems = {name.replace("_", " "): CHANGED_FIELD for name in fields}
        if result.refused:
            problems["Lead"] = result.refused
        row_results[row.pk] = (_RowState.KEPT if problems else _RowState.UNDONE, problems)
    return row_results


def _reason(lead_import: LeadImport) -> str:
    return f"{lead_import} undone"[:255]
