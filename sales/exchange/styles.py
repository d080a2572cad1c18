"""How an XLSX file's cells show their numbers, as far as that changes what a number means."""

import re
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.styles.numbers import is_date_format, is_datetime, is_timedelta_format

from sales.exchange import currency

_LEADING_ZEROS = re.compile(r"(0{2,})(?:;@)?")
_PERCENT = re.compile(r'%(?=[^"]*(?:"[^"]*"[^"]*)*$)')  # outside quotation marks


@dataclass(frozen=True)
class Style:
    """`kind` is "date", "time", "datetime", "duration", "percent" or empty; `sign` another currency's, `digits` the
    least that are shown."""

    kind: str = ""
    sign: str = ""
    digits: int = 0

    @property
    def is_time(self) -> bool:
        return self.kind not in ("", "percent")

    def show(self, number: str) -> str:
        """The number as the spreadsheet shows it: 50% for 0.5, 007 for 7, 5 € for 5."""
        if "e" in number:
            return number
        if self.kind == "percent":
            return f"{(Decimal(number) * 100).normalize():f}%"
        number = number.zfill(self.digits) if number.isdigit() else number
        return f"{number} {self.sign}" if self.sign else number


GENERAL = Style()


def of_format(number_format: str) -> Style:
    """The style of a cell with this number format."""
    if is_timedelta_format(number_format):
        return Style("duration")
    if is_date_format(number_format):
        return Style(is_datetime(number_format) or "datetime")
    if _PERCENT.search(number_format.partition(";")[0]):
        return Style("percent")
    zeros = _LEADING_ZEROS.fullmatch(number_format)
    return Style(sign=currency.of_format(number_format), digits=len(zeros[1]) if zeros else 0)
