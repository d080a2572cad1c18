"""What the page of an import says of its file: how it was read, how many rows of each kind there are, and what they
hold, value by value."""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Count, Prefetch, Q
from django.utils.formats import number_format
from django.utils.timezone import localtime

from athena.accounts.models import User
from athena.admin.confirmation import SAMPLE
from athena.formatting import format_date, format_datetime, format_money
from sales import schedule
from sales.exchange import columns
from sales.exchange.cells import notation
from sales.models import ImportRow, Lead, LeadImport, LeadSource, LostReason
from sales.queries.imports import duplicate_rows
from sales.services.imports import imports

SHOWN = 100  # rows of the preview
SHOWS = {
    "all": ("All", Q()),
    "wrong": ("Wrong", Q(state=ImportRow.State.WRONG)),
    "cleaned": ("Cleaned", ~Q(cleaned={}) & ~Q(cleaned=None)),
    "there": ("There already", duplicate_rows.DUPLICATE),
    "kept": ("Not undone", Q(state=ImportRow.State.KEPT)),
}
_CHOICES = {"status": Lead.Status, "trip_type": Lead.TripType, "vehicle_type": Lead.VehicleType}


class Cell(NamedTuple):
    """A value of a row as people read it, or what stands in the file where it can't be read."""

    text: str
    is_wrong: bool = False
    is_number: bool = False


class Question(NamedTuple):
    """How one column writes its dates or amounts. `choices` are (value, label, whether it is chosen or proposed)."""

    name: str
    label: str
    example: str
    is_doubted: bool
    choices: list[tuple[str, str, bool]]


def of(lead_import: LeadImport, show: str, by: User) -> dict[str, Any]:
    """The context of the page: counts, questions, and the first of the rows that are asked for."""
    show = show if show in SHOWS else "kept" if lead_import.state == LeadImport.State.UNDONE else "all"
    rows = lead_import.rows.order_by("line")
    counted = {state: Count("pk", filter=Q(state=state)) for state in ImportRow.State.values}
    counted |= {name: Count("pk", filter=SHOWS[name][1]) for name in ("there", "cleaned")}
    counted["twice"] = Count("pk", filter=duplicate_rows.DUPLICATE & Q(state=ImportRow.State.READY))
    counts = rows.order_by().aggregate(**counted, all=Count("pk"))
    visible = Lead.objects.in_scope_of(by)  # a lead may have gone to others since: then it is not named
    shown = list(
        rows.filter(SHOWS[show][1]).prefetch_related(Prefetch("same_as", visible), Prefetch("lead", visible))[:SHOWN]
    )
    fields = _fields(lead_import, shown)
    names = _names(shown)
    for row in shown:
        row.said = problems_of(row)  # type: ignore[attr-defined]
        row.done = _by_column(row.cleaned)  # type: ignore[attr-defined]
        row.shown = [_cell(row, lead_import, name, names, by) for name in fields]  # type: ignore[attr-defined]
    state = LeadImport.State(lead_import.state)
    return {
        "counts": counts,
        "rows": shown,
        "fields": [(columns.BY_NAME[name].label, name in _NUMBERS) for name in fields],
        "shows": [(name, label, counts[name]) for name, (label, _) in SHOWS.items() if counts[name]],
        "show": show,
        "unfinished": state in LeadImport.UNFINISHED,
        "choices": [
            (value, label, counts["ready"] - (counts["twice"] if value == LeadImport.Duplicates.SKIP else 0))
            for value, label in LeadImport.Duplicates.choices
        ],
        "is_checked": state == LeadImport.State.CHECKED,
        "may_choose_sheet": state in (LeadImport.State.CHECKED, LeadImport.State.REFUSED),
        "questions": questions(lead_import) if state == LeadImport.State.CHECKED else [],
        "may_undo": state in imports.UNDOABLE and counts["all"],
    }


def what_undoing_does(lead_import: LeadImport, by: User) -> dict[str, Any]:
    """How many leads the import has made and changed, and some of them, of those that `by` may read."""
    rows = lead_import.rows.order_by().filter(state__in=(ImportRow.State.CREATED, ImportRow.State.UPDATED))
    made = Count("lead", distinct=True, filter=Q(state=ImportRow.State.CREATED))
    counts = rows.aggregate(all=Count("lead", distinct=True), made=made)
    sample = list(Lead.objects.in_scope_of(by).filter(pk__in=rows.values("lead")).order_by("pk")[:SAMPLE])
    return {
        "made": counts["made"],
        "changed": counts["all"] - counts["made"],
        "sample": sample,
        "left_out": counts["all"] - len(sample),
    }


