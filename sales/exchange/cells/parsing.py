"""What people write into a cell, read as a value that a lead can have and JSON can hold.

Each reader takes text that is not empty, as `cleaning` leaves it, and raises `ValueError` with what is wrong. Text is
held to the same rules as the API's (`athena.api.fields`); numbers and choices may be written as people write them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from athena.accounts.models import fold_email
from athena.api import fields


@dataclass(frozen=True)
class Lookups:
    """What a name in a cell may stand for: keys by the name in lower case. Times are on the clock of `zone`.

    `notations` says for each field how its column writes dates or amounts, where the file leaves no doubt or a person
    has chosen (`notation`); a field that is not there is written as people do here.
    """

    zone: tzinfo = UTC
    sources: Mapping[str, int] = field(default_factory=dict)
    lost_reasons: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)
    notations: Mapping[str, str] = field(default_factory=dict)


Reader = Callable[[str, Lookups], object]

_WHOLE = re.compile(r"[0-9]{1,3}([, '’][0-9]{3})+|[0-9]{1,9}")
_NEARLY = Decimal("0.000001")  # what a spreadsheet's arithmetic leaves beside a whole number
_NUMBER = re.compile(r"[^0-9.]*[0-9][0-9, ']*\.[0-9]+[^0-9.]*")
_DIGITS = re.compile(r"[^0-9]")
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0"}


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


long_text = _text(fields.MAX_LONG_TEXT, by_rules_of(fields.LongTextField(required=False)))
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
    whole = _rounded(text)
    if not _WHOLE.fullmatch(whole):
        raise ValueError("A whole number is required.")
    number = int(re.sub("[, '’]", "", whole))
    if number > fields.MAX_COUNT:
        raise ValueError(f"At most {fields.MAX_COUNT:,} is possible.")
    return number


def _rounded(text: str) -> str:
    """Without decimals that say nothing: 45.0 and 44.99999999 are 45. (1.200 may be 1200: it stays as it is.)"""
    if not re.fullmatch(r"[0-9]{1,9}\.[0-9]+", text) or re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", text):
        return text
    number = Decimal(text)
    whole = number.to_integral_value()
    return str(whole) if abs(number - whole) <= _NEARLY else text


def yes_or_no(text: str, _: Lookups) -> bool:
    word = _rounded(text.casefold())
    if word in _YES | _NO:
        return word in _YES
    raise ValueError("Say yes or no.")


def difference(text: str, value: object) -> list[str]:
    """A remark where a number was rounded, for whoever sent the file."""
    if not isinstance(value, int | str) or isinstance(value, bool) or str(value) == text:
        return []
    digits = _DIGITS.sub("", text.partition(".")[2])
    kept = str(value).partition(".")[2]
    return [f"Rounded from {text}."] if _NUMBER.fullmatch(text) and digits.rstrip("0") != kept.rstrip("0") else []
