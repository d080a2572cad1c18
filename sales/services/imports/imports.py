"""The steps of an import that a user asks for: upload a file, choose how it is read, import it, discard it, undo it.

Each function changes the import's state. The work itself is done by `import_batches`: after each of these functions
(but `discard`) the caller calls `import_batches.run_or_publish`. If it can't, the tick finds the work within a minute.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath

from django.db import transaction
from django.utils import timezone

from athena.accounts.models import User
from sales import errors, policy
from sales.exchange import file_reader
from sales.exchange.cells import notation
from sales.models import ImportFile, ImportRow, LeadImport
from sales.services.imports import duplicate_rows

_State = LeadImport.State
_RowState = ImportRow.State
UNDOABLE_STATES = (_State.DONE, _State.FAILED)


@transaction.atomic
def upload(*, by: User, file_name: str, content: bytes) -> LeadImport:
    """Store a file, to be read and checked. Writes no lead. Raises `NotAllowed`, `Invalid`."""
    _require_permission(by)
    if len(content) > file_reader.MAX_FILE_BYTES:
        raise errors.Invalid({"file": file_reader.TOO_LARGE})
    name = "".join(filter(str.isprintable, PurePath(file_name).name))[:255]
    lead_import = LeadImport.objects.create(by=by, file_name=name)
    ImportFile.objects.create(lead_import=lead_import, content=content, size=len(content))
    return lead_import


@transaction.atomic
def choose_sheet(*, by: User, import_id: int, sheet: str) -> LeadImport:
    """Read another sheet of the file instead. Raises the same errors as `start`."""
    lead_import = _lock_import(by, import_id, _State.CHECKED, _State.REFUSED)
    if sheet not in lead_import.other_sheets or not ImportFile.objects.filter(lead_import=lead_import).exists():
        raise errors.Invalid({"sheet": "Choose one of the file's other sheets, or upload the file again."})
    lead_import.rows.all().delete()
    lead_import.state, lead_import.sheet = _State.READING, sheet
    lead_import.total = lead_import.processed = 0
    lead_import.error, lead_import.finished_at = "", None
    lead_import.header, lead_import.columns, lead_import.remarks, lead_import.notations = [], [], [], {}
    lead_import.save()
    return lead_import


@transaction.atomic
def choose_notations(*, by: User, import_id: int, written: Mapping[str, str]) -> LeadImport:
    """Set the notation of each ambiguous column (`notation.CHOICES`, by field), and check all rows again.

    Raises the same errors as `start`.
    """
    lead_import = _lock_import(by, import_id, _State.CHECKED)
    if written.keys() != lead_import.notations.keys():
        raise errors.Invalid({"notation": "Choose how each of these columns is written."})
    for name, stored in lead_import.notations.items():
        if written[name] not in notation.CHOICES[stored["kind"]]:
            raise errors.Invalid({"notation": "Choose how each of these columns is written."})
        stored["written"] = written[name]
    lead_import.rows.update(state=_RowState.STAGED, same_as=None, same_line=None, lead_number=None)
    lead_import.state, lead_import.processed = _State.CHECKING, 0
    lead_import.save()
    return lead_import


@transaction.atomic
def start(*, by: User, import_id: int, duplicates: str) -> LeadImport:
    """Import the rows that are ready. Leads that came in after the check count as duplicates, too.

    `duplicates` says what to do with rows that match a lead (`LeadImport.Duplicates`). A row that gives its lead's
    number never creates a second one. Raises `NotFound`, `NotAllowed`, `Invalid`, or `Conflict` if the import is in
    another state.
    """
    lead_import = _lock_import(by, import_id, _State.CHECKED)
    if duplicates not in LeadImport.Duplicates.values:
        raise errors.Invalid({"duplicates": "Choose what to do with duplicates."})
    duplicate_rows.mark_duplicates(lead_import, by=by)
    duplicate = lead_import.rows.filter(duplicate_rows.IS_DUPLICATE, state=_RowState.READY)
    if duplicates == LeadImport.Duplicates.SKIP:
        duplicate.update(state=_RowState.SKIPPED)
    elif duplicates == LeadImport.Duplicates.UPDATE:
        duplicate.update(step=ImportRow.UPDATE_STEP)
    else:
        duplicate.filter(lead_number__isnull=False).update(step=ImportRow.UPDATE_STEP)
    lead_import.duplicates = duplicates
    lead_import.state, lead_import.processed = _State.IMPORTING, 0
    lead_import.total = lead_import.rows.filter(state=_RowState.READY).count()
    lead_import.save()
    ImportFile.objects.filter(lead_import=lead_import).delete()
    return lead_import


@transaction.atomic
def discard(*, by: User, import_id: int) -> None:
    """Delete the file and the rows of an import that was not started. Raises the same errors as `start`."""
    lead_import = _lock_import(by, import_id, _State.CHECKED)
    lead_import.rows.all().delete()
    ImportFile.objects.filter(lead_import=lead_import).delete()
    lead_import.state, lead_import.finished_at = _State.DISCARDED, timezone.now()
    lead_import.save()


@transaction.atomic
def undo(*, by: User, import_id: int) -> LeadImport:
    """Archive the leads that an import created, and restore the values that it replaced.

    A lead that somebody has worked on since, and a value that has changed since, are kept and listed with the reason.
    Raises the same errors as `start`.
    """
    lead_import = _lock_import(by, import_id, *UNDOABLE_STATES)
    lead_import.state, lead_import.processed, lead_import.undone_by = _State.UNDOING, 0, by
    lead_import.total = lead_import.rows.filter(state__in=ImportRow.IMPORTED_STATES).count()
    lead_import.save()
    return lead_import


def delete_old_rows(*, days: int = 90) -> int:
    """Delete the rows and files of imports older than `days` that are not under way. Returns the number of rows.

    The leads and the import itself stay, but the import can't be undone anymore.
    """
    oldest = timezone.now() - timedelta(days=days)
    ended = LeadImport.objects.filter(created_at__lt=oldest).exclude(state__in=LeadImport.UNFINISHED)
    ImportFile.objects.filter(lead_import__in=ended.values("pk")).delete()
    return ImportRow.objects.filter(lead_import__in=ended.values("pk")).delete()[0]


def _require_permission(by: User) -> None:
    if not policy.may_import_leads(by):
        raise errors.NotAllowed


def _lock_import(by: User, import_id: int, *states: str) -> LeadImport:
    """Return the import, locked, if it is visible to `by` and in one of these states."""
    _require_permission(by)
    visible = LeadImport.objects.visible_to(by).select_for_update()
    lead_import: LeadImport | None = visible.filter(pk=import_id).first()
    if lead_import is None:
        raise errors.NotFound("There is no such import.")
    if lead_import.state not in states:
        label = lead_import.get_state_display().lower()
        raise errors.Conflict(f"{lead_import} is at another step: {label}. Reload the page.")
    return lead_import
