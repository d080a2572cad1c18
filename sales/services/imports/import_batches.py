"""The work of imports, in batches of rows. Each batch is one transaction that holds the import's row.

(Only reading the file is in no transaction: `row_staging`.) A row changes its state in the transaction that does its
work, so a worker that is killed loses no work, and nothing is done twice.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from django.db import transaction
from django.utils import timezone

from athena import task_names
from athena.db.availability import is_unavailable
from athena.db.bulk import IdIn, update_each
from athena.runtime.task_publisher import publish_task
from notifications import outbox
from notifications.kinds import UNLISTED
from sales.exchange import columns, subprocess_reader
from sales.models import ImportRow, Lead, LeadImport
from sales.services import locks
from sales.services.imports import duplicate_rows, import_undo, row_checks, row_staging
from sales.services.leads import lead_batches

logger = structlog.get_logger(__name__)

BATCH_ROWS = 2_000
MAX_SMALL_ROWS = 1_000  # of an import that is done while the user waits
MAX_NAMED_LEADS = 20  # in the notification of an owner

_State = LeadImport.State
_RowState = ImportRow.State


class ReadyRow(NamedTuple):
    """The columns of a row that are needed to import it."""

    pk: int
    line: int
    step: int
    values: dict[str, Any]
    email_normalised: str
    phone_normalised: str
    same_as_id: int | None
    same_line: int | None


def run_all(*, max_batches: int | None = None) -> int:
    """Do the work of all unfinished imports, or `max_batches` of it. Returns the number of batches that were done.

    Several workers may run it at the same time.
    """
    done = 0
    unfinished = LeadImport.objects.filter(state__in=LeadImport.UNFINISHED).order_by("pk")
    for import_id, state in unfinished.values_list("pk", "state"):
        while state in LeadImport.UNFINISHED and (max_batches is None or done < max_batches):
            lead_import = _run_step(import_id, state)
            if lead_import is None:
                break
            state = lead_import.state
            done += 1
    return done


def run_or_publish(import_id: int) -> None:
    """Do the work of a small import at once, for a user who waits; leave that of a large one to a worker."""
    state, total, size = LeadImport.objects.values_list("state", "total", "file__size").get(pk=import_id)
    is_small = total <= MAX_SMALL_ROWS and (state != _State.READING or (size or 0) <= subprocess_reader.MAX_SMALL_BYTES)
    while is_small and state in LeadImport.UNFINISHED:
        lead_import = _run_step(import_id, state, only_small=True)
        if lead_import is None:
            break
        state, is_small = lead_import.state, lead_import.total <= MAX_SMALL_ROWS
    if state in LeadImport.UNFINISHED:
        publish_task(task_names.IMPORT_LEADS)


def _run_step(import_id: int, state: str, *, only_small: bool = False) -> LeadImport | None:
    """Read the file, or do one batch. Returns the import as it is then.

    Returns None if another worker is at it, if it is in another state by now, if `only_small` and the file is large, or
    after an error, which ends the import as failed.
    """
    try:
        if state == _State.READING:
            return row_staging.stage_file(import_id, only_small=only_small)
        return _run_batch(import_id)
    except Exception as error:
        if is_unavailable(error):
            raise
        logger.exception("import_failed", lead_import=import_id)
        LeadImport.objects.filter(pk=import_id, state__in=LeadImport.UNFINISHED).update(
            state=_State.FAILED, finished_at=timezone.now(), error=f"{type(error).__name__}: {error}"[:500]
        )
        return None


@transaction.atomic
def _run_batch(import_id: int) -> LeadImport | None:
    waiting = LeadImport.objects.select_for_update(skip_locked=True, of=("self",)).select_related("by", "undone_by")
    lead_import: LeadImport | None = waiting.filter(pk=import_id, state__in=_BATCHES).first()
    if lead_import is None:
        return None
    rows_done = _BATCHES[lead_import.state](lead_import)
    _save_progress(lead_import, rows_done)
    return lead_import


def _save_progress(lead_import: LeadImport, rows_done: int) -> None:
    lead_import.processed += rows_done
    lead_import.save(update_fields=["state", "processed", "finished_at", "undone_at"])


def _check_batch(lead_import: LeadImport) -> int:
    """Check a batch of rows; after the last one, mark duplicates. Returns the number of rows."""
    staged = lead_import.rows.filter(state=_RowState.STAGED).order_by("line")
    rows = list(staged.values_list("pk", "cells")[:BATCH_ROWS])
    if rows:
        checked = row_checks.check_rows([cells for _, cells in rows], lead_import)
        update_each(ImportRow, row_checks.CheckedRow._fields, dict(zip((key for key, _ in rows), checked, strict=True)))
    if len(rows) < BATCH_ROWS:
        duplicate_rows.mark_duplicates(lead_import, by=lead_import.by)
        lead_import.state = _State.CHECKED
    return len(rows)


def _import_batch(lead_import: LeadImport) -> int:
    """Create leads from a batch of rows, or, when all are created, update leads. Returns the number of rows."""
    ready = lead_import.rows.filter(state=_RowState.READY).order_by("step", "line")
    batch = [ReadyRow(*row) for row in ready.values_list(*ReadyRow._fields)[:BATCH_ROWS]]
    rows = [row for row in batch if row.step == batch[0].step]
    if rows and rows[0].step == ImportRow.CREATE_STEP:
        _create_leads(lead_import, rows)
    elif rows:
        _update_leads(lead_import, rows)
    if len(rows) == len(batch) < BATCH_ROWS:
        _finish(lead_import)
    return len(rows)


_BATCHES: dict[str, Callable[[LeadImport], int]] = {
    _State.CHECKING: _check_batch,
    _State.IMPORTING: _import_batch,
    _State.UNDOING: import_undo.undo_batch,
}


def _create_leads(lead_import: LeadImport, rows: list[ReadyRow]) -> None:
    new = [
        Lead(
            email_normalised=row.email_normalised,
            phone_normalised=row.phone_normalised,
            **columns.to_lead_fields(row.values),
        )
        for row in rows
    ]
    now = lead_batches.create(by=lead_import.by, new=new, reason=_reason(lead_import), import_id=lead_import.pk)
    created = {row.pk: (lead.pk, _RowState.CREATED, now) for row, lead in zip(rows, new, strict=True)}
    update_each(ImportRow, ("lead", "state", "written_at"), created)


def _update_leads(lead_import: LeadImport, rows: list[ReadyRow]) -> None:
    changes = _build_changes(rows, _find_targets(lead_import, rows))
    results, now = lead_batches.update(
        by=lead_import.by, changes=changes, reason=_reason(lead_import), import_id=lead_import.pk
    )
    updated = {}
    for row, (lead_id, _), result in zip(rows, changes, results, strict=True):
        state = _RowState.UPDATED if result.values else _RowState.SKIPPED
        problems = {} if result.values else {"Lead": result.refused or "The row does not differ from the lead."}
        updated[row.pk] = (lead_id or None, state, dict(result.values), problems, now)
    update_each(ImportRow, ("lead", "state", "changes", "problems", "written_at"), updated)


def _build_changes(rows: list[ReadyRow], targets: dict[int, int]) -> list[tuple[int, dict[str, Any]]]:
    """Return what each row changes: a lead, and its new fields. Extra lines are added to the notes of the lead."""
    has_extra_notes = any(columns.EXTRA_NOTES in row.values for row in rows)
    notes = {lead.pk: lead.notes for lead in locks.lock_leads(set(targets.values()))} if has_extra_notes else {}
    allowed = {*columns.UPDATABLE_FIELDS, columns.EXTRA_NOTES}
    changes = []
    for row in rows:
        lead_id = targets[row.line]
        values = {name: value for name, value in row.values.items() if name in allowed}
        if columns.EXTRA_NOTES in values:
            values.setdefault("notes", notes.get(lead_id, ""))
        fields = columns.to_lead_fields(values)
        notes[lead_id] = fields.get("notes", notes.get(lead_id, ""))
        changes.append((lead_id, fields))
    return changes


def _find_targets(lead_import: LeadImport, rows: list[ReadyRow]) -> dict[int, int]:
    """Return by line the lead that each row updates: the matching one, or that of an earlier row; 0 for none."""
    lines = {row.same_line for row in rows if row.same_as_id is None}
    earlier = lead_import.rows.filter(IdIn("line", filter(None, lines)), lead__isnull=False)
    targets = dict(earlier.values_list("line", "lead"))
    for row in rows:  # in the order of lines, so that earlier rows of this batch have their targets
        targets[row.line] = row.same_as_id or targets.get(row.same_line or 0, 0)
    return targets


def _finish(lead_import: LeadImport) -> None:
    """End the import, and notify each owner but its user of the leads they were given. A fixed number of queries."""
    lead_import.state, lead_import.finished_at = _State.DONE, timezone.now()
    given = lead_import.rows.filter(state=_RowState.CREATED, lead__assigned_to__is_active=True)
    given = given.exclude(lead__assigned_to=lead_import.by_id)
    leads_by_owner: dict[int, list[int]] = {}
    for owner_id, lead_id in given.order_by("lead_id").values_list("lead__assigned_to", "lead"):
        leads_by_owner.setdefault(owner_id, []).append(lead_id)
    if not leads_by_owner:
        return
    named = {lead_id for lead_ids in leads_by_owner.values() for lead_id in lead_ids[:MAX_NAMED_LEADS]}
    named_leads = Lead.objects.filter(IdIn("pk", named)).only("company_name", "contact_name")
    names = {lead.pk: str(lead) for lead in named_leads}
    outbox.add_many(
        outbox.NewNotification(
            kind="leads_received",
            recipient_id=owner_id,
            dedupe_key=f"imported:{lead_import.pk}:{owner_id}",
            context={
                "by_name": str(lead_import.by),
                "reason": _reason(lead_import),
                "count": len(lead_ids),
                "from_names": [],
                "leads": [{"id": lead_id, "name": names[lead_id]} for lead_id in lead_ids[:MAX_NAMED_LEADS]],
                UNLISTED: lead_ids[MAX_NAMED_LEADS:],
            },
        )
        for owner_id, lead_ids in leads_by_owner.items()
    )


def _reason(lead_import: LeadImport) -> str:
    return f"Imported from {lead_import.file_name}"[:255]
