"""Bringing leads in by a file: send it, look at what it would do, import it, undo it. The work is `import_work`'s."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from athena import task_names
from athena.accounts.models import User
from athena.runtime.task_publisher import publish_task
from sales import errors
from sales.exchange import file_reader
from sales.exchange.cells import notation
from sales.models import ImportFile, ImportRow, LeadImport
from sales.queries.imports import duplicate_rows

PERMISSION = "sales.import_lead"

_State = LeadImport.State
_Row = ImportRow.State
UNDOABLE = (_State.DONE, _State.FAILED)


@transaction.atomic
def upload(*, by: User, file_name: str, content: bytes) -> LeadImport:
    """Take a file in; a worker reads and checks it. Writes no lead. Raises `NotAllowed`, `Invalid`."""
    _require(by)
    if len(content) > file_reader.MAX_FILE_BYTES:
        raise errors.Invalid({"file": file_reader.TOO_LARGE})
    name = "".join(filter(str.isprintable, PurePath(file_name).name))[:255]
    lead_import = LeadImport.objects.create(by=by, file_name=name)
    ImportFile.objects.create(lead_import=lead_import, content=content, size=len(content))
    publish_task(task_names.IMPORT_LEADS)
    return lead_import


@transaction.atomic
def choose_sheet(*, by: User, import_id: int, sheet: str) -> LeadImport:
    """Read another sheet of the file instead. Raises as `start` does."""
    lead_import = _locked(by, import_id, _State.CHECKED, _State.REFUSED)
    if sheet not in lead_import.other_sheets or not ImportFile.objects.filter(lead_import=lead_import).exists():
        raise errors.Invalid({"sheet": "Choose one of the file's other sheets, or send the file again."})
    lead_import.rows.all().delete()
    lead_import.state, lead_import.sheet = _State.READING, sheet
    lead_import.total = lead_import.processed = 0
    lead_import.error, lead_import.finished_at = "", None
    lead_import.header, lead_import.columns, lead_import.remarks, lead_import.notations = [], [], [], {}
    lead_import.save()
    publish_task(task_names.IMPORT_LEADS)
    return lead_import


@transaction.atomic
def choose_notations(*, by: User, import_id: int, written: Mapping[str, str]) -> LeadImport:
    """Say how columns write their dates and amounts (`notation.CHOICES`, by field), and check all rows again.

    Raises as `start` does.
    """
    lead_import = _locked(by, import_id, _State.CHECKED)
    for name, choice in written.items():
        kind = lead_import.notations.get(name, {}).get("kind", "")
        if choice not in notation.CHOICES.get(kind, ()):
            raise errors.Invalid({"notation": "Say how each of these columns is written."})
        lead_import.notations[name]["written"] = choice
    lead_import.rows.update(state=_Row.STAGED, same_as=None, same_line=None, lead_number=None)
    lead_import.state, lead_import.processed = _State.CHECKING, 0
    lead_import.save()
    publish_task(task_names.IMPORT_LEADS)
    return lead_import


@transaction.atomic
def start(*, by: User, import_id: int, duplicates: str) -> LeadImport:
    """Import the rows that are right. What has come in since the preview counts as there already, too.

    `duplicates` says what becomes of rows that are there already (`LeadImport.Duplicates`); one that names its lead by
    number never makes a second one. Raises `NotFound`,
    `NotAllowed`, `Invalid`, `Conflict` where it is not waiting for this.
    """
    lead_import = _locked(by, import_id, _State.CHECKED)
    if duplicates not in LeadImport.Duplicates.values:
        raise errors.Invalid({"duplicates": "Say what becomes of duplicates."})
    duplicate_rows.find(by, lead_import)
    there = lead_import.rows.filter(duplicate_rows.DUPLICATE, state=_Row.READY)
    if duplicates == LeadImport.Duplicates.SKIP:
        there.update(state=_Row.SKIPPED)
    elif duplicates == LeadImport.Duplicates.UPDATE:
        there.update(step=1)
    else:
        there.filter(lead_number__isnull=False).update(step=1)
    lead_import.duplicates = duplicates
    lead_import.state, lead_import.processed = _State.IMPORTING, 0
    lead_import.total = lead_import.rows.filter(state=_Row.READY).count()
    lead_import.save()
    ImportFile.objects.filter(lead_import=lead_import).delete()
    publish_task(task_names.IMPORT_LEADS)
    return lead_import


@transaction.atomic
def discard(*, by: User, import_id: int) -> None:
    """Throw a file away that was not imported, with all that it holds. Raises as `start` does."""
    lead_import = _locked(by, import_id, _State.CHECKED)
    lead_import.rows.all().delete()
    ImportFile.objects.filter(lead_import=lead_import).delete()
    lead_import.state, lead_import.finished_at = _State.DISCARDED, timezone.now()
    lead_import.save()


@transaction.atomic
def undo(*, by: User, import_id: int) -> LeadImport:
    """Archive the leads that an import made and give back the values that it replaced, where nobody has changed them
    since; the others are listed with the reason. Raises as `start` does."""
    lead_import = _locked(by, import_id, *UNDOABLE)
    lead_import.state, lead_import.processed, lead_import.undone_by = _State.UNDOING, 0, by
    lead_import.total = lead_import.rows.filter(state__in=(_Row.CREATED, _Row.UPDATED)).count()
    lead_import.save()
    publish_task(task_names.IMPORT_LEADS)
    return lead_import


def forget(*, days: int = 90) -> int:
    """Delete the rows of imports that ended that long ago: they hold what the file held. Returns how many.

    The leads stay, and so does the import with its counts; it can no longer be undone.
    """
    old = timezone.now() - timedelta(days=days)
    ended = LeadImport.objects.filter(created_at__lt=old).exclude(state__in=LeadImport.UNFINISHED)
    ImportFile.objects.filter(lead_import__in=ended.values("pk")).delete()
    return ImportRow.objects.filter(lead_import__in=ended.values("pk")).delete()[0]


def _require(by: User) -> None:
    if not by.has_perm(PERMISSION):
        raise errors.NotAllowed


def _locked(by: User, import_id: int, *states: str) -> LeadImport:
    _require(by)
    visible = LeadImport.objects.visible_to(by).select_for_update()
    lead_import: LeadImport | None = visible.filter(pk=import_id).first()
    if lead_import is None:
        raise errors.NotFound("There is no such import.")
    if lead_import.state not in states:
        raise errors.Conflict(f"{lead_import} is at another step: {lead_import.get_state_display().lower()}.")
    return lead_import


def advance(lead_import: LeadImport, done: int) -> None:
    """Count what a batch has done."""
    LeadImport.objects.filter(pk=lead_import.pk).update(processed=F("processed") + done)
