"""Leads as rows of a file: the columns that an import reads, and a few more."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from decimal import Decimal

from sales.exchange.columns import COLUMNS
from sales.models import Lead
from sales.models.leads.lead import LeadQuerySet

CellValue = str | int | Decimal | date | None

_CHUNK_ROWS = 2_000
_PATHS = {"owner": "assigned_to__email", "source": "source__name"}
_MORE_COLUMNS = {"Score": "score", "Next follow-up": "next_follow_up_date", "Created": "created_at", "Lead": "pk"}
_CHOICE_LABELS: dict[str, dict[str, str]] = {
    "status": dict(Lead.Status.choices),
    "trip_type": dict(Lead.TripType.choices),
    "vehicle_type": dict(Lead.VehicleType.choices),
}

HEADER = (*(column.label for column in COLUMNS), *_MORE_COLUMNS)
_NAMES = (*(column.name for column in COLUMNS), *_MORE_COLUMNS.values())


def iter_rows(leads: LeadQuerySet, zone: tzinfo) -> Iterator[list[CellValue]]:
    """Yield a row for each lead in the order of the queryset, which is read in chunks.

    Datetimes are in `zone`, with its offset from UTC, so that an import in any zone reads the same instants.
    """
    paths = [_PATHS.get(name, name) for name in _NAMES]
    for values in leads.values_list(*paths).iterator(chunk_size=_CHUNK_ROWS):
        yield [_format_value(name, value, zone) for name, value in zip(_NAMES, values, strict=True)]


def get_fixed_cells(lead: Lead) -> dict[str, str]:
    """Return the cells of the lead's row in the columns that an import does not change, by field."""
    return {
        "status": lead.get_status_display(),
        "owner": lead.assigned_to.email if lead.assigned_to else "",
        "booked_value": "" if lead.booked_value is None else str(lead.booked_value),
        "lost_reason": lead.lost_reason_id or "",
    }


def _format_value(name: str, value: CellValue, zone: tzinfo) -> CellValue:
    if isinstance(value, datetime):
        precision = "seconds" if name in _MORE_COLUMNS.values() else "auto"
        return value.astimezone(zone).isoformat(sep=" ", timespec=precision)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _CHOICE_LABELS[name].get(str(value), value) if name in _CHOICE_LABELS else value
