"""How a column writes its dates and amounts. One column is read one way, or not at all until a person has chosen."""

import re
from dataclasses import dataclass

from django.conf import settings

from sales.exchange.cells import cleaning

DAY, MONTH = "day", "month"  # which comes first in 3/4/2027
POINT, COMMA = "point", "comma"  # which comes before the cents
DOUBTED = ""  # a person has to choose

HOUSE_DATES = DAY if settings.PHONE_REGION != "US" else MONTH
HOUSE_AMOUNTS = POINT
CHOICES = {"date": (MONTH, DAY), "amount": (POINT, COMMA)}
LABELS = {
    DAY: "day first: 31/12/2027",
    MONTH: "month first: 12/31/2027",
    POINT: "point before the cents: 1,200.50",
    COMMA: "comma before the cents: 1.200,50",
}

SLASHED = re.compile(r"(?<![0-9/-])([0-9]{1,2})([/-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])")
_NUMBER = re.compile(r"[0-9][0-9.,' ’]*[0-9]")
_POINT = re.compile(
    r"[0-9,' ’]*\.([0-9]{1,2}|[0-9]{4,})|[0-9]{4,}\.[0-9]+|[0-9]{1,3}(,[0-9]{3})+\.[0-9]+|[0-9]{1,3}(,[0-9]{3}){2,}"
)
_COMMA = re.compile(r"[0-9.' ’]*,[0-9]{1,2}|[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(\.[0-9]{3}){2,}")
THOUSANDS_OR_NOT = re.compile(r"[0-9]{1,3}\.[0-9]{3}")  # 1.200: with a comma before the cents it is 1200


@dataclass
class Evidence:
    """What the cells of one column say of how they are written. `kind` is "date" or "amount"."""

    kind: str
    house: bool = False  # a cell that can only be read as people write here
    other: bool = False  # a cell that can only be read the other way
    either: bool = False  # a cell that can be read both ways
    example: str = ""

    def look_at(self, text: str) -> None:
        """Take a cell into account."""
        if not text.isascii():
            try:
                text, _ = cleaning.clean(text, cleaning.Kind.VALUE)
            except ValueError:
                return
        house, other, either = _of_date(text) if self.kind == "date" else _of_amount(text)
        if (either or other) and (not self.example or (either and not self.either)):
            self.example = text.strip()[:40]
        self.house, self.other, self.either = self.house or house, self.other or other, self.either or either

    @property
    def notation(self) -> str | None:
        """How the column is written: `DOUBTED` where its cells leave that open, None where there is no question.

        Dates that can be read both ways are doubted unless another cell of the column settles them, in the way that
        people write here: 13/04 among 03/04 says that the file is from elsewhere, or that somebody mistyped.
        """
        if not (self.either or self.other):
            return None
        house = HOUSE_DATES if self.kind == "date" else HOUSE_AMOUNTS
        settled = self.house and not self.other if self.kind == "date" else self.house
        return house if settled else DOUBTED

    @property
    def likely(self) -> str:
        """What to propose to whoever has to choose."""
        first, second = (HOUSE_DATES, DAY if HOUSE_DATES == MONTH else MONTH)
        if self.kind == "amount":
            first, second = POINT, COMMA
        return second if self.other and not self.house else first

    def as_json(self) -> dict[str, str]:
        """What an import keeps of it: how the column is written, what to propose, and an example."""
        return {"kind": self.kind, "written": self.notation or "", "likely": self.likely, "example": self.example}


def _of_date(text: str) -> tuple[bool, bool, bool]:
    found = SLASHED.search(text)
    if found is None:
        return False, False, False
    first, second = int(found[1]), int(found[3])
    day_first, month_first = first > 12 >= second, second > 12 >= first
    house, other = (day_first, month_first) if HOUSE_DATES == DAY else (month_first, day_first)
    return house, other, first != second and first <= 12 and second <= 12


def _of_amount(text: str) -> tuple[bool, bool, bool]:
    found = _NUMBER.search(text)
    if found is None or not text.isascii():  # what has a currency's sign or other digits is refused anyhow
        return False, False, False
    number = found[0]
    return bool(_POINT.fullmatch(number)), bool(_COMMA.fullmatch(number)), bool(THOUSANDS_OR_NOT.fullmatch(number))
