"""Taking leads out as a file. Who took how many, and which, is a row that is there before the first lead leaves."""

from collections.abc import Iterator, Mapping
from typing import Any

from athena.accounts.models import User
from sales import errors
from sales.exchange import file_writer
from sales.models import LeadExport
from sales.models.lead import LeadQuerySet
from sales.queries.imports import export_rows

PERMISSION = "sales.export_lead"
MOST_IN_XLSX = 50_000  # rows; the file is made before it is sent, and somebody waits


def as_csv(*, by: User, leads: LeadQuerySet, filters: Mapping[str, Any]) -> Iterator[bytes]:
    """The file in parts, each read when it is asked for. Of `leads` those that `by` may see. Raises `NotAllowed`."""
    export = _record(by, "csv", filters)
    return file_writer.iter_csv(export_rows.HEADER, _counted(export, by, leads))


def as_xlsx(*, by: User, leads: LeadQuerySet, filters: Mapping[str, Any]) -> bytes:
    """The file. Raises `NotAllowed`, `Invalid` for more leads than one waits for."""
    if by.has_perm(PERMISSION) and leads.in_scope_of(by).count() > MOST_IN_XLSX:
        raise errors.Invalid({"file": f"Above {MOST_IN_XLSX:,} leads, take CSV: every spreadsheet opens it."})
    export = _record(by, "xlsx", filters)
    return file_writer.build_xlsx(export_rows.HEADER, _counted(export, by, leads))


def _record(by: User, file_format: str, filters: Mapping[str, Any]) -> LeadExport:
    if not by.has_perm(PERMISSION):
        raise errors.NotAllowed
    return LeadExport.objects.create(by=by, file_format=file_format, filters=dict(filters))


def _counted(export: LeadExport, by: User, leads: LeadQuerySet) -> Iterator[list[Any]]:
    """The rows; when the last one is taken, how many they were is written down."""
    many = 0
    for row in export_rows.rows(leads.in_scope_of(by), by.zone):
        many += 1
        yield row
    LeadExport.objects.filter(pk=export.pk).update(leads=many)
