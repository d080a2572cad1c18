"""Protects the cells of exported files from being run as formulas by a spreadsheet."""

import re
from typing import TypeVar

Value = TypeVar("Value")

# The start of a formula for some spreadsheet: one of these characters (also in the wide forms of some languages), even
# after spaces; or a tab or carriage return, which some spreadsheets drop first.
_RISKY = re.compile(r"'*(?:[\s\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r])")


def escape_formula(value: Value) -> Value | str:
    """The value with an apostrophe before any text that a spreadsheet would run as a formula.

    Each line of a text is checked, since some programs split the lines of a cell. Numbers and dates are returned as
    they are, so a negative amount stays an amount.
    """
    if not isinstance(value, str):
        return value
    return "".join(f"'{line}" if _RISKY.match(line) else line for line in value.splitlines(keepends=True))


def unescape_formula(text: str) -> str:
    """The text without the apostrophes of `escape_formula`, so that an exported file can be imported again."""
    if "'" not in text:
        return text
    return "".join(
        line[1:] if line[0] == "'" and _RISKY.match(line) else line for line in text.splitlines(keepends=True)
    )
