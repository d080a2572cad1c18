"""Reading the file of an import and staging its rows in `import_rows`: in no transaction, by one worker at a time.

A file is read to its end before the first row is written, and rows are written in batches, so that nobody has to wait
for the database meanwhile. A worker that dies leaves its claim, which expires; the next worker starts anew.
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

BATCH_ROWS = 2_000
CLAIM_DURATION = timedelta(seconds=2 * subprocess_reader.TIMEOUT_SECONDS)

_State = LeadImport.State


def stage_file(import_id: int, *, only_small: bool = False) -> LeadImport | None:
    """Read the file and stage its rows, all or none. Returns the import; one whose file can't be read is refused.

    Returns None if another worker is at it, or if `only_small` and the file is large when unpacked.
    """
    now = timezone.now()
    until = now + CLAIM_DURATION
    is_free = Q(reading_until__isnull=True) | Q(reading_until__lt=now)
    if not LeadImport.objects.filter(is_free, pk=import_id, state=_State.READING).update(reading_until=until):
        return None
    lead_import = LeadImport.objects.select_related("file").get(pk=import_id)
    try:
        content = bytes(lead_import.file.content)
        if only_small and not subprocess_reader.is_small(content):
            return None
        with subprocess_reader.open_sheet(content, lead_import.sheet) as sheet:
            return _stage_rows(lead_import, sheet, until)
    except errors.Invalid as error:
        return _refuse(lead_import, error, until)
    finally:
        if lead_import.reading_until:
            LeadImport.objects.filter(pk=import_id, reading_until=until).update(reading_until=None)


def _stage_rows(lead_import: LeadImport, sheet: file_reader.Sheet, until: datetime) -> LeadImport | None:
    lead_import.sheet, lead_import.sheets = sheet.name, sheet.sheets
    mapped = mapping.map_columns(sheet.header)
    detectors = _make_detectors(mapped)
    lead_import.rows.all().delete()  # of a worker that died
    total = 0
    while batch := list(islice(sheet.rows, BATCH_ROWS)):
        for _, cells in batch:
            for place, detector in detectors.items():
                if place < len(cells):
                    detector.add_cell(cells[place])
        with transaction.atomic():
            if not _lock_claimed(lead_import, until):
                return None
            insert_ignoring_conflicts(
                ImportRow,
                ("lead_import", "line", "cells", "values", "problems"),
                ([lead_import.pk, line, [cell.replace("\0", "") for cell in cells], {}, {}] for line, cells in batch),
            )
        total += len(batch)
    if not total:
        raise errors.Invalid({"file": "There are no rows below the header."})
    lead_import.state, lead_import.total = _State.CHECKING, total
    lead_import.columns, lead_import.header, lead_import.remarks = mapped, sheet.header, sheet.remarks
    lead_import.notations = {
        str(mapped[place]): detector.to_json() for place, detector in detectors.items() if detector.notation is not None
    }
    return _save(lead_import, until)


def _make_detectors(mapped: list[str | None]) -> dict[int, notation.NotationDetector]:
    """Return a detector for each column of dates or amounts, by its place in the file."""
    kinds = {
        **dict.fromkeys(columns.DATE_FIELDS, "date"),
        **dict.fromkeys(columns.AMOUNT_FIELDS, "amount"),
    }
    return {place: notation.NotationDetector(kinds[name]) for place, name in enumerate(mapped) if name in kinds}


def _refuse(lead_import: LeadImport, error: errors.Invalid, until: datetime) -> LeadImport | None:
    if isinstance(error, Unreadable) and error.sheets:
        lead_import.sheets = error.sheets
    lead_import.state, lead_import.error = _State.REFUSED, error.fields.get("file", str(error))[:500]
    lead_import.finished_at = timezone.now()
    return _save(lead_import, until)


@transaction.atomic
def _save(lead_import: LeadImport, until: datetime) -> LeadImport | None:
    """Save what was read, and end the claim. The file is kept while the user may choose another of its sheets."""
    if not _lock_claimed(lead_import, until):
        return None
    if lead_import.state == _State.REFUSED:
        lead_import.rows.all().delete()
    lead_import.reading_until = None
    lead_import.save()
    if len(lead_import.sheets) < 2:
        ImportFile.objects.filter(lead_import=lead_import).delete()
    return lead_import


def _lock_claimed(lead_import: LeadImport, until: datetime) -> bool:
    """Lock the import. Returns whether this worker still has its claim."""
    claimed = LeadImport.objects.select_for_update().filter(
        pk=lead_import.pk, state=_State.READING, reading_until=until
    )
    return bool(claimed.values_list("pk"))
