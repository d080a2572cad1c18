"""Reading the file of an import and staging its rows: in no transaction, by one worker at a time.

A file is read to its end before the first row is written, and rows are written a batch at a time, so that nobody waits
for the database meanwhile. A worker that dies leaves its claim, which lapses; the next one begins anew.
"""

from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from athena.db.bulk import insert_ignoring_conflicts
from sales import errors
from sales.exchange import columns, file_reader, mapping, subprocess_reader
from sales.exchange.cells import notation
from sales.exchange.limits import Unreadable
from sales.models import ImportFile, ImportRow, LeadImport

BATCH = 2_000
CLAIM = timedelta(seconds=2 * subprocess_reader.TIMEOUT_SECONDS)

_State = LeadImport.State


def read(import_id: int) -> bool:
    """Stage the file's rows, all or none; False where another worker is at it. Raises nothing for a bad file."""
    until = timezone.now() + CLAIM
    waiting = Q(reading_until__isnull=True) | Q(reading_until__lt=timezone.now())
    if not LeadImport.objects.filter(waiting, pk=import_id, state=_State.READING).update(reading_until=until):
        return False
    lead_import = LeadImport.objects.get(pk=import_id)
    try:
        content = bytes(ImportFile.objects.get(lead_import=import_id).content)
        with subprocess_reader.open_sheet(content, lead_import.sheet) as sheet:
            return _stage(lead_import, sheet, until)
    except errors.Invalid as error:
        return _refuse(lead_import, error, until)
    finally:
        LeadImport.objects.filter(pk=import_id, reading_until=until).update(reading_until=None)


def _stage(lead_import: LeadImport, sheet: file_reader.Sheet, until: datetime) -> bool:
    lead_import.sheet, lead_import.sheets = sheet.name, sheet.sheets
    layout = mapping.map_columns(sheet.header)
    evidence = {
        place: (name, notation.NotationDetector(kind))
        for place, name in enumerate(layout)
        for kind, names in (("date", columns.DATE_FIELDS), ("amount", columns.AMOUNT_FIELDS))
        if name in names
    }
    lead_import.rows.all().delete()  # of a worker that died
    total = 0
    while batch := list(islice(sheet.rows, BATCH)):
        for _, row in batch:
            for place, (_, column) in evidence.items():
                if place < len(row):
                    column.add_cell(row[place])
        with transaction.atomic():
            if not _is_ours(lead_import, until):
                return False
            insert_ignoring_conflicts(
                ImportRow,
                ("lead_import", "line", "cells", "values", "problems"),
                ([lead_import.pk, line, [cell.replace("\0", "") for cell in row], {}, {}] for line, row in batch),
            )
        total += len(batch)
    if not total:
        raise errors.Invalid({"file": "There are no rows below the header."})
    lead_import.state, lead_import.total = _State.CHECKING, total
    lead_import.columns, lead_import.header, lead_import.remarks = layout, sheet.header, sheet.remarks
    lead_import.notations = {
        name: column.to_json() for name, column in evidence.values() if column.notation is not None
    }
    return _save(lead_import, until)


def _refuse(lead_import: LeadImport, error: errors.Invalid, until: datetime) -> bool:
    if isinstance(error, Unreadable) and error.sheets:
        lead_import.sheets = error.sheets
    lead_import.state, lead_import.error = _State.REFUSED, error.fields.get("file", str(error))[:500]
    lead_import.finished_at = timezone.now()
    return _save(lead_import, until)


@transaction.atomic
def _save(lead_import: LeadImport, until: datetime) -> bool:
    """Write what was found. The file stays while another of its sheets may be chosen."""
    if not _is_ours(lead_import, until):
        return False
    if lead_import.state == _State.REFUSED:
        lead_import.rows.all().delete()
    lead_import.save()
    if len(lead_import.sheets) < 2:
        ImportFile.objects.filter(lead_import=lead_import).delete()
    return True


def _is_ours(lead_import: LeadImport, until: datetime) -> bool:
    """Whether the claim still holds; locks the import."""
    ours = LeadImport.objects.select_for_update().filter(pk=lead_import.pk, state=_State.READING, reading_until=until)
    return bool(ours.values_list("pk"))
