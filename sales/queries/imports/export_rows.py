"""Leads as the rows of a file: the columns that an import reads, and what else people want to see of a lead."""

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from sales.exchange.columns import COLUMNS
from sales.models import Lead
from sales.models.lead import LeadQuerySet

_AT_ONCE = 2_000
_READ_FROM = {"owner": "assigned_to__email", "source": "source__name"}
_MORE = {"Score": "score", "Next follow-up": "next_follow_up_date", "Created": "created_at", "Lead": "pk"}
_LABELS: dict[str, dict[str, str]] = {
    name: dict(getattr(Lead, kind).choices)
    for name, kind in (("status", "Status"), ("trip_type", "TripType"), ("vehicle_type", "VehicleType"))
}

HEADER = (*(column.label for column in COLUMNS), *_MORE)
_NAMES = (*(column.name for column in COLUMNS), *_MORE.values())


def rows(leads: LeadQuerySet, zone: tzinfo) -> Iterator[list[Any]]:
    """A row for each lead in the order of the queryset, read in parts.

    Times are on the clock of `zone`, with its offset, so that they are read back as the same instants anywhere.
    """
    fields = [_READ_FROM.get(name, name) for name in _NAMES]
    for row in leads.values_list(*fields).iterator(chunk_size=_AT_ONCE):
        yield [_shown(name, value, zone) for name, value in zip(_NAMES, row, strict=True)]


def fixed_cells(lead: Lead) -> dict[str, str]:
    """What the lead's row of a file says in the columns that an import does not change, by field."""
    return {
        "status": lead.get_status_display(),
        "owner": lead.assigned_to.email if lead.assigned_to else "",
        "booked_value": "" if lead.booked_value is None else str(lead.booked_value),
        "lost_reason": lead.lost_reason_id or "",
    }


def _shown(name: str, value: Any, zone: tzinfo) -> Any:
    if isinstance(value, datetime):
        precision = "seconds" if name in _MORE.values() else "auto"
        return value.astimezone(zone).isoformat(sep=" ", timespec=precision)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _LABELS[name].get(value, value) if name in _LABELS else value
