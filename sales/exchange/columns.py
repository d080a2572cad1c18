"""The columns of a file of leads: the field each one fills, its label, its other headers, and its reader."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sales.exchange.cells import amounts, contacts, datetimes, parsing
from sales.exchange.cells.cleaning import Kind
from sales.models import Lead


@dataclass(frozen=True)
class Column:
    """A column that fills the field `name` of a lead.

    `label` is its header in exports, `aliases` are other headers that people give it, and `example` is its cell in the
    template file.
    """

    name: str
    label: str
    read_cell: parsing.CellReader
    aliases: tuple[str, ...] = ()
    example: str = ""
    kind: Kind = Kind.VALUE

    @property
    def headers(self) -> tuple[str, ...]:
        """All headers by which the column is known."""
        return (self.name, self.label, *self.aliases)


_UTM = ("source", "medium", "campaign", "term", "content")
COLUMNS = (
    Column("company_name", "Company", parsing.one_line_reader(200),
           ("Organisation", "Organization", "Account", "Account name", "Organization - Name", "Organisation name",
            "Organization name", "Deal - Organization", "Company / Account", "Organization 1 - Name"),
           "Lincoln High School", Kind.LINE),
    Column("contact_name", "Contact", parsing.one_line_reader(200),
           ("Name", "Full name", "Contact person", "Person - Name", "Deal - Contact person"), "Ann Smith", Kind.LINE),
    Column("email", "Email", contacts.read_email, ("Mail", "Email address", "Contact email", "Person - Email - Work"),
           "ann@lincoln.example", Kind.EMAIL),
    Column("phone", "Phone", contacts.read_phone, ("Telephone", "Phone number", "Tel", "Person - Phone - Work"),
           "(212) 555-0100", Kind.PHONE),
    Column("status", "Status", parsing.choice_reader(Lead.Status.choices), ("Stage", "Lead status"), "New"),
    Column("owner", "Owner", parsing.read_owner, ("Assigned to", "Salesperson", "Owner email")),
    Column("source", "Source", parsing.read_source, ("Lead source",)),
    Column("trip_type", "Trip type", parsing.choice_reader(Lead.TripType.choices), (), "Round trip"),
    Column("pickup_at", "Pickup at", datetimes.datetime_reader("pickup_at"),
           ("Pickup", "Pickup date", "Trip date", "Departure"), "2026-09-14 08:30"),
    Column("return_at", "Return at", datetimes.datetime_reader("return_at"), ("Return", "Return date"),
           "2026-09-14 18:00"),
    Column("pickup_location", "Pickup location", parsing.one_line_reader(200), ("From", "Pickup address", "Origin"),
           "New York", Kind.LINE),
    Column("dropoff_location", "Dropoff location", parsing.one_line_reader(200),
           ("To", "Destination", "Drop-off address"), "Boston", Kind.LINE),
    Column("estimated_passengers", "Passengers", parsing.read_count, ("Pax", "Group size", "Number of passengers"),
           "45"),
    Column("vehicle_type", "Vehicle type", parsing.choice_reader(Lead.VehicleType.choices), ("Vehicle",),
           "Motorcoach"),
    Column("vehicles_needed", "Vehicles", parsing.read_count, ("Buses", "Number of vehicles"), "1"),
    Column("accessible_seats", "Accessible seats", parsing.read_count, ("Wheelchair seats",)),
    Column("itinerary", "Itinerary", parsing.read_long_text, (), "", Kind.TEXT),
    Column("estimated_value", "Value", amounts.amount_reader("estimated_value"),
           ("Amount", "Budget", "Lead - Value", "Deal - Value"), "2400"),
    Column("quote_amount", "Quote", amounts.amount_reader("quote_amount")),
    Column("quote_valid_until", "Quote valid until", datetimes.date_reader("quote_valid_until")),
    Column("bid_due_at", "Bid due at", datetimes.datetime_reader("bid_due_at"), ("Bid due",)),
    Column("booked_value", "Booked value", amounts.amount_reader("booked_value"), ("Booked",)),
    Column("lost_reason", "Lost reason", parsing.read_lost_reason, ("Why lost",)),
    Column("is_repeat", "Repeat client", parsing.read_yes_or_no, ("Repeat",)),
    Column("campaign", "Campaign", parsing.one_line_reader(100), ("Campaign name",), "", Kind.LINE),
    *(Column(f"utm_{name}", f"UTM {name}", parsing.one_line_reader(100), (), "", Kind.LINE) for name in _UTM),
    Column("notes", "Notes", parsing.read_long_text, ("Comments", "Remarks", "Description"), "Needs a quote this week",
           Kind.TEXT),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
DATE_FIELDS = ("pickup_at", "return_at", "bid_due_at", "quote_valid_until")
AMOUNT_FIELDS = ("estimated_value", "quote_amount", "booked_value")
COUNT_FIELDS = ("estimated_passengers", "vehicles_needed", "accessible_seats")
TEXT_FIELDS = tuple(column.name for column in COLUMNS if column.kind is not Kind.VALUE)

# What an import does not change in an existing lead. Status and owner change together with activities and follow-ups,
# on the lead's page.
FIXED_FIELDS = ("status", "owner", "booked_value", "lost_reason")
UPDATABLE_FIELDS = tuple(column.name for column in COLUMNS if column.name not in FIXED_FIELDS)

# Columns of a file that fill no field by themselves. These names are stored with an import (`LeadImport.columns`).
LEAD_NUMBER = "lead"  # the number of the lead that a row changes, as exports give it
EXTRA_PHONE, EXTRA_EMAIL = "further_phone", "further_email"
CURRENCY = "currency"  # of the row's amounts
FIRST_NAME, LAST_NAME = "first_name", "last_name"
PART_KINDS = {
    FIRST_NAME: Kind.LINE,
    LAST_NAME: Kind.LINE,
    EXTRA_PHONE: Kind.PHONE,
    EXTRA_EMAIL: Kind.EMAIL,
    CURRENCY: Kind.VALUE,
}

# A key in the values of a row, stored in `ImportRow.values`: lines to add to the notes, for what has no other field.
EXTRA_NOTES = "further"

_ATTRIBUTES = {"source": "source_id", "lost_reason": "lost_reason_id", "owner": "assigned_to_id"}
_FROM_JSON: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(("pickup_at", "return_at", "bid_due_at"), datetime.fromisoformat),
    "quote_valid_until": date.fromisoformat,
    **dict.fromkeys(AMOUNT_FIELDS, Decimal),
}


def get_attribute(name: str) -> str:
    """Return the attribute of `Lead` that the column `name` fills: `source_id` for `source`."""
    return _ATTRIBUTES.get(name, name)


def to_lead_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn values as JSON holds them (of a row, or of a change) into typed values by attribute of `Lead`.

    Extra lines are added to the notes.
    """
    fields = {name: value for name, value in values.items() if name != EXTRA_NOTES}
    if EXTRA_NOTES in values:
        fields["notes"] = append_lines(fields.get("notes", ""), values[EXTRA_NOTES])
    return {get_attribute(name): _from_json(name, value) for name, value in fields.items()}


def append_lines(notes: str, lines: Sequence[str]) -> str:
    """Return the notes with these lines below them, without those that are there already."""
    existing = notes.splitlines()
    return "\n".join([*([notes] if notes else []), *(line for line in lines if line not in existing)])


def _from_json(name: str, value: object) -> object:
    return value if value is None or name not in _FROM_JSON else _FROM_JSON[name](str(value))
