"""Reading the cells of a row as values of a lead, with what is wrong with them."""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from athena.http.spreadsheet_cells import unescape_formula
from athena.limits import MAX_TEXT_LENGTH
from sales.exchange import currency
from sales.exchange.cells import cleaning, contacts, parsing
from sales.exchange.cells.cleaning import Kind
from sales.exchange.columns import (
    AMOUNT_FIELDS,
    BY_NAME,
    CURRENCY,
    EXTRA_EMAIL,
    EXTRA_NOTES,
    EXTRA_PHONE,
    FIRST_NAME,
    LAST_NAME,
    LEAD_NUMBER,
    PART_KINDS,
    append_lines,
)
from sales.exchange.file_reader import TOO_MANY_CELLS

RENAME_LEAD_COLUMN = "If the column Lead means something else, rename it."
_WHOLE_NUMBER = re.compile(r"([0-9]{1,18})(?:\.0+)?", re.ASCII)

Parts = dict[str, list[tuple[str, str]]]  # by part of a field (such as `FIRST_NAME`): headers and texts


def read_row(
    columns: Sequence[str | None],
    row: Sequence[str],
    lookups: parsing.Lookups,
    header: Sequence[str] = (),
    cleaned: dict[str, str] | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of a row by field, as JSON holds them, and what is wrong with its cells by column label.

    `columns` is what `mapping.map_columns` returns. An empty cell gives no value. What was done to cells so that they
    could be read is added to `cleaned`, by column label. Phone numbers and email addresses beyond the first become
    `EXTRA_NOTES`, each with its header.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    cleaned = {} if cleaned is None else cleaned
    parts: Parts = {}
    extra: list[str] = []
    if len(row) > len(columns):
        problems["Line"] = TOO_MANY_CELLS
    for place, (name, cell) in enumerate(zip(columns, row, strict=False)):
        if name is None or name == LEAD_NUMBER:
            continue
        column = BY_NAME.get(name)
        label = column.label if column else (header[place] if place < len(header) else name)
        try:
            text, remarks = cleaning.clean(cell, column.kind if column else PART_KINDS[name])
            if text and column is None:
                parts.setdefault(name, []).append((label, text))
            elif text and column:
                value = column.read_cell(text, lookups)
                if isinstance(value, contacts.MultipleValues):
                    extra += [f"{label}: {other}" for other in value.others]
                    value = value.first
                values[name] = value
                remarks += parsing.describe_rounding(text, value)
            if remarks:
                cleaned[label] = " ".join(remarks)
        except ValueError as error:
            problems[label] = str(error)
    _check_currency(values, problems, parts.get(CURRENCY, []))
    _join_contact_name(values, problems, parts, extra, lookups)
    _join_contacts(values, problems, parts, extra, lookups)
    if extra:
        _keep_as_notes(extra, values, problems, cleaned)
    return values, problems


def read_lead_number(columns: Sequence[str | None], row: Sequence[str]) -> int | None:
    """Return the number of the lead that the row changes, or None if it names none. Raises `ValueError`."""
    place = columns.index(LEAD_NUMBER) if LEAD_NUMBER in columns else len(row)
    text = cleaning.clean(row[place], Kind.VALUE)[0] if place < len(row) else ""
    if not text:
        return None
    number = _WHOLE_NUMBER.fullmatch(text)
    if number is None:
        raise ValueError(f"Give the lead's number in Athena, or leave the cell empty. {RENAME_LEAD_COLUMN}")
    return int(number[1])


def blank_unchanged_cells(
    columns: Sequence[str | None], row: Sequence[str], exported_texts: Mapping[str, str]
) -> list[str]:
    """Return the row's cells, emptied where they hold the text that an export of the lead has there.

    `exported_texts` are those texts by field. So unedited text stays as it is, however an import would clean it.
    """
    return [
        "" if name is not None and name in exported_texts and _is_same_text(cell, exported_texts[name]) else cell
        for name, cell in zip_longest(columns, row, fillvalue=None)
        if cell is not None
    ]


def _is_same_text(cell: str, text: str) -> bool:
    return unescape_formula(cell).strip().splitlines() == text.strip().splitlines()


def _check_currency(
    values: dict[str, Any], problems: dict[str, str], currency_cells: Sequence[tuple[str, str]]
) -> None:
    """Refuse the row's amounts if one of its currency columns names another currency than the company's."""
    for label, name in currency_cells:
        if not currency.is_company_currency(name):
            for field in AMOUNT_FIELDS:
                if values.pop(field, None) is not None:
                    problems[BY_NAME[field].label] = (
                        f"Amounts are in {currency.COMPANY_CURRENCY}; the column {label} says {name[:40]}. "
                        "Convert it first."
                    )


def _join_contact_name(
    values: dict[str, Any], problems: dict[str, str], parts: Parts, extra: list[str], lookups: parsing.Lookups
) -> None:
    """Make the contact's name of first and last name, if the row does not give it whole; keep it as a note if both
    are given and differ."""
    name = " ".join(text for part in (FIRST_NAME, LAST_NAME) for _, text in parts.get(part, []))
    if name and "contact_name" not in values:
        try:
            values["contact_name"] = BY_NAME["contact_name"].read_cell(name, lookups)
        except ValueError as error:
            problems["Contact"] = str(error)
    elif name and name.casefold() != str(values["contact_name"]).casefold():
        extra.append(f"Name: {name}")


def _join_contacts(
    values: dict[str, Any], problems: dict[str, str], parts: Parts, extra: list[str], lookups: parsing.Lookups
) -> None:
    """Take the first of the extra phone numbers and email addresses if the row has no other; keep the rest as notes."""
    for field, part in (("phone", EXTRA_PHONE), ("email", EXTRA_EMAIL)):
        for label, text in parts.get(part, []):
            try:
                value = BY_NAME[field].read_cell(text, lookups)
            except ValueError:
                extra.append(f"{label}: {text}")
                continue
            first, others = (value.first, value.others) if isinstance(value, contacts.MultipleValues) else (value, ())
            if field not in values and BY_NAME[field].label not in problems:
                values[field] = first
            elif first != values.get(field):
                extra.append(f"{label}: {first}")
            extra += [f"{label}: {other}" for other in others]


def _keep_as_notes(extra: list[str], values: dict[str, Any], problems: dict[str, str], cleaned: dict[str, str]) -> None:
    cleaned["Notes"] = " ".join(filter(None, (cleaned.get("Notes"), f"Kept here: {'; '.join(extra)}.")))
    values[EXTRA_NOTES] = extra
    if len(append_lines(values.get("notes", ""), extra)) > MAX_TEXT_LENGTH:
        problems["Notes"] = (
            f"Together with what is kept here, the notes have more than {MAX_TEXT_LENGTH:,} characters. Shorten them."
        )
