"""Checking the rows of a file: what their cells say, and what is wrong with them."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from athena.accounts.models import User
from sales import errors, normalization
from sales.exchange import columns, row_reader
from sales.exchange.cells import parsing
from sales.models import ImportRow, Lead, LeadImport, LeadSource, LostReason
from sales.queries.imports import duplicate_rows, export_rows
from sales.services.leads import leads

_Row = ImportRow.State
_LINKED = tuple(field.name for field in dataclasses.fields(leads.RuleFields))
_NOT_CHANGED = "A file does not change this. Change it on the lead's page."


class Checked(NamedTuple):
    """What is written of a row that was checked: these columns of `ImportRow`."""

    state: str
    values: dict[str, Any]
    problems: dict[str, str]
    cleaned: dict[str, str]
    email_normalised: str
    phone_normalised: str
    lead_number: int | None


def check(rows: Sequence[Sequence[str]], lead_import: LeadImport) -> list[Checked]:
    """Read these rows of a file, in a fixed number of queries. Writes nothing."""
    lookups = _lookups(lead_import)
    numbers = [_number(row, lead_import) for row in rows]
    named = {number for number in numbers if isinstance(number, int)}
    known = (
        Lead.objects.visible_to(lead_import.by).select_related("assigned_to", "source").in_bulk(named) if named else {}
    )
    checked = []
    for row, number in zip(rows, numbers, strict=True):
        if number is None:
            checked.append(_check_new(row, lead_import, lookups))
        elif isinstance(number, str):
            checked.append(_wrong(number))
        elif number in known:
            checked.append(_check_change(row, lead_import, lookups, known[number]))
        else:
            checked.append(_wrong(duplicate_rows.NO_SUCH_LEAD))
    return checked


def _lookups(lead_import: LeadImport) -> parsing.Lookups:
    reasons = LostReason.objects.filter(is_active=True).values_list("name", "label")
    return parsing.Lookups(
        zone=lead_import.by.zone,
        sources={name.casefold(): key for key, name in LeadSource.objects.values_list("pk", "name")},
        lost_reasons={spelling.casefold(): name for name, label in reasons for spelling in (name, label)},
        owners=dict(User.objects.filter(is_active=True).values_list("email", "pk")),
        notations={name: each["written"] for name, each in lead_import.notations.items()},
    )


def _number(row: Sequence[str], lead_import: LeadImport) -> int | str | None:
    """The number of the lead that the row names, None where it names none, or what is wrong with it."""
    try:
        return row_reader.read_lead_number(lead_import.columns, row)
    except ValueError as error:
        return str(error)


def _wrong(why: str) -> Checked:
    return Checked(_Row.WRONG, {}, {"Lead": why}, {}, "", "", None)


def _check_new(row: Sequence[str], lead_import: LeadImport, lookups: parsing.Lookups) -> Checked:
    cleaned: dict[str, str] = {}
    values, problems = row_reader.read_row(lead_import.columns, row, lookups, lead_import.header, cleaned)
    linked = {name: value for name, value in columns.to_lead_fields(values).items() if name in _LINKED}
    problems |= _broken_rules(leads.RuleFields(**linked), problems)
    email, phone = (
        normalization.normalize_email(values.get("email", "")),
        normalization.normalize_phone(values.get("phone", "")),
    )
    return Checked(_Row.WRONG if problems else _Row.READY, values, problems, cleaned, email, phone, None)


def _check_change(row: Sequence[str], lead_import: LeadImport, lookups: parsing.Lookups, lead: Lead) -> Checked:
    """A row that names its lead: only cells that differ from an export of the lead say something."""
    cleaned = _attempts_at_fixed_columns(row, lead_import, lookups, lead)
    texts = {name: str(getattr(lead, name)) for name in columns.TEXT_FIELDS} | {"source": str(lead.source or "")}
    edited = row_reader.blank_unchanged_cells(lead_import.columns, row, texts)
    edited = [
        "" if name in columns.FIXED_FIELDS else cell
        for name, cell in zip((*lead_import.columns, *[None] * len(edited)), edited, strict=False)
    ]
    values, problems = row_reader.read_row(lead_import.columns, edited, lookups, lead_import.header, cleaned)
    linked = {name: getattr(lead, name) for name in _LINKED}
    linked |= {name: value for name, value in columns.to_lead_fields(values).items() if name in _LINKED}
    problems |= _broken_rules(leads.RuleFields(**linked), problems)
    state = _Row.WRONG if problems else _Row.READY
    return Checked(state, values, problems, cleaned, "", "", lead.pk)


def _broken_rules(linked: leads.RuleFields, problems: dict[str, str]) -> dict[str, str]:
    """The rules between fields that the row breaks, by column; none where an unreadable cell may be the reason."""
    try:
        leads.check_rules(linked)
    except errors.Invalid as error:
        return {} if problems else {columns.BY_NAME[name].label: why for name, why in error.fields.items()}
    return {}


def _attempts_at_fixed_columns(
    row: Sequence[str], lead_import: LeadImport, lookups: parsing.Lookups, lead: Lead
) -> dict[str, str]:
    """A remark for each cell that would change what a file does not change, by column."""
    exported = export_rows.fixed_cells(lead)
    remarks = {}
    for name, cell in zip(lead_import.columns, row, strict=False):
        if name in columns.FIXED_FIELDS and cell.strip() and cell.strip() != exported[name]:
            values, problems = row_reader.read_row([name], [cell], lookups)
            ((attribute, value),) = columns.to_lead_fields(values).items() or [("", None)]
            if problems or value != getattr(lead, attribute):
                remarks[columns.BY_NAME[name].label] = _NOT_CHANGED
    return remarks
