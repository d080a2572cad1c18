"""Readers of cells: each turns what people write into a value that a lead can have and JSON can hold.

A reader takes text that is not empty and that `cleaning` has cleaned, and raises `ValueError` with what is wrong. Text
has to meet the API's rules (`athena.api.fields`); numbers and choices may be written as people write them.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any, TypeVar

from rest_framework import serializers

from athena.accounts.models import fold_email
from athena.api import fields
from athena.limits import MAX_COUNT, MAX_TEXT_LENGTH

Key = TypeVar("Key")


@dataclass(frozen=True)
class Lookups:
    """What is needed to read cells: the keys of rows by their names in lower case, and how the file is written.

    Times without an offset are in `zone`. `notations` says how the column of a field writes dates or amounts (see
    `notation`), if the file is clear about it or the user has chosen; the other columns are in the default notation.
    """

    zone: tzinfo = UTC
    sources: Mapping[str, int] = field(default_factory=dict)
    lost_reasons: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)
    notations: Mapping[str, str] = field(default_factory=dict)


CellReader = Callable[[str, Lookups], object]

_WHOLE_NUMBER = re.compile(r"[0-9]{1,3}([, '’][0-9]{3})+|[0-9]{1,9}")
_ROUNDING_ERROR = Decimal("0.000001")  # of a spreadsheet's arithmetic
_DECIMAL_NUMBER = re.compile(r"[^0-9.]*[0-9][0-9, ']*\.[0-9]+[^0-9.]*")
_NON_DIGITS = re.compile(r"[^0-9]")
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0"}


def api_field_reader(field: "serializers.Field[Any, Any, Any, Any]") -> CellReader:
    """Return a reader that checks text as this field of the API does."""

    def read(text: str, _: Lookups) -> object:
        try:
            return field.run_validation(text)
        except serializers.ValidationError as error:
            raise ValueError(" ".join(map(str, error.detail))) from error

    return read


def one_line_reader(max_length: int) -> CellReader:
    """Return a reader of text in one line."""
    return _skip_plain_text(max_length, api_field_reader(fields.OneLineField(max_length, required=False)))


def _skip_plain_text(max_length: int, read: CellReader) -> CellReader:
    """Return the reader without its checks for text that plainly meets them, as most does: they take time."""
    return lambda text, lookups: text if len(text) <= max_length and text.isprintable() else read(text, lookups)


read_long_text = _skip_plain_text(MAX_TEXT_LENGTH, api_field_reader(fields.LongTextField(required=False)))


def choice_reader(choices: "list[tuple[str, str]]") -> CellReader:
    """Return a reader of one of these choices, by its value or its label, in upper or lower case."""
    known = {spelling.casefold(): name for name, label in choices for spelling in (name, label, name.replace("_", " "))}
    labels = ", ".join(label for _, label in choices)

    def read(text: str, _: Lookups) -> str:
        if text.casefold() not in known:
            raise ValueError(f"Choose one of: {labels}.")
        return known[text.casefold()]

    return read


def read_owner(text: str, lookups: Lookups) -> int:
    """Return the key of the active user with this email address."""
    return _look_up(lookups.owners, fold_email(text), "No active user has this email address.")


def read_source(text: str, lookups: Lookups) -> int:
    """Return the key of the lead source with this name."""
    return _look_up(lookups.sources, text.casefold(), "There is no such source. Create it first, or correct the name.")


def read_lost_reason(text: str, lookups: Lookups) -> str:
    """Return the name of the lost reason with this name or label."""
    return _look_up(lookups.lost_reasons, text.casefold(), "There is no such lost reason.")


def _look_up(known: Mapping[str, Key], name: str, problem: str) -> Key:
    if name not in known:
        raise ValueError(problem)
    return known[name]


def read_count(text: str, _: Lookups) -> int:
    """Return a whole number from zero to `MAX_COUNT`."""
    whole = _drop_empty_decimals(text)
    if not _WHOLE_NUMBER.fullmatch(whole):
        raise ValueError("A whole number is required.")
    number = int(re.sub("[, '’]", "", whole))
    if number > MAX_COUNT:
        raise ValueError(f"At most {MAX_COUNT:,} is possible.")
    return number


def _drop_empty_decimals(text: str) -> str:
    """Return 45 for 45.0 and 44.99999999. (1.200 stays as it is, since it may be 1200.)"""
    if not re.fullmatch(r"[0-9]{1,9}\.[0-9]+", text) or re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", text):
        return text
    number = Decimal(text)
    whole = number.to_integral_value()
    return str(whole) if abs(number - whole) <= _ROUNDING_ERROR else text


def read_yes_or_no(text: str, _: Lookups) -> bool:
    """Return whether the cell says yes; also y, true, 1 and x, and their opposites."""
    word = _drop_empty_decimals(text.casefold())
    if word in _YES | _NO:
        return word in _YES
    raise ValueError("Write yes or no.")


def describe_rounding(text: str, value: object) -> list[str]:
    """Return a remark if a number was rounded."""
    if not isinstance(value, int | str) or isinstance(value, bool) or str(value) == text:
        return []
    digits = _NON_DIGITS.sub("", text.partition(".")[2])
    kept = str(value).partition(".")[2]
    return (
        [f"Rounded from {text}."] if _DECIMAL_NUMBER.fullmatch(text) and digits.rstrip("0") != kept.rstrip("0") else []
    )
