"""The page of an import: how its file was read, how many rows of each kind there are, and their values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Prefetch, Q
from django.utils.formats import number_format
from django.utils.timezone import localtime

from athena.accounts.models import User
from athena.admin.confirmation import MAX_SAMPLE
from athena.formatting import format_date, format_datetime, format_money
from sales import schedule
from sales.exchange import columns
from sales.exchange.cells import notation
from sales.models import ImportRow, Lead, LeadImport, LeadSource, LostReason
from sales.services.imports import duplicate_rows, imports

MAX_SHOWN_ROWS = 100
FILTERS = {  # the values of `?show=`
    "all": ("All", Q()),
    "wrong": ("Wrong", Q(state=ImportRow.State.WRONG)),
    "cleaned": ("Cleaned", ~Q(cleaned={}) & ~Q(cleaned=None)),
    "there": ("Duplicates", duplicate_rows.IS_DUPLICATE),
    "kept": ("Not undone", Q(state=ImportRow.State.KEPT)),
}
_CHOICES = {"status": Lead.Status, "trip_type": Lead.TripType, "vehicle_type": Lead.VehicleType}
_NUMBER_FIELDS = {*columns.AMOUNT_FIELDS, *columns.COUNT_FIELDS}

LinkedNames = Mapping[str, Mapping[Any, str]]  # by field: the names of the rows that its keys stand for


class Cell(NamedTuple):
    """A value of a row as people read it, or the text of the file if it can't be read."""

    text: str
    is_wrong: bool = False
    is_number: bool = False


@dataclass(frozen=True)
class PreviewRow:
    """A row of the table: the row of the import, its problems, what was cleaned, and its cells."""

    row: ImportRow
    problems: str
    cleaned: str
    cells: list[Cell]


class Choice(NamedTuple):
    """A notation that the user can choose."""

    value: str
    label: str
    is_chosen: bool


class Question(NamedTuple):
    """Asks in which notation a column writes its dates or amounts."""

    name: str
    label: str
    example: str
    is_undecided: bool
    choices: list[Choice]


def build_context(lead_import: LeadImport, show: str, by: User) -> dict[str, Any]:
    """Return the context of the page. `show` is one of `FILTERS`; anything else shows the rows that matter most."""
    if show not in FILTERS:
        show = "kept" if lead_import.state == LeadImport.State.UNDONE else "all"
    counts = _count_rows(lead_import)
    rows = _load_rows(lead_import, show, by)
    fields = _find_fields(lead_import, rows)
    names = _load_linked_names(rows)
    state = LeadImport.State(lead_import.state)
    return {
        "counts": counts,
        "rows": [
            PreviewRow(
                row,
                join_problems(row),
                _join_by_column(row.cleaned),
                [_build_cell(row, lead_import, field, names, by) for field in fields],
            )
            for row in rows
        ],
        "fields": [(columns.BY_NAME[field].label, field in _NUMBER_FIELDS) for field in fields],
        "filters": [(name, label, counts[name]) for name, (label, _) in FILTERS.items() if counts[name]],
        "show": show,
        "is_unfinished": state in LeadImport.UNFINISHED,
        "duplicate_choices": [
            (value, label, counts["ready"] - (counts["twice"] if value == LeadImport.Duplicates.SKIP else 0))
            for value, label in LeadImport.Duplicates.choices
        ],
        "is_checked": state == LeadImport.State.CHECKED,
        "can_choose_sheet": state in (LeadImport.State.CHECKED, LeadImport.State.REFUSED),
        "questions": build_questions(lead_import) if state == LeadImport.State.CHECKED else [],
        "can_undo": state in imports.UNDOABLE_STATES and counts["all"],
    }


def _count_rows(lead_import: LeadImport) -> dict[str, int]:
    """Return the number of rows by state and by filter, and of duplicates that are ready (`twice`)."""
    counted = {state: Count("pk", filter=Q(state=state)) for state in ImportRow.State.values}
    counted |= {name: Count("pk", filter=FILTERS[name][1]) for name in ("there", "cleaned")}
    counted["twice"] = Count("pk", filter=duplicate_rows.IS_DUPLICATE & Q(state=ImportRow.State.READY))
    return dict(lead_import.rows.order_by().aggregate(**counted, all=Count("pk")))


def _load_rows(lead_import: LeadImport, show: str, by: User) -> list[ImportRow]:
    """Return the first rows of this filter, with those of their leads that are still visible to `by`."""
    visible = Lead.objects.in_scope_of(by)
    rows = lead_import.rows.order_by("line").filter(FILTERS[show][1])
    return list(rows.prefetch_related(Prefetch("same_as", visible), Prefetch("lead", visible))[:MAX_SHOWN_ROWS])


