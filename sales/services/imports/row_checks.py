"""Checking the rows of an import: what their cells say, and what is wrong with them."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from athena.accounts.models import User
from sales import errors, normalization
from sales.exchange import columns, row_reader
from sales.exchange.cells import parsing
from sales.models import ImportRow, Lead, LeadImport, LeadSource, LostReason
from sales.queries.imports import export_rows
from sales.services.imports import duplicate_rows
from sales.services.leads import leads

_State = ImportRow.State
_RULE_FIELDS = tuple(field.name for field in dataclasses.fields(leads.RuleFields))
_NOT_CHANGED = "A file does not change this. Change it on the lead's page."


class CheckedRow(NamedTuple):
    """The columns of `ImportRow` that checking a row sets."""

    state: str
    values: dict[str, Any]
    problems: dict[str, str]
    cleaned: dict[str, str]
    email_normalised: str
    phone_normalised: str
    lead_number: int | None


def check_rows(rows: Sequence[Sequence[str]], lead_import: LeadImport) -> list[CheckedRow]:
    """Read the cells of these rows, in a fixed number of queries. Writes nothing."""
    lookups = _load_lookups(lead_import)
    numbers = [_read_number(row, lead_import) for row in rows]
    lead_ids = {number for number in numbers if isinstance(number, int)}
    visible = Lead.objects.visible_to(lead_import.by).select_related("assigned_to", "source")
    named_leads = visible.in_bulk(lead_ids) if lead_ids else {}
    checked = []
    for row, number in zip(rows, numbers, strict=True):
        if number is None:
            checked.append(_check_new_lead(row, lead_import, lookups))
        elif isinstance(number, str):
            checked.append(_wrong_number(number))
        elif number in named_leads:
            checked.append(_check_update(row, lead_import, lookups, named_leads[number]))
        else:
            checked.append(_wrong_number(duplicate_rows.NO_SUCH_LEAD))
    return checked


def _load_lookups(lead_import: LeadImport) -> parsing.Lookups:
    reasons = LostReason.objects.filter(is_active=True).values_list("name", "label")
    return parsing.Lookups(
        zone=lead_import.by.zone,
        sources={name.casefold(): key for key, name in LeadSource.objects.values_list("pk", "name")},
        lost_reasons={spelling.casefold(): name for name, label in reasons for spelling in (name, label)},
        owners=dict(User.objects.filter(is_active=True).values_list("email", "pk")),
        notations={name: stored["written"] for name, stored in lead_import.notations.items()},
    )


def _read_number(row: Sequence[str], lead_import: LeadImport) -> int | str | None:
    """Return the number of the lead that the row names, None if it names none, or what is wrong with the number."""
    try:
        return row_reader.read_lead_number(lead_import.columns, row)
    except ValueError as error:
        return str(error)


def _wrong_number(problem: str) -> CheckedRow:
    return CheckedRow(_State.WRONG, {}, {"Lead": problem}, {}, "", "", None)


def _check_new_lead(row: Sequence[str], lead_import: LeadImport, lookups: parsing.Lookups) -> CheckedRow:
    cleaned: dict[str, str] = {}
    values, problems = row_reader.read_row(lead_import.columns, row, lookups, lead_import.header, cleaned)
    problems |= _check_rules(leads.RuleFields(**_pick_rule_fields(values)), problems)
    state = _State.WRONG if problems else _State.READY
    email = normalization.normalize_email(values.get("email", ""))
    phone = normalization.normalize_phone(values.get("phone", ""))
    return CheckedRow(state, values, problems, cleaned, email, phone, None)


def _check_update(row: Sequence[str], lead_import: LeadImport, lookups: parsing.Lookups, lead: Lead) -> CheckedRow:
    """Check a row that gives its lead's number: only cells that differ from an export of the lead count."""
    cleaned = _find_fixed_cells(row, lead_import, lookups, lead)
    texts = {name: str(getattr(lead, name)) for name in columns.TEXT_FIELDS} | {"source": str(lead.source or "")}
    edited = row_reader.blank_unchanged_cells(lead_import.columns, row, texts)
    edited = [
        "" if name in columns.FIXED_FIELDS else cell
        for name, cell in zip((*lead_import.columns, *[None] * len(edited)), edited, strict=False)
    ]
    values, problems = row_reader.read_row(lead_import.columns, edited, lookups, lead_import.header, cleaned)
    fields = {name: getattr(lead, name) for name in _RULE_FIELDS} | _pick_rule_fields(values)
    problems |= _check_rules(leads.RuleFields(**fields), problems)
    state = _State.WRONG if problems else _State.READY
    return CheckedRow(state, values, problems, cleaned, "", "", lead.pk)


def _pick_rule_fields(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in columns.to_lead_fields(values).items() if name in _RULE_FIELDS}


def _check_rules(fields: leads.RuleFields, problems: dict[str, str]) -> dict[str, str]:
    """Return the rules between fields that the row breaks, by column; none if it already has problems, since a cell
    that can't be read may be the reason."""
    try:
        leads.check_rules(fields)
    except errors.Invalid as error:
        return {} if problems else {columns.BY_NAME[name].label: rule for name, rule in error.fields.items()}
    return {}


def _find_fixed_cells(
    row: Sequence[str], lead_import: LeadImport, lookups: parsing.Lookups, lead: Lead
) -> dict[str, str]:
    """Return a remark, by column, for each cell that differs from the lead in a field that imports don't change."""
    exported = export_rows.get_fixed_cells(lead)
    remarks = {}
    for name, cell in zip(lead_import.columns, row, strict=False):
        if name in columns.FIXED_FIELDS and cell.strip() and cell.strip() != exported[name]:
            values, problems = row_reader.read_row([name], [cell], lookups)
            value = columns.to_lead_fields(values).get(columns.get_attribute(name))
            if problems or (values and value != getattr(lead, columns.get_attribute(name))):
                remarks[columns.BY_NAME[name].label] = _NOT_CHANGED
    return remarks
