"""Undoing an import, batch by batch: what it made is put away, what it replaced comes back, unless touched since."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from athena.accounts.models import User
from athena.db.bulk import IdIn, update_each
from sales.exchange import columns
from sales.models import ImportRow, Lead, LeadImport
from sales.services import locks
from sales.services.imports.imports import advance
from sales.services.leads import lead_batches, leads

BATCH = 2_000
CHANGED_SINCE = "Somebody has worked on this lead since."

_Row = ImportRow.State
_DONE = (_Row.CREATED, _Row.UPDATED)


def undo_batch(lead_import: LeadImport) -> None:
    """All rows of some leads, the last lines first; without any left the import is undone."""
    some = lead_import.rows.filter(state__in=_DONE).order_by("-line")[:BATCH].values_list("lead", flat=True)
    keys = sorted({key for key in some if key is not None})
    rows = list(lead_import.rows.filter(IdIn("lead_id", keys), state__in=_DONE).order_by("-line"))
    if not rows:
        lead_import.state, lead_import.undone_at = LeadImport.State.UNDONE, timezone.now()
        lead_import.save()
        return
    by = lead_import.undone_by
    locked = {lead.pk: lead for lead in locks.lock_leads(keys)}
    made = {row.lead_id for row in rows if row.state == _Row.CREATED}
    results = _give_back(by, lead_import, [row for row in rows if row.lead_id not in made], locked)
    results |= _put_away(by, lead_import, [row for row in rows if row.lead_id in made])
    update_each(ImportRow, ("state", "problems"), results)
    advance(lead_import, len(rows))


def _put_away(by: User | None, lead_import: LeadImport, rows: list[ImportRow]) -> dict[int, tuple[Any, ...]]:
    since: dict[int, Any] = {}
    for row in reversed(rows):  # the last that this import wrote to it; changes are written after all that is made
        since[row.lead_id or 0] = max(filter(None, (row.written_at, since.get(row.lead_id or 0))))
    kept = lead_batches.find_touched_leads(since, since)
    lead_batches.archive(by=by, lead_ids=set(since) - kept, reason=f"{lead_import} undone"[:255])
    return {row.pk: (_Row.KEPT, {"Lead": CHANGED_SINCE}) if row.lead_id in kept else (_Row.UNDONE, {}) for row in rows}


def _give_back(
    by: User | None, lead_import: LeadImport, rows: list[ImportRow], locked: Mapping[int, Lead]
) -> dict[int, tuple[Any, ...]]:
    """The values before, of those fields that still hold what the import put there."""
    changes, differ = [], {}
    now: dict[int, dict[str, Any]] = {}
    for row in rows:
        lead = locked[row.lead_id or 0]
        current = now.setdefault(lead.pk, {})
        back = {}
        for name, (old, new) in (row.changes or {}).items():
            if current.get(name, leads.json_value(lead, name)) == new:
                back[name] = current[name] = old
        differ[row.pk] = sorted(set(row.changes or {}) - set(back))
        changes.append((lead.pk, columns.to_lead_fields(back)))
    results, _ = lead_batches.update(by=by, changes=changes, reason=f"{lead_import} undone"[:255], note=None)
    found: dict[int, tuple[Any, ...]] = {}
    for row, result in zip(rows, results, strict=True):
        problems = {name.replace("_", " "): "It has been changed since." for name in differ[row.pk]}
        if result.refused:
            problems["Lead"] = result.refused
        found[row.pk] = (_Row.KEPT if problems else _Row.UNDONE, problems)
    return found