def summarize_undo(lead_import: LeadImport, by: User) -> dict[str, Any]:
    """Return how many leads the import has created and updated, and a sample of those that are visible to `by`."""
    rows = lead_import.rows.order_by().filter(state__in=ImportRow.IMPORTED_STATES)
    created = Count("lead", distinct=True, filter=Q(state=ImportRow.State.CREATED))
    counts = rows.aggregate(all=Count("lead", distinct=True), created=created)
    sample = list(Lead.objects.in_scope_of(by).filter(pk__in=rows.values("lead")).order_by("pk")[:MAX_SAMPLE])
    return {
        "created": counts["created"],
        "updated": counts["all"] - counts["created"],
        "sample": sample,
        "left_out": counts["all"] - len(sample),
    }


def join_problems(row: ImportRow) -> str:
    """Return what is wrong with a row as one text."""
    return _join_by_column(row.problems)


def _join_by_column(remarks: Mapping[str, str]) -> str:
    """Join the remarks in the order of their columns' names, since JSON keeps no order in PostgreSQL."""
    return " ".join(f"{column}: {remark}" for column, remark in sorted(remarks.items()))


def build_questions(lead_import: LeadImport) -> list[Question]:
    """Return a question for each column whose dates or amounts can be read in two ways."""
    return [
        Question(
            name,
            columns.BY_NAME[name].label,
            stored["example"],
            stored["written"] == notation.UNDECIDED,
            [
                Choice(choice, notation.LABELS[choice], choice == (stored["written"] or stored["likely"]))
                for choice in notation.CHOICES[stored["kind"]]
            ],
        )
        for name, stored in lead_import.notations.items()
    ]


def _find_fields(lead_import: LeadImport, rows: list[ImportRow]) -> list[str]:
    """Return the fields that the file's columns fill, in the order of the file, and the notes if a row adds to them."""
    parts = {columns.FIRST_NAME: "contact_name", columns.LAST_NAME: "contact_name"}
    names = [parts.get(name, name) for name in lead_import.columns if name]
    if any(columns.EXTRA_NOTES in row.values for row in rows):
        names.append("notes")
    return [name for name in dict.fromkeys(names) if name in columns.BY_NAME]


def _load_linked_names(rows: list[ImportRow]) -> LinkedNames:
    """Return the names of the owners, sources and lost reasons in these rows, in one query each."""
    owners = {row.values["owner"] for row in rows if "owner" in row.values}
    sources = {row.values["source"] for row in rows if "source" in row.values}
    reasons = {row.values["lost_reason"] for row in rows if "lost_reason" in row.values}
    return {
        "owner": {user.pk: str(user) for user in User.objects.filter(pk__in=owners)} if owners else {},
        "source": dict(LeadSource.objects.filter(pk__in=sources).values_list("pk", "name")) if sources else {},
        "lost_reason": dict(LostReason.objects.filter(pk__in=reasons).values_list("name", "label")) if reasons else {},
    }


def _build_cell(row: ImportRow, lead_import: LeadImport, name: str, names: LinkedNames, by: User) -> Cell:
    is_number = name in _NUMBER_FIELDS
    if name not in row.values and name in lead_import.columns:
        place = lead_import.columns.index(name)
        original = row.cells[place] if place < len(row.cells) else ""
        if columns.BY_NAME[name].label in row.problems:
            return Cell(original, is_wrong=True, is_number=is_number)
        if row.lead_number is not None:  # the cell does not differ from the lead
            return Cell(original)
    values = columns.to_lead_fields({key: row.values[key] for key in (name, columns.EXTRA_NOTES) if key in row.values})
    value = values.get(columns.get_attribute(name))
    if value is None:
        return Cell("")
    if name in names:
        return Cell(names[name].get(value, str(value)))
    return Cell(_format_value(name, value, by), is_number=is_number)


def _format_value(name: str, value: object, by: User) -> str:
    """Write the value so that nobody can mistake it: dates with the month's name, amounts with their currency."""
    if isinstance(value, datetime):
        at_company = localtime(value, schedule.company_zone())
        return format_date(at_company) if at_company.time() == time() else format_datetime(value, by.zone)
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format_money(value)
    if isinstance(value, int):
        return number_format(value, 0, use_l10n=True, force_grouping=True)
    text = str(value)
    return str(dict(_CHOICES[name].choices)[text]) if name in _CHOICES else text
