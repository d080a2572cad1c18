"""What sources cost, from a CSV file with the columns month, source, campaign and amount: all of it, or nothing."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction

from athena.accounts.models import User
from sales import errors, normalise, policy
from sales.models import LeadSource, SourceSpend
from sales.models.fields import MAX_AMOUNT

COLUMNS = ("month", "source", "campaign", "amount")
MOST_LINES = 5_000
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])(-01)?", re.ASCII)
_AMOUNT = re.compile(r"\d{1,10}(\.\d{1,2})?", re.ASCII)


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
    """The file's text: UTF-8, with or without its mark. Raises `Invalid`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise errors.Invalid({"file": "This is not a text in UTF-8. Save it as \u201cCSV UTF-8\u201d."}) from None


def plan(*, by: User | None, text: str) -> Plan:
    """What the text would write; writes nothing. Raises `NotAllowed` below manager, `Invalid` for what is no table."""
    policy.require_manager(by)
    lines = list(_read(text))
    known = {
        (row.source_id, normalise.name_key(row.campaign), row.month): row
        for row in SourceSpend.objects.filter(month__in={line.month for line in lines if line.month})
    }
    seen: dict[tuple[int, str, date], int] = {}
    planned = []
    for line in lines:
        if line.source and line.month:
            key = (line.source.pk, normalise.name_key(line.campaign), line.month)
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
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            raise errors.Invalid({"file": f"The first line must name the columns: {', '.join(COLUMNS)}."})
        sources = {source.name.casefold(): source for source in LeadSource.objects.all()}
        count = 0
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MOST_LINES:
                raise errors.Invalid({"file": f"A file has {MOST_LINES:,} lines at most."})
            yield _line(reader.line_num, header, cells, sources)
        if not count:
            raise errors.Invalid({"file": "There is no line below the first."})
    except csv.Error as error:
        raise errors.Invalid({"file": f"Line {reader.line_num} can't be read: {error}."}) from None


def _line(number: int, header: list[str], cells: list[str], sources: dict[str, LeadSource]) -> Line:
    if len(cells) != len(header):
        return Line(number, None, None, "", None, (f"It has {len(cells)} columns instead of {len(header)}.",))
    told = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    month, amount = _MONTH.fullmatch(told["month"]), _amount(told["amount"])
    source = sources.get(told["source"].casefold())
    wrong = []
    if month is None:
        wrong.append("The month is not like 2026-05.")
    if source is None:
        wrong.append(f"There is no source \u201c{told['source']}\u201d.")
    if len(told["campaign"]) > 100 or not told["campaign"].isprintable():
        wrong.append("The campaign is too long, or has odd characters.")
    if amount is None:
        wrong.append("The amount is not a number like 1250.00.")
    first = date(int(month[1]), int(month[2]), 1) if month else None
    return Line(number, first, source, normalise.one_spaced(told["campaign"]), amount, tuple(wrong))


def _amount(text: str) -> Decimal | None:
    if not _AMOUNT.fullmatch(text):
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount <= MAX_AMOUNT else None
