"""What the number format of an Excel cell says about its number: a date, a percentage, leading zeros, a currency."""

import re
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.styles.numbers import is_date_format, is_datetime, is_timedelta_format

from sales.exchange import currency

_LEADING_ZEROS = re.compile(r"(0{2,})(?:;@)?")
_PERCENT = re.compile(r'%(?=[^"]*(?:"[^"]*"[^"]*)*$)')  # outside quotation marks


@dataclass(frozen=True)
class NumberFormat:
    """The part of a number format that changes what a number means.

    `kind` is "date", "time", "datetime", "duration", "percent" or "". `currency_sign` is set for another currency than
    the company's; `min_digits` is the number of digits that are shown at least.
    """

    kind: str = ""
    currency_sign: str = ""
    min_digits: int = 0

    @property
    def is_time(self) -> bool:
        """Whether the number is a date, a time or a duration."""
        return self.kind not in ("", "percent")

    def show(self, number: str) -> str:
        """Return the number as the spreadsheet shows it: 50% for 0.5, 007 for 7, 5 € for 5."""
        if "e" in number:
            return number
        if self.kind == "percent":
            return f"{(Decimal(number) * 100).normalize():f}%"
        number = number.zfill(self.min_digits) if number.isdigit() else number
        return f"{number} {self.currency_sign}" if self.currency_sign else number


GENERAL = NumberFormat()


def parse_number_format(code: str) -> NumberFormat:
    """Return what the format code of an Excel cell (such as `0.00%`) says about its number."""
    if is_timedelta_format(code):
        return NumberFormat("duration")
    if is_date_format(code):
        return NumberFormat(is_datetime(code) or "datetime")
    if _PERCENT.search(code.partition(";")[0]):
        return NumberFormat("percent")
    zeros = _LEADING_ZEROS.fullmatch(code)
    return NumberFormat(currency_sign=currency.find_format_currency(code), min_digits=len(zeros[1]) if zeros else 0)
