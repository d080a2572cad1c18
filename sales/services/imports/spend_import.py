"""Importing what sources cost from a CSV file with the columns month, source, campaign and amount."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db import transaction

from athena.accounts.models import User
from sales import errors, normalization, policy
from sales.exchange import csv_reader
from sales.exchange.cells import amounts, datetimes
from sales.exchange.cells.cleaning import Kind, clean
from sales.exchange.footers import is_footer
from sales.models import LeadSource, SourceSpend

COLUMNS = ("month", "source", "campaign", "amount")
MAX_ROWS = 5_000
MAX_CAMPAIGN_LENGTH = 100
_MONTH = re.compile(r"(20\d\d)[-/](0?[1-9]|1[0-2])([-/]0?1( 00:00:00)?)?", re.ASCII)
_NAMED_MONTH = re.compile(r"([A-Za-z]{3,9})\.?[ -](20\d\d|\d\d)", re.ASCII)  # Excel makes May-26 of 2026-05


@dataclass(frozen=True)
class SpendRow:
    """A row of the file, what is wrong with it, and the amount that it would replace. `line` is where it begins."""

    line: int
    month: date | None = None
    source: LeadSource | None = None
    campaign: str = ""
    amount: Decimal | None = None
    problems: tuple[str, ...] = ()
    replaces: Decimal | None = None


@dataclass(frozen=True)
class SpendPlan:
    """What a file would write."""

    rows: list[SpendRow]

    @property
    def wrong_rows(self) -> list[SpendRow]:
        return [row for row in self.rows if row.problems]

    @property
    def total(self) -> Decimal:
        return sum((row.amount or Decimal() for row in self.rows), Decimal())


class SpendRefused(errors.Invalid):
    """Rows of the file are wrong; nothing was written."""


def decode_file(content: bytes) -> str:
    """Return the file's text, without a byte order mark. Raises `Invalid` if it is not text."""
    if content.startswith(b"PK"):
        raise errors.Invalid({"file": "This is not a text file. Save the sheet as “CSV UTF-8”."})
    return csv_reader.decode(content)[0]


def plan_spend(*, by: User | None, text: str) -> SpendPlan:
    """Return what the text would write. Writes nothing.

    Raises `NotAllowed` if `by` is not a manager, `Invalid` if the text is not a table with these columns.
    """
    policy.check_is_manager(by)
    rows = list(_read_rows(text))
    months = {row.month for row in rows if row.month}
    existing = {
        (spend.source_id, normalization.name_key(spend.campaign), spend.month): spend
        for spend in SourceSpend.objects.filter(month__in=months)
    }
    first_lines: dict[tuple[int, str, date], int] = {}
    planned = []
    for row in rows:
        if row.source and row.month:
            key = (row.source.pk, normalization.name_key(row.campaign), row.month)
            first_line = first_lines.setdefault(key, row.line)
            if first_line != row.line:
                problem = f"Line {first_line} is for the same month, source and campaign. Keep one of them."
                row = replace(row, problems=(*row.problems, problem))
            if spend := existing.get(key):
                row = replace(row, campaign=spend.campaign, replaces=spend.amount)
        planned.append(row)
    return SpendPlan(planned)


@transaction.atomic
def save_spend(*, by: User | None, text: str) -> SpendPlan:
    """Write what the text says, in one statement. An amount for the same month, source and campaign is replaced.

    Raises the same errors as `plan_spend`, and `SpendRefused` if a row is wrong: then nothing is written.
    """
    plan = plan_spend(by=by, text=text)
    if plan.wrong_rows:
        raise SpendRefused({"file": f"Wrong rows: {len(plan.wrong_rows)} of {len(plan.rows)}. Correct them first."})
    SourceSpend.objects.bulk_create(
        [
            SourceSpend(source=row.source, campaign=row.campaign, month=row.month, amount=row.amount)
            for row in plan.rows
            if row.month
        ],
        update_conflicts=True,
        unique_fields=["source", "campaign", "month"],
        update_fields=["amount"],
    )
    return plan


def _read_rows(text: str) -> Iterator[SpendRow]:
    if "\x00" in text:
        raise errors.Invalid({"file": "This is not a CSV file. Save the sheet as “CSV UTF-8”."})
    all_rows, _ = csv_reader.split_rows(text.lstrip("\ufeff"))
    rows = ((line, cells) for line, cells in all_rows if any(cell.strip() for cell in cells))
    _, first = next(rows, (0, []))
    header = [name.strip().lower() for name in first]
    if sorted(header) != sorted(COLUMNS):
        raise errors.Invalid({"file": f"The first line must name the columns: {', '.join(COLUMNS)}."})
    sources = {source.name.casefold(): source for source in LeadSource.objects.all()}
    count = 0
    for line, cells in rows:
        if is_footer(cells):
            continue
        count += 1
        if count > MAX_ROWS:
            raise errors.Invalid({"file": f"A file has at most {MAX_ROWS:,} rows. Split it and upload the parts."})
        yield _read_row(line, header, cells, sources)
    if not count:
        raise errors.Invalid({"file": "There are no rows below the header."})


def _read_row(line: int, header: Sequence[str], cells: list[str], sources: dict[str, LeadSource]) -> SpendRow:
    if len(cells) != len(header):
        return SpendRow(line, problems=(f"It has {len(cells)} columns instead of {len(header)}.",))
    problems: list[str] = []
    values = {}
    for name, cell in zip(header, cells, strict=True):
        try:
            values[name], _ = clean(cell, Kind.LINE if name == "campaign" else Kind.VALUE)
        except ValueError as error:
            problems.append(f"{name.capitalize()}: {error}")
    if problems:
        return SpendRow(line, problems=tuple(problems))
    month, source = _parse_month(values["month"]), sources.get(values["source"].casefold())
    if month is None:
        problems.append("Write the month like 2026-05.")
    if source is None:
        problems.append(f"There is no source “{values['source']}”. Create it first, or correct the name.")
    campaign = values["campaign"]
    if len(campaign) > MAX_CAMPAIGN_LENGTH or not campaign.isprintable():
        problems.append(
            f"The campaign has more than {MAX_CAMPAIGN_LENGTH} characters, or control characters. Shorten or retype it."
        )
    amount = None
    try:
        amount = amounts.parse_amount(values["amount"])
    except ValueError as error:
        problems.append(f"Amount: {error}")
    return SpendRow(line, month, source, normalization.collapse_spaces(campaign), amount, tuple(problems))


def _parse_month(text: str) -> date | None:
    """Return the first day of a month such as 2026-05, May 2026 or May-26, or None."""
    match = _MONTH.fullmatch(text)
    if match:
        return date(int(match[1]), int(match[2]), 1)
    named = _NAMED_MONTH.fullmatch(text)
    month = datetimes.find_month(named[1]) if named else 0
    return date(2000 + int(named[2]) % 100, month, 1) if named and month else None
