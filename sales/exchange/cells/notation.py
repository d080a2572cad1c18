"""The notation of a file: how a column writes dates and amounts. Each column is read in one notation.

If the cells of a column don't settle its notation, none of its ambiguous cells is read until the user has chosen.
"""

import re
from dataclasses import dataclass
from typing import TypedDict

from django.conf import settings

from sales.exchange.cells import cleaning

DAY_FIRST, MONTH_FIRST = "day", "month"  # in 3/4/2027
DECIMAL_POINT, DECIMAL_COMMA = "point", "comma"  # before the cents
UNDECIDED = ""  # the user has to choose

DEFAULT_DATES = DAY_FIRST if settings.PHONE_REGION != "US" else MONTH_FIRST
DEFAULT_AMOUNTS = DECIMAL_POINT
CHOICES = {"date": (MONTH_FIRST, DAY_FIRST), "amount": (DECIMAL_POINT, DECIMAL_COMMA)}
LABELS = {
    DAY_FIRST: "day first: 31/12/2027",
    MONTH_FIRST: "month first: 12/31/2027",
    DECIMAL_POINT: "point before the cents: 1,200.50",
    DECIMAL_COMMA: "comma before the cents: 1.200,50",
}

SLASHED_DATE = re.compile(r"(?<![0-9/-])([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])")
_NUMBER = re.compile(r"[0-9][0-9.,' ’]*[0-9]")
_ONLY_POINT = re.compile(
    r"[0-9,' ’]*\.([0-9]{1,2}|[0-9]{4,})|[0-9]{4,}\.[0-9]+|[0-9]{1,3}(,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(,[0-9]{3}){2,}"
)
_ONLY_COMMA = re.compile(r"[0-9.' ’]*,[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(\.[0-9]{3}){2,}")
_EITHER = re.compile(r"[0-9]{1,3}\.[0-9]{3}")  # 1.200 is 1200 with a decimal comma


class StoredNotation(TypedDict):
    """The notation of a column as an import stores it (`LeadImport.notations`)."""

    kind: str  # "date" or "amount"
    written: str  # the notation, or `UNDECIDED`
    likely: str  # what to propose
    example: str  # a cell of the column


@dataclass
class NotationDetector:
    """Finds the notation of one column from its cells. `kind` is "date" or "amount"."""

    kind: str
    needs_default: bool = False  # a cell can only be read in the default notation
    needs_other: bool = False  # a cell can only be read in the other notation
    is_ambiguous: bool = False  # a cell can be read in both, as different values
    example: str = ""

    def add_cell(self, text: str) -> None:
        """Take a cell of the column into account."""
        if not text.isascii():
            try:
                text, _ = cleaning.clean(text, cleaning.Kind.VALUE)
            except ValueError:
                return
        default, other, ambiguous = _classify_date(text) if self.kind == "date" else _classify_amount(text)
        if (ambiguous or other) and (not self.example or (ambiguous and not self.is_ambiguous)):
            self.example = text.strip()[:40]
        self.needs_default = self.needs_default or default
        self.needs_other = self.needs_other or other
        self.is_ambiguous = self.is_ambiguous or ambiguous

    @property
    def notation(self) -> str | None:
        """The notation of the column, `UNDECIDED` if its cells don't settle it, or None if it makes no difference.

        Ambiguous dates are undecided unless another cell of the column can only be read in the default notation and
        none only in the other: 13/04 among 03/04 means that the file is from elsewhere, or that somebody mistyped.
        """
        if not (self.is_ambiguous or self.needs_other):
            return None
        default = DEFAULT_DATES if self.kind == "date" else DEFAULT_AMOUNTS
        is_settled = self.needs_default and not self.needs_other if self.kind == "date" else self.needs_default
        return default if is_settled else UNDECIDED

    @property
    def suggestion(self) -> str:
        """The notation to propose to the user."""
        default, other = DEFAULT_DATES, DAY_FIRST if DEFAULT_DATES == MONTH_FIRST else MONTH_FIRST
        if self.kind == "amount":
            default, other = DECIMAL_POINT, DECIMAL_COMMA
        return other if self.needs_other and not self.needs_default else default

    def to_json(self) -> StoredNotation:
        """Return what an import stores of the column."""
        return {
            "kind": self.kind,
            "written": self.notation or UNDECIDED,
            "likely": self.suggestion,
            "example": self.example,
        }


def _classify_date(text: str) -> tuple[bool, bool, bool]:
    """Return whether the cell needs the default notation, needs the other one, or is ambiguous."""
    match = SLASHED_DATE.search(text)
    if match is None:
        return False, False, False
    first, second = int(match[1]), int(match[3])
    day_first, month_first = first > 12 >= second, second > 12 >= first
    default, other = (day_first, month_first) if DEFAULT_DATES == DAY_FIRST else (month_first, day_first)
    return default, other, first != second and first <= 12 and second <= 12


def _classify_amount(text: str) -> tuple[bool, bool, bool]:
    """Return the same as `_classify_date`, for an amount."""
    match = _NUMBER.search(text)
    if match is None or not text.isascii():  # a currency's sign or other digits are refused anyhow
        return False, False, False
    number = match[0]
    return bool(_ONLY_POINT.fullmatch(number)), bool(_ONLY_COMMA.fullmatch(number)), bool(_EITHER.fullmatch(number))