def problems_of(row: ImportRow) -> str:
    """What is wrong with a row, as one text."""
    return _by_column(row.problems)


def _by_column(remarks: Mapping[str, str]) -> str:
    """The remarks as one text, in the order of the columns' names: PostgreSQL's JSON keeps no order of its own."""
    return " ".join(f"{column}: {remark}" for column, remark in sorted(remarks.items()))


def questions(lead_import: LeadImport) -> list[Question]:
    """One for each column whose dates or amounts can be read in two ways."""
    return [
        Question(
            name,
            columns.BY_NAME[name].label,
            each["example"],
            each["written"] == notation.UNDECIDED,
            [
                (choice, notation.LABELS[choice], choice == (each["written"] or each["likely"]))
                for choice in notation.CHOICES[each["kind"]]
            ],
        )
        for name, each in lead_import.notations.items()
    ]


_NUMBERS = {*columns.AMOUNT_FIELDS, "estimated_passengers", "vehicles_needed", "accessible_seats"}


def _fields(lead_import: LeadImport, rows: list[ImportRow]) -> list[str]:
    """The fields that the file has columns for, in the order of the file; the notes where something is kept in them."""
    parts = {columns.FIRST_NAME: "contact_name", columns.LAST_NAME: "contact_name"}
    named = [parts.get(name, name) for name in lead_import.columns if name]
    if any(columns.EXTRA_NOTES in row.values for row in rows):
        named.append("notes")
    return [name for name in dict.fromkeys(named) if name in columns.BY_NAME]


def _names(rows: list[ImportRow]) -> dict[str, Mapping[Any, str]]:
    """What the keys in these rows stand for: a statement each, however many rows there are."""
    owners = {row.values["owner"] for row in rows if "owner" in row.values}
    sources = {row.values["source"] for row in rows if "source" in row.values}
    reasons = {row.values["lost_reason"] for row in rows if "lost_reason" in row.values}
    return {
        "owner": {user.pk: str(user) for user in User.objects.filter(pk__in=owners)} if owners else {},
        "source": dict(LeadSource.objects.filter(pk__in=sources).values_list("pk", "name")) if sources else {},
        "lost_reason": dict(LostReason.objects.filter(pk__in=reasons).values_list("name", "label")) if reasons else {},
    }


def _cell(row: ImportRow, lead_import: LeadImport, name: str, names: Mapping[str, Mapping[Any, str]], by: User) -> Cell:
    label = columns.BY_NAME[name].label
    if label in row.problems and name not in row.values and name in lead_import.columns:
        place = lead_import.columns.index(name)
        return Cell(row.cells[place] if place < len(row.cells) else "", is_wrong=True, is_number=name in _NUMBERS)
    if row.lead_number is not None and name not in row.values and name in lead_import.columns:
        place = lead_import.columns.index(name)  # it is as the lead has it
        return Cell(row.cells[place] if place < len(row.cells) else "")
    values = columns.to_lead_fields({key: row.values[key] for key in (name, columns.EXTRA_NOTES) if key in row.values})
    renamed = {"source": "source_id", "lost_reason": "lost_reason_id", "owner": "assigned_to_id"}
    value = values.get(renamed.get(name, name))
    if value is None:
        return Cell("")
    if name in names:
        return Cell(names[name].get(value, str(value)))
    return Cell(_as_read(name, value, by), is_number=name in _NUMBERS)


def _as_read(name: str, value: Any, by: User) -> str:
    """The value so that nobody mistakes it: months by name, amounts with their cents."""
    if isinstance(value, datetime):
        at_company = localtime(value, schedule.company_zone())
        is_day = at_company.time() == time()
        return format_date(at_company) if is_day else format_datetime(value, by.zone)
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format_money(value)
    if isinstance(value, int):
        return number_format(value, 0, use_l10n=True, force_grouping=True)
    return str(dict(_CHOICES[name].choices)[value]) if name in _CHOICES else str(value)
