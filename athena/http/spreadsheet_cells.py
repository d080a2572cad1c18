"""Cells of CSV and XLSX files that people open in a spreadsheet."""

import re
from typing import TypeVar

Value = TypeVar("Value")

# What a spreadsheet takes for the start of a formula: its first character, whatever spaces come before it (in some
# languages the wide forms, too), or a tab or carriage return, which some drop before they look.
_RISKY = re.compile(r"'*(?:[\s\ufeff\u200b]*[=+\-@＝＋－＠]|[\t\r])")


def escape_formula(value: Value) -> Value | str:
    """The value as it may stand in a cell: text that a spreadsheet would run gets an apostrophe before it.

    Each line of the text is looked at, since not every program keeps the lines of a cell together. Numbers and dates
    stay what they are, so a negative amount is still an amount.
    """
    if not isinstance(value, str):
        return value
    return "".join(f"'{line}" if _RISKY.match(line) else line for line in value.splitlines(keepends=True))


def unescape_formula(text: str) -> str:
    """What `safe_cell` made safe, as it was typed: an exported file is read back without its apostrophes."""
    if "'" not in text:
        return text
    return "".join(
        line[1:] if line[0] == "'" and _RISKY.match(line) else line for line in text.splitlines(keepends=True)
    )
