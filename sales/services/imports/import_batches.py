"""What workers do for imports, batch by batch; each batch is one transaction that holds the import. (Only the reading
of the file is not: `import_reading`.)

A worker that dies leaves its batch as it was, for the next one who asks: a row changes its state together with what is
done for it, so nothing is done twice.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from athena.db.availability import is_unavailable
from athena.db.bulk import IdIn, update_each
from notifications import outbox
from notifications.kinds import UNLISTED
from sales.exchange import columns, subprocess_reader
from sales.models import ImportFile, ImportRow, Lead, LeadImport
from sales.queries.imports import duplicate_rows
from sales.services import locks
from sales.services.imports import import_undo, row_checks, row_staging
from sales.services.imports.imports import advance
from sales.services.leads import lead_batches

logger = structlog.get_logger(__name__)

BATCH = 2_000
SMALL = 1_000  # rows, of a file that is worked off while its sender waits
TOLD_LEADS = 20

_State = LeadImport.State
_Row = ImportRow.State


class Ready(NamedTuple):
    """What is needed of a row to import it."""

    pk: int
    line: int
    step: int
    values: dict[str, Any]
    email_normalised: str
    phone_normalised: str
    same_as_id: int | None
    same_line: int | None


def work(*, max_batches: int | None = None) -> int:
    """Do what there is to do of all imports. Returns how many batches were done. Several workers may do so at once."""
    done = 0
    for key in LeadImport.objects.filter(state__in=LeadImport.UNFINISHED).order_by("pk").values_list("pk", flat=True):
        while (max_batches is None or done < max_batches) and _try(key):
            done += 1
    return done


def work_now(import_id: int) -> None:
    """Do a small import's work at once, for somebody who waits. A large one is left to the workers."""
    while True:
        lead_import = LeadImport.objects.get(pk=import_id)
        small = lead_import.total <= SMALL
        if lead_import.state == _State.READING:
            file = ImportFile.objects.filter(lead_import=import_id, size__lte=subprocess_reader.MAX_SMALL_BYTES).first()
            small = file is not None and subprocess_reader.is_small(bytes(file.content))
        if not small or not _try(import_id):
            break


def _try(import_id: int) -> bool:
    """Do one batch; False where there is none, or another worker is at it. An error ends the import as failed."""
    try:
        if LeadImport.objects.filter(pk=import_id, state=_State.READING).exists():
            return row_staging.read(import_id)
        return _do_batch(import_id)
    except Exception as error:
        if is_unavailable(error):
            raise
        logger.exception("import_failed", lead_import=import_id)
        LeadImport.objects.filter(pk=import_id, state__in=LeadImport.UNFINISHED).update(
            state=_State.FAILED, finished_at=timezone.now(), error=f"{type(error).__name__}: {error}"[:500]
        )
        return False


@transaction.atomic
def _do_batch(import_id: int) -> bool:
    unfinished = LeadImport.objects.select_for_update(skip_locked=True, of=("self",)).select_related("by", "undone_by")
    lead_import = unfinished.filter(pk=import_id, state__in=LeadImport.UNFINISHED).exclude(state=_State.READING).first()
    if lead_import is None:
        return False
    steps: dict[str, Callable[[LeadImport], None]] = {
        _State.CHECKING: _check,
        _State.IMPORTING: _import,
        _State.UNDOING: import_undo.undo_batch,
    }
    steps[lead_import.state](lead_import)
    return True


def _check(lead_import: LeadImport) -> None:
    staged = lead_import.rows.filter(state=_Row.STAGED).order_by("line")
    rows = list(staged.values_list("pk", "cells")[:BATCH])
    if not rows:
        duplicate_rows.find(lead_import.by, lead_import)
        LeadImport.objects.filter(pk=lead_import.pk).update(state=_State.CHECKED)
        return
    update_each(
        ImportRow,
        ("state", "values", "problems", "cleaned", "email_normalised", "phone_normalised", "lead_number"),
        dict(zip((key for key, _ in rows), row_checks.check([row for _, row in rows], lead_import), strict=True)),
    )
    advance(lead_import, len(rows))


