"""What people write into a cell, read as a value that a lead can have and JSON can hold.

Each reader takes text that is not empty and raises `ValueError` with what is wrong. Text is held to the same rules as
the API's (`athena.http.fields`); numbers, days and choices may be written as people write them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from rest_framework import serializers

from athena.accounts.models import fold_email
from athena.http import fields
from athena.http.spreadsheets import typed_cell


@dataclass(frozen=True)
class Lookups:
    """What a name in a cell may stand for: keys by the name in lower case. Times are on the clock of `zone`."""

    zone: tzinfo = UTC
    sources: Mapping[str, int] = field(default_factory=dict)
    lost_reasons: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)


Reader = Callable[[str, Lookups], object]

_ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"}
_WHOLE = re.compile(r"[0-9]{1,3}(,[0-9]{3})+|[0-9]{1,9}")
_MONEY = re.compile(
    r"(?:[$€£]|USD|EUR|GBP)?\s*(?P<number>[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?|[0-9]{1,13}(\.[0-9]{1,2})?)"
)
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0"}
_DAY_FIRST = settings.PHONE_REGION != "US"
_SLASHED = ("%d/%m/%Y", "%d-%m-%Y") if _DAY_FIRST else ("%m/%d/%Y", "%m-%d-%Y")
_DAYS = ("%Y-%m-%d", *_SLASHED, "%d.%m.%Y", "%Y/%m/%d")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M %p", "%I:%M%p", "%I:%M:%S %p")


def plain_text(cell: str) -> str:
    """A cell as it was typed, whatever a spreadsheet made of it. Raises `ValueError` for a formula and an error."""
    text = cell.strip()
    if text.startswith("="):
        raise ValueError("This is a formula. Paste its value instead.")
    if text in _ERRORS:
        raise ValueError("This is the error of a formula.")
    return typed_cell(cell).strip()


def by_rules_of(rules: "serializers.Field[Any, Any, Any, Any]") -> Reader:
    """Text as the API takes it."""

    def read(text: str, _: Lookups) -> object:
        try:
            return rules.run_validation(text)
        except serializers.ValidationError as error:
            raise ValueError(" ".join(map(str, error.detail))) from error

    return read


def one_line(length: int) -> Reader:
    return _text(length, by_rules_of(fields.OneLineField(length, required=False)))


def _text(length: int, read: Reader) -> Reader:
    """The same, at once for what is plainly right: most of what there is, where there is a lot."""
    return lambda text, lookups: text if len(text) <= length and text.isprintable() else read(text, lookups)


long_text = _text(fields.LONG_TEXT, by_rules_of(fields.LongTextField(required=False)))
email = by_rules_of(fields.EmailField(required=False))


def choice(choices: "list[tuple[str, str]]") -> Reader:
    """One of the choices, by its name or as people see it, in any case."""
    known = {spelling.casefold(): name for name, label in choices for spelling in (name, label, name.replace("_", " "))}
    labels = ", ".join(label for _, label in choices)

    def read(text: str, _: Lookups) -> str:
        if text.casefold() not in known:
            raise ValueError(f"Choose one of: {labels}.")
        return known[text.casefold()]

    return read


def among(where: str, why: str) -> Reader:
    """A row that is there already, by its name."""

    def read(text: str, lookups: Lookups) -> object:
        key = fold_email(text) if where == "owners" else text.casefold()
        known: Mapping[str, object] = getattr(lookups, where)
        if key not in known:
            raise ValueError(why)
        return known[key]

    return read


def count(text: str, _: Lookups) -> int:
    whole = text.removesuffix(".0")
    if not (_WHOLE.fullmatch(whole) and whole.isascii()):
        raise ValueError("A whole number is required.")
    number = int(whole.replace(",", ""))
    if number > fields.MAX_COUNT:
        raise ValueError(f"At most {fields.MAX_COUNT:,} is possible.")
    return number


def money(text: str, _: Lookups) -> str:
    found = _MONEY.fullmatch(text)
    try:
        number = Decimal(found["number"].replace(",", "")) if found else None
    except InvalidOperation:
        number = None
    if number is None:
        raise ValueError("An amount is required, such as 1200 or 1,200.50.")
    if number > fields.MAX_AMOUNT:
        raise ValueError(f"At most {fields.MAX_AMOUNT:,} is possible.")
    return str(number)


def yes_or_no(text: str, _: Lookups) -> bool:
    if text.casefold() in _YES | _NO:
        return text.casefold() in _YES
    raise ValueError("Say yes or no.")


def day(text: str, _: Lookups) -> str:
    return _day(text.removesuffix(" 00:00:00")).isoformat()


def moment(text: str, lookups: Lookups) -> str:
    """A day with or without a time, on the clock of whoever sent the file; or ISO 8601 with an offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        head, _, clock = text.partition(" ")
        found = datetime.combine(_day(head), _clock(clock.strip().upper()))
    _require_year(found)
    local = found if found.tzinfo else found.replace(tzinfo=lookups.zone)
    return local.astimezone(UTC).isoformat()


def _day(text: str) -> date:
    for pattern in _DAYS:
        try:
            found = datetime.strptime(text, pattern)  # noqa: DTZ007
        except ValueError:
            continue
        _require_year(found)
        return found.date()
    raise ValueError(f"A date is required, such as 2026-05-01 or {'1/5/2026' if _DAY_FIRST else '5/1/2026'}.")


def _clock(text: str) -> time:
    if not text:
        return time()
    for pattern in _CLOCKS:
        try:
            return datetime.strptime(text, pattern).time()  # noqa: DTZ007
        except ValueError:
            continue
    raise ValueError("A time is required, such as 14:30 or 2:30 PM.")


def _require_year(found: date) -> None:
    if found.year not in fields.YEARS:
        raise ValueError("The year must be between 2000 and 2100.")
