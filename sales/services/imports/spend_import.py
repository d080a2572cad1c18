"""What sources cost, from a CSV file with the columns month, source, campaign and amount: all of it, or nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction

from athena.accounts.models import User
from sales import errors, normalization, policy
from sales.exchange import csv_reader
from sales.exchange.cells import amounts, datetimes
from sales.exchange.cells.cleaning import Kind, clean
from sales.exchange.footers import is_footer
from sales.models import LeadSource, SourceSpend

COLUMNS = ("month", "source", "campaign", "amount")
MOST_LINES = 5_000
_MONTH = re.compile(r"(20\d\d)[-/](0?[1-9]|1[0-2])([-/]0?1( 00:00:00)?)?", re.ASCII)
_NAMED_MONTH = re.compile(r"([A-Za-z]{3,9})\.?[ -](20\d\d|\d\d)", re.ASCII)  # Excel makes May-26 of 2026-05


@dataclass(frozen=True)
class Line:
    """A line of the file: what it says, what is wrong with it, and the amount that it would replace."""

    number: int
    month: date | None
    source: LeadSource | None
    campaign: str
    amount: Decimal | None
    wrong: tuple[str, ...] = ()
    replaces: Decimal | None = None


@dataclass(frozen=True)
class Plan:
    lines: list[Line]

    @property
    def wrong(self) -> list[Line]:
        return [line for line in self.lines if line.wrong]

    @property
    def total(self) -> Decimal:
        return sum((line.amount or Decimal() for line in self.lines), Decimal())


class SpendRefused(errors.Invalid):
    """Lines of the file are wrong; nothing was written."""


def decoded(content: bytes) -> str:
    """The file's text, without a byte order mark. Raises `Invalid` for what is no text."""
    if content.startswith(b"PK"):
        raise errors.Invalid({"file": "This is no text. Save the sheet as \u201cCSV UTF-8\u201d."})
    return csv_reader.decode(content)[0]


def plan(*, by: User | None, text: str) -> Plan:
    """What the text would write; writes nothing. Raises `NotAllowed` below manager, `Invalid` for what is no table."""
    policy.check_is_manager(by)
    lines = list(_read(text))
    known = {
        (row.source_id, normalization.name_key(row.campaign), row.month): row
        for row in SourceSpend.objects.filter(month__in={line.month for line in lines if line.month})
    }
    seen: dict[tuple[int, str, date], int] = {}
    planned = []
    for line in lines:
        if line.source and line.month:
            key = (line.source.pk, normalization.name_key(line.campaign), line.month)
            first = seen.setdefault(key, line.number)
            again = () if first == line.number else (f"Line {first} says it already.",)
            line = replace(line, wrong=line.wrong + again)
            if row := known.get(key):
                line = replace(line, campaign=row.campaign, replaces=row.amount)
        planned.append(line)
    return Plan(planned)


@transaction.atomic
def write(*, by: User | None, text: str) -> Plan:
    """Write what the text says; an amount that is there for the same month and campaign is replaced. One statement.

    Raises as `plan`, and `SpendRefused` where a line is wrong: then nothing is written.
    """
    found = plan(by=by, text=text)
    if found.wrong:
        raise SpendRefused({"file": f"{len(found.wrong)} of {len(found.lines)} lines are wrong."})
    rows: list[dict[str, Any]] = [
        {"source": line.source, "campaign": line.campaign, "month": line.month, "amount": line.amount}
        for line in found.lines
    ]
    SourceSpend.objects.bulk_create(
        [SourceSpend(**row) for row in rows],
        update_conflicts=True,
        unique_fields=["source", "campaign", "month"],
        update_fields=["amount"],
    )
    return found


def _read(text: str) -> Iterator[Line]:
    if "\x00" in text:
        raise errors.Invalid({"file": "This is not a CSV file."})
    lines, _ = csv_reader.split_rows(text.lstrip("\ufeff"))
    rows = ((number, cells) for number, cells in lines if any(cell.strip() for cell in cells))
    _, first = next(rows, (0, []))
    header = [name.strip().lower() for name in first]
    if sorted(header) != sorted(COLUMNS):
        raise errors.Invalid({"file": f"The first line must name the columns: {', '.join(COLUMNS)}."})
    sources = {source.name.casefold(): source for source in LeadSource.objects.all()}
    count = 0
    for number, cells in rows:
        if is_footer(cells):
            continue
        count += 1
        if count > MOST_LINES:
            raise errors.Invalid({"file": f"A file has {MOST_LINES:,} lines at most."})
        yield _line(number, header, cells, sources)
    if not count:
        raise errors.Invalid({"file": "There is no line below the first."})


def _line(number: int, header: list[str], cells: list[str], sources: dict[str, LeadSource]) -> Line:
    if len(cells) != len(header):
        return Line(number, None, None, "", None, (f"It has {len(cells)} columns instead of {len(header)}.",))
    wrong: list[str] = []
    values = {}
    for name, cell in zip(header, cells, strict=True):
        try:
            values[name], _ = clean(cell, Kind.LINE if name == "campaign" else Kind.VALUE)
        except ValueError as error:
            wrong.append(f"{name.capitalize()}: {error}")
    if wrong:
        return Line(number, None, None, "", None, tuple(wrong))
    month, source = _month(values["month"]), sources.get(values["source"].casefold())
    if month is None:
        wrong.append("The month is not like 2026-05.")
    if source is None:
        wrong.append(f"There is no source \u201c{values['source']}\u201d.")
    if len(values["campaign"]) > 100 or not values["campaign"].isprintable():
        wrong.append("The campaign is too long, or has odd characters.")
    amount = None
    try:
        amount = amounts.parse_amount(values["amount"])
    except ValueError as error:
        wrong.append(f"The amount is not like 1250.00. {error}")
    return Line(number, month, source, normalization.collapse_spaces(values["campaign"]), amount, tuple(wrong))


def _month(text: str) -> date | None:
    found = _MONTH.fullmatch(text)
    if found:
        return date(int(found[1]), int(found[2]), 1)
    named = _NAMED_MONTH.fullmatch(text)
    month = datetimes.find_month(named[1]) if named else 0
    return date(2000 + int(named[2]) % 100, month, 1) if named and month else None
