"""The columns of a file of leads: what each is called, by Athena and by people, and how its cells are read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from athena.api.fields import MAX_LONG_TEXT
from athena.http.spreadsheet_cells import unescape_formula
from sales import errors
from sales.exchange import currency, headers
from sales.exchange.cells import amounts, cleaning, contacts, datetimes, parsing
from sales.exchange.cells.cleaning import Kind
from sales.exchange.files import TOO_MANY_CELLS
from sales.exchange.xlsx.worksheet import letters
from sales.models import Lead


@dataclass(frozen=True)
class Column:
    """A field of a lead. `also` are other headers that people give it; `example` is the template's."""

    name: str
    label: str
    read: parsing.Reader
    also: tuple[str, ...] = ()
    example: str = ""
    kind: Kind = Kind.VALUE


_UTM = ("source", "medium", "campaign", "term", "content")
COLUMNS = (
    Column("company_name", "Company", parsing.one_line(200),
           ("Organisation", "Organization", "Account", "Account name", "Organization - Name", "Organisation name",
            "Organization name", "Deal - Organization", "Company / Account", "Organization 1 - Name"),
           "Lincoln High School", Kind.LINE),
    Column("contact_name", "Contact", parsing.one_line(200),
           ("Name", "Full name", "Contact person", "Person - Name", "Deal - Contact person"), "Ann Smith", Kind.LINE),
    Column("email", "E-mail", contacts.email, ("Mail", "E-mail address", "Contact e-mail", "Person - Email - Work"),
           "ann@lincoln.example", Kind.EMAIL),
    Column("phone", "Phone", contacts.phone, ("Telephone", "Phone number", "Tel", "Person - Phone - Work"),
           "(212) 555-0100", Kind.PHONE),
    Column("status", "Status", parsing.choice(Lead.Status.choices), ("Stage", "Lead status"), "New"),
    Column("owner", "Owner", parsing.among("owners", "No active user has this e-mail address."),
           ("Assigned to", "Salesperson", "Owner e-mail")),
    Column("source", "Source", parsing.among("sources", "There is no such source."), ("Lead source",)),
    Column("trip_type", "Trip type", parsing.choice(Lead.TripType.choices), (), "Round trip"),
    Column("pickup_at", "Pickup at", datetimes.moment("pickup_at"), ("Pickup", "Pickup date", "Trip date", "Departure"),
           "2026-09-14 08:30"),
    Column("return_at", "Return at", datetimes.moment("return_at"), ("Return", "Return date"), "2026-09-14 18:00"),
    Column("pickup_location", "Pickup location", parsing.one_line(200), ("From", "Pickup address", "Origin"),
           "New York", Kind.LINE),
    Column("dropoff_location", "Dropoff location", parsing.one_line(200), ("To", "Destination", "Drop-off address"),
           "Boston", Kind.LINE),
    Column("estimated_passengers", "Passengers", parsing.count, ("Pax", "Group size", "Number of passengers"), "45"),
    Column("vehicle_type", "Vehicle type", parsing.choice(Lead.VehicleType.choices), ("Vehicle",), "Motorcoach"),
    Column("vehicles_needed", "Vehicles", parsing.count, ("Buses", "Number of vehicles"), "1"),
    Column("accessible_seats", "Accessible seats", parsing.count, ("Wheelchair seats",)),
    Column("itinerary", "Itinerary", parsing.long_text, (), "", Kind.TEXT),
    Column("estimated_value", "Value", amounts.reader("estimated_value"),
           ("Amount", "Budget", "Lead - Value", "Deal - Value"), "2400"),
    Column("quote_amount", "Quote", amounts.reader("quote_amount")),
    Column("quote_valid_until", "Quote valid until", datetimes.day("quote_valid_until")),
    Column("bid_due_at", "Bid due at", datetimes.moment("bid_due_at"), ("Bid due",)),
    Column("booked_value", "Booked value", amounts.reader("booked_value"), ("Booked",)),
    Column("lost_reason", "Lost reason", parsing.among("lost_reasons", "There is no such reason."), ("Why lost",)),
    Column("is_repeat", "Repeat client", parsing.yes_or_no, ("Repeat",)),
    Column("campaign", "Campaign", parsing.one_line(100), ("Campaign name",), "", Kind.LINE),
    *(Column(f"utm_{name}", f"UTM {name}", parsing.one_line(100), (), "", Kind.LINE) for name in _UTM),
    Column("notes", "Notes", parsing.long_text, ("Comments", "Remarks", "Description"), "Needs a quote this week",
           Kind.TEXT),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
NAMES = ("company_name", "contact_name", headers.FIRST, headers.LAST)
DATES = ("pickup_at", "return_at", "bid_due_at", "quote_valid_until")
AMOUNTS = ("estimated_value", "quote_amount", "booked_value")
KEY = "lead"  # of a file's columns: the number of the lead that a row changes, as an export gives it
FURTHER = "further"  # of a row's values: lines for the notes, with what has no field of its own
_PARTS = {
    **dict.fromkeys(headers.NAMES, Kind.LINE),
    headers.PHONE: Kind.PHONE,
    headers.EMAIL: Kind.EMAIL,
    headers.CURRENCY: Kind.VALUE,
}

OTHER_LEAD_COLUMN = "If the column Lead means something else, rename it."
TEXTS = tuple(column.name for column in COLUMNS if column.kind is not Kind.VALUE)
_WHOLE_NUMBER = re.compile(r"([0-9]{1,18})(?:\.0+)?", re.ASCII)

# What an import changes of a lead that is there. How far its sale has come, and who owns it, is said where that
# happens, with its activity and its follow-ups.
FIXED = ("status", "owner", "booked_value", "lost_reason")
UPDATABLE = tuple(column.name for column in COLUMNS if column.name not in FIXED)


def layout(header: Sequence[str]) -> list[str | None]:
    """What each column of a file holds: a field, a part of a name, further numbers or addresses (`headers`), or None
    for one that is not imported.

    Raises `Invalid` for a header that is empty, there twice, or lacks what a lead must have.
    """
    empty = [letters(place) for place, cell in enumerate(header, 1) if not cell.strip()]
    if empty:
        _refuse(f"Column {', '.join(empty)} has no header. Give it one, or delete the column, even if it looks empty.")
    names = _names(header)
    for name in sorted(name for name in set(names) & set(BY_NAME) if name is not None):
        same = [cell.strip() for cell, each in zip(header, names, strict=True) if each == name]
        if len(same) > 1:
            _refuse(f"These columns are the same: {', '.join(same)}. Keep one of them.")
    keys = [headers.key(cell) for cell in header]
    twice = sorted({cell.strip() for cell in header if keys.count(headers.key(cell)) > 1})
    if twice:
        _refuse(f"This header is there more than once: {', '.join(twice)}. Rename or delete one of them.")
    if not {*NAMES, KEY} & set(names):
        shown = ", ".join(cell.strip()[:30] for cell in header[:5])
        alone = " Separate cells by commas, semicolons, tabs or vertical bars." if len(header) == 1 else ""
        _refuse(f"The first line must name the columns, with Company or Contact among them. It is: {shown}.{alone}")
    return names


def _names(header: Sequence[str]) -> list[str | None]:
    known = {headers.key(spelling): column.name for column in COLUMNS for spelling in _spellings(column)}
    known[KEY] = KEY
    known |= {headers.key(spelling): part for part, spellings in headers.NAMES.items() for spelling in spellings}
    if headers.is_of_companies(list(header)):
        known["name"] = "company_name"
    names = [
        known.get(headers.key(cell)) or (headers.CURRENCY if headers.is_currency(cell) else headers.further(cell))
        for cell in header
    ]
    for name, part in (("phone", headers.PHONE), ("email", headers.EMAIL)):
        if part in names and name not in names:
            names[names.index(part)] = name
    if names.count("phone") > 1:  # the others are further ones
        first = names.index("phone")
        names = [headers.PHONE if name == "phone" and place != first else name for place, name in enumerate(names)]
    return names


def read_row(
    columns: Sequence[str | None],
    row: Sequence[str],
    lookups: parsing.Lookups,
    header: Sequence[str] = (),
    cleaned: dict[str, str] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the cells say, by field, and what is wrong with them, by column. An empty cell says nothing.

    What was done to cells so that they could be read goes into `cleaned`, by column. Numbers and addresses beyond the
    first are lines of `FURTHER`, each with its header.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    cleaned = {} if cleaned is None else cleaned
    parts: dict[str, list[tuple[str, str]]] = {}
    further: list[str] = []
    if len(row) > len(columns):
        wrong["Line"] = TOO_MANY_CELLS
    for place, (name, cell) in enumerate(zip(columns, row, strict=False)):
        if name is None or name == KEY:
            continue
        column = BY_NAME.get(name)
        label = column.label if column else (header[place] if place < len(header) else name)
        try:
            text, remarks = cleaning.clean(cell, column.kind if column else _PARTS[name])
            if text and column is None:
                parts.setdefault(name, []).append((label, text))
            elif text and column:
                value = column.read(text, lookups)
                if isinstance(value, contacts.Several):
                    further += [f"{label}: {other}" for other in value.others]
                    value = value.first
                values[name] = value
                remarks += parsing.difference(text, value)
            if remarks:
                cleaned[label] = " ".join(remarks)
        except ValueError as error:
            wrong[label] = str(error)
    _require_currency(values, wrong, parts.get(headers.CURRENCY, []))
    _join_parts(values, wrong, parts, further, lookups)
    if further:
        cleaned["Notes"] = " ".join(filter(None, (cleaned.get("Notes"), f"Kept here: {'; '.join(further)}.")))
        values[FURTHER] = further
        if len(with_further(values.get("notes", ""), further)) > MAX_LONG_TEXT:
            wrong["Notes"] = f"With what is kept here they are longer than {MAX_LONG_TEXT:,} characters."
    return values, wrong


def read_key(columns: Sequence[str | None], row: Sequence[str]) -> int | None:
    """The number of the lead that the row changes; None where the row has none. Raises `ValueError`."""
    place = columns.index(KEY) if KEY in columns else len(row)
    text = cleaning.clean(row[place], Kind.VALUE)[0] if place < len(row) else ""
    if not text:
        return None
    number = _WHOLE_NUMBER.fullmatch(text)
    if number is None:
        raise ValueError(f"A lead's number in Athena is required, or nothing. {OTHER_LEAD_COLUMN}")
    return int(number[1])


def without_unchanged_text(columns: Sequence[str | None], row: Sequence[str], exported: Mapping[str, str]) -> list[str]:
    """The row's cells, emptied where they hold the text that an export of the lead has there (`exported`, by field).

    So text comes back as it is, whatever reading it would make of it.
    """
    return [
        "" if name is not None and name in exported and _same_text(cell, exported[name]) else cell
        for name, cell in zip_longest(columns, row, fillvalue=None)
        if cell is not None
    ]


def _same_text(cell: str, text: str) -> bool:
    return _lines(unescape_formula(cell)) == _lines(text)


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


def _require_currency(values: dict[str, Any], wrong: dict[str, str], named: Sequence[tuple[str, str]]) -> None:
    """Refuse the amounts of a row that says, in a column of its own, that they are in another currency."""
    for label, name in named:
        if not currency.is_ours(name):
            for amount in AMOUNTS:
                if values.pop(amount, None) is not None:
                    wrong[BY_NAME[amount].label] = (
                        f"Amounts are in {currency.OURS}; the column {label} says {name[:40]}. Convert it first."
                    )


def _join_parts(
    values: dict[str, Any],
    wrong: dict[str, str],
    parts: Mapping[str, list[tuple[str, str]]],
    further: list[str],
    lookups: parsing.Lookups,
) -> None:
    """First and last name are the contact's, where the file does not give it whole. The first of the further numbers
    and addresses is the lead's, where it has none."""
    name = " ".join(text for part in headers.NAMES for _, text in parts.get(part, []))
    if name and "contact_name" not in values:
        try:
            values["contact_name"] = BY_NAME["contact_name"].read(name, lookups)
        except ValueError as error:
            wrong["Contact"] = str(error)
    elif name and name.casefold() != str(values["contact_name"]).casefold():
        further.append(f"Name: {name}")
    for field, part in (("phone", headers.PHONE), ("email", headers.EMAIL)):
        for label, text in parts.get(part, []):
            try:
                value = BY_NAME[field].read(text, lookups)
            except ValueError:
                further.append(f"{label}: {text}")
                continue
            first, others = (value.first, value.others) if isinstance(value, contacts.Several) else (value, ())
            if field not in values and BY_NAME[field].label not in wrong:
                values[field] = first
            elif first != values.get(field):
                further.append(f"{label}: {first}")
            further += [f"{label}: {other}" for other in others]


def with_further(notes: str, further: Sequence[str]) -> str:
    """The notes with these lines below them, each once."""
    lines = notes.splitlines()
    return "\n".join([*([notes] if notes else []), *(line for line in further if line not in lines)])


def as_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON holds them (a row's, or those of a change) as the attributes of a `Lead`, typed."""
    renamed = {"source": "source_id", "lost_reason": "lost_reason_id", "owner": "assigned_to_id"}
    if FURTHER in values:
        values = {**values, "notes": with_further(values.get("notes", ""), values[FURTHER])}
        del values[FURTHER]
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


def _refuse(why: str) -> None:
    raise errors.Invalid({"file": why})
