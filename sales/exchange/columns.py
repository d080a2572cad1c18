"""The columns of a file of leads: what each is called, by Athena and by people, and how its cells are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sales import errors
from sales.exchange import cells
from sales.models import Lead


@dataclass(frozen=True)
class Column:
    """A field of a lead. `also` are other headers that people give it; `example` is the template's."""

    name: str
    label: str
    read: cells.Reader
    also: tuple[str, ...] = ()
    example: str = ""


_UTM = ("source", "medium", "campaign", "term", "content")
COLUMNS = (
    Column("company_name", "Company", cells.one_line(200), ("Organisation", "Organization", "Account"),
           "Lincoln High School"),
    Column("contact_name", "Contact", cells.one_line(200), ("Name", "Full name", "Contact person"), "Ann Smith"),
    Column("email", "E-mail", cells.email, ("Mail", "E-mail address", "Contact e-mail"), "ann@lincoln.example"),
    Column("phone", "Phone", cells.one_line(50), ("Telephone", "Phone number", "Tel", "Mobile"), "(212) 555-0100"),
    Column("status", "Status", cells.choice(Lead.Status.choices), ("Stage",), "New"),
    Column("owner", "Owner", cells.among("owners", "No active user has this e-mail address."),
           ("Assigned to", "Salesperson", "Owner e-mail")),
    Column("source", "Source", cells.among("sources", "There is no such source."), ("Lead source",)),
    Column("trip_type", "Trip type", cells.choice(Lead.TripType.choices), (), "Round trip"),
    Column("pickup_at", "Pickup at", cells.moment, ("Pickup", "Pickup date", "Trip date", "Departure"),
           "2026-09-14 08:30"),
    Column("return_at", "Return at", cells.moment, ("Return", "Return date"), "2026-09-14 18:00"),
    Column("pickup_location", "Pickup location", cells.one_line(200), ("From", "Pickup address", "Origin"), "New York"),
    Column("dropoff_location", "Dropoff location", cells.one_line(200), ("To", "Destination", "Drop-off address"),
           "Boston"),
    Column("estimated_passengers", "Passengers", cells.count, ("Pax", "Group size", "Number of passengers"), "45"),
    Column("vehicle_type", "Vehicle type", cells.choice(Lead.VehicleType.choices), ("Vehicle",), "Motorcoach"),
    Column("vehicles_needed", "Vehicles", cells.count, ("Buses", "Number of vehicles"), "1"),
    Column("accessible_seats", "Accessible seats", cells.count, ("Wheelchair seats",)),
    Column("itinerary", "Itinerary", cells.long_text),
    Column("estimated_value", "Value", cells.money, ("Amount", "Budget"), "2400"),
    Column("quote_amount", "Quote", cells.money),
    Column("quote_valid_until", "Quote valid until", cells.day),
    Column("bid_due_at", "Bid due at", cells.moment, ("Bid due",)),
    Column("booked_value", "Booked value", cells.money, ("Booked",)),
    Column("lost_reason", "Lost reason", cells.among("lost_reasons", "There is no such reason."), ("Why lost",)),
    Column("is_repeat", "Repeat client", cells.yes_or_no, ("Repeat",)),
    Column("campaign", "Campaign", cells.one_line(100)),
    *(Column(f"utm_{name}", f"UTM {name}", cells.one_line(100)) for name in _UTM),
    Column("notes", "Notes", cells.long_text, ("Comments", "Remarks"), "Needs a quote this week"),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
NAMES = ("company_name", "contact_name")

# What an import changes of a lead that is there. How far its sale has come, and who owns it, is said where that
# happens, with its activity and its follow-ups.
UPDATABLE = tuple(
    column.name for column in COLUMNS if column.name not in ("status", "owner", "booked_value", "lost_reason")
)


def layout(header: Sequence[str]) -> list[str | None]:
    """The field that each column of a file holds, or None for one that is not imported.

    Raises `Invalid` for a header that is empty, there twice, or lacks what a lead must have.
    """
    known = {_key(spelling): column.name for column in COLUMNS for spelling in _spellings(column)}
    names = [known.get(_key(cell)) for cell in header]
    empty = [_letters(place) for place, cell in enumerate(header) if not cell.strip()]
    if empty:
        _refuse(f"Column {', '.join(empty)} has no header. Give it one, or delete the column.")
    for name in sorted({name for name in names if name is not None}):
        same = [cell.strip() for cell, each in zip(header, names, strict=True) if each == name]
        if len(same) > 1:
            _refuse(f"These columns are the same: {', '.join(same)}. Keep one of them.")
    twice = sorted({cell.strip() for cell in header if [_key(each) for each in header].count(_key(cell)) > 1})
    if twice:
        _refuse(f"This header is there more than once: {', '.join(twice)}.")
    if not set(NAMES) & set(names):
        _refuse("The first line must name the columns, with Company or Contact among them.")
    return names


def read_row(
    columns: Sequence[str | None], row: Sequence[str], lookups: cells.Lookups
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the cells say, by field, and what is wrong with them, by column. An empty cell says nothing."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    if len(row) > len(columns):
        wrong["Line"] = "It has more cells than the header."
    for name, cell in zip(columns, row, strict=False):
        if name is None:
            continue
        try:
            text = cells.plain_text(cell)
            if text:
                values[name] = BY_NAME[name].read(text, lookups)
        except ValueError as error:
            wrong[BY_NAME[name].label] = str(error)
    return values, wrong


def as_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON holds them (a row's, or those of a change) as the attributes of a `Lead`, typed."""
    renamed = {"source": "source_id", "lost_reason": "lost_reason_id", "owner": "assigned_to_id"}
    return {renamed.get(name, name): _typed(name, value) for name, value in values.items()}


def _typed(name: str, value: Any) -> Any:
    return value if value is None or name not in _TYPED else _TYPED[name](str(value))


_TYPED: dict[str, Any] = {
    **dict.fromkeys(("pickup_at", "return_at", "bid_due_at"), datetime.fromisoformat),
    "quote_valid_until": date.fromisoformat,
    **dict.fromkeys(("estimated_value", "quote_amount", "booked_value"), Decimal),
}


def _spellings(column: Column) -> tuple[str, ...]:
    return (column.name, column.label, *column.also)


def _key(header: str) -> str:
    return "".join(filter(str.isalnum, header.casefold()))


def _letters(place: int) -> str:
    """The column's letters, as spreadsheets show them."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _refuse(why: str) -> None:
    raise errors.Invalid({"file": why})
