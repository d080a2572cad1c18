"""Exporting leads as a file. Each export is recorded before the first lead leaves, and its size after the last one."""

from collections.abc import Iterator, Mapping, Sequence

from athena.accounts.models import User
from athena.http.csv_responses import iter_csv
from sales import errors, policy
from sales.exchange.xlsx import writer
from sales.models import LeadExport
from sales.models.leads.lead import LeadQuerySet
from sales.queries.imports import export_rows

MAX_XLSX_LEADS = 50_000  # the whole file is made before it is sent, while the user waits

Filters = Mapping[str, Sequence[str]]  # as the list's address has them


def export_csv(*, by: User, leads: LeadQuerySet, filters: Filters) -> Iterator[bytes]:
    """Yield a CSV file of those of the leads that `by` can see; each part is read when it is taken.

    Raises `NotAllowed`.
    """
    export = _record(by, "csv", filters)
    return iter_csv(export_rows.HEADER, _iter_counted(export, by, leads))


def export_xlsx(*, by: User, leads: LeadQuerySet, filters: Filters) -> bytes:
    """Return an XLSX file of those of the leads that `by` can see. Raises `NotAllowed`, `Invalid` for too many."""
    if policy.may_export_leads(by) and leads.in_scope_of(by).count() > MAX_XLSX_LEADS:
        raise errors.Invalid(
            {"file": f"An Excel file has at most {MAX_XLSX_LEADS:,} leads. Export them as CSV: Excel opens it, too."}
        )
    export = _record(by, "xlsx", filters)
    return writer.build_xlsx(export_rows.HEADER, _iter_counted(export, by, leads))


def _record(by: User, file_format: str, filters: Filters) -> LeadExport:
    if not policy.may_export_leads(by):
        raise errors.NotAllowed
    return LeadExport.objects.create(by=by, file_format=file_format, filters=dict(filters))


def _iter_counted(export: LeadExport, by: User, leads: LeadQuerySet) -> Iterator[list[export_rows.CellValue]]:
    """Yield the rows; after the last one, record how many they were."""
    count = 0
    for row in export_rows.iter_rows(leads.in_scope_of(by), by.zone):
        count += 1
        yield row
    LeadExport.objects.filter(pk=export.pk).update(leads=count)