def _import(lead_import: LeadImport) -> None:
    """Make leads of a batch's rows; when all are made, change those that were there; when that is done, end."""
    ready = lead_import.rows.filter(state=_Row.READY).order_by("step", "line")
    rows = [Ready(*row) for row in ready.values_list(*Ready._fields)[:BATCH]]
    if not rows:
        _finish(lead_import)
        return
    rows = [row for row in rows if row.step == rows[0].step]
    if rows[0].step == 0:
        _create(lead_import, rows)
    else:
        _update(lead_import, rows)
    advance(lead_import, len(rows))


def _create(lead_import: LeadImport, rows: list[Ready]) -> None:
    new = [
        Lead(
            email_normalised=row.email_normalised,
            phone_normalised=row.phone_normalised,
            **columns.to_lead_fields(row.values),
        )
        for row in rows
    ]
    at = lead_batches.create(by=lead_import.by, new=new, reason=_reason(lead_import), note=lead_import.pk)
    written = {row.pk: (lead.pk, _Row.CREATED, at) for row, lead in zip(rows, new, strict=True)}
    update_each(ImportRow, ("lead", "state", "written_at"), written)


def _update(lead_import: LeadImport, rows: list[Ready]) -> None:
    there = _targets(lead_import, rows)
    changes = _changes(rows, there)
    results, at = lead_batches.update(
        by=lead_import.by, changes=changes, reason=_reason(lead_import), note=lead_import.pk
    )
    written = {}
    for row, (key, _), result in zip(rows, changes, results, strict=True):
        state = _Row.UPDATED if result.values else _Row.SKIPPED
        problems = {} if result.values else {"Lead": result.refused or "Nothing differs from what is there."}
        written[row.pk] = (key or None, state, dict(result.values), problems, at)
    update_each(ImportRow, ("lead", "state", "changes", "problems", "written_at"), written)


def _changes(rows: list[Ready], there: dict[int, int]) -> list[tuple[int, dict[str, Any]]]:
    """What each row says of its lead. What is kept in the notes is added to those that the lead has."""
    further = any(columns.EXTRA_NOTES in row.values for row in rows)
    notes = {lead.pk: lead.notes for lead in locks.lock_leads(set(there.values()))} if further else {}
    changes = []
    for row in rows:
        key = there[row.line]
        values = {
            name: value
            for name, value in row.values.items()
            if name in (*columns.UPDATABLE_FIELDS, columns.EXTRA_NOTES)
        }
        if columns.EXTRA_NOTES in values:
            values.setdefault("notes", notes.get(key, ""))
        fields = columns.to_lead_fields(values)
        notes[key] = fields.get("notes", notes.get(key, ""))
        changes.append((key, fields))
    return changes


def _targets(lead_import: LeadImport, rows: list[Ready]) -> dict[int, int]:
    """The lead of each row: the one that was there, or the one that its earlier line made or changed; 0 for none."""
    lines = {row.same_line for row in rows if row.same_as_id is None}
    done = lead_import.rows.filter(IdIn("line", filter(None, lines)), lead__isnull=False)
    found = dict(done.values_list("line", "lead"))
    for row in rows:  # in the order of lines: an earlier one of this batch is there by now
        found[row.line] = row.same_as_id or found.get(row.same_line or 0, 0)
    return found


def _finish(lead_import: LeadImport) -> None:
    """End it, and tell each owner how many they were given (but for what one gave oneself)."""
    lead_import.state, lead_import.finished_at = _State.DONE, timezone.now()
    lead_import.save()
    made = Lead.objects.filter(import_rows__lead_import=lead_import, import_rows__state=_Row.CREATED)
    given = made.filter(assigned_to__is_active=True).exclude(assigned_to=lead_import.by_id).order_by()
    counts = given.values("assigned_to").annotate(count=Count("pk", distinct=True)).values_list("assigned_to", "count")
    outbox.add_many(
        outbox.NewNotification(
            kind="leads_received",
            recipient_id=owner,
            dedupe_key=f"imported:{lead_import.pk}:{owner}",
            context={
                "by_name": str(lead_import.by),
                "reason": _reason(lead_import),
                "count": count,
                "from_names": [],
                "leads": [
                    {"id": lead.pk, "name": str(lead)}
                    for lead in given.filter(assigned_to=owner).order_by("pk")[:TOLD_LEADS]
                ],
                UNLISTED: list(
                    given.filter(assigned_to=owner).order_by("pk").values_list("pk", flat=True)[TOLD_LEADS:]
                ),
            },
        )
        for owner, count in counts
    )


def _reason(lead_import: LeadImport) -> str:
    return f"Imported from {lead_import.file_name}"[:255]
