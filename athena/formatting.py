"""How Athena writes dates, money and percentages for people: one function for each.

Templates use the filters `money` and `percent` (`athena/templatetags/formatting.py`) and Django's `date`, whose default
formats (`athena/formats/en/formats.py`) are the same as here. In the API a date is ISO 8601 and an amount a number.
"""

from datetime import date, datetime, tzinfo
from decimal import Decimal

from django.utils import dateformat, timezone

from athena.formats.en.formats import DATE_FORMAT, DATETIME_FORMAT

UNKNOWN = "–"


def format_date(day: date) -> str:
    """`Mon 30 Nov 2026`. Takes a date; for a datetime in its own zone, its date."""
    return dateformat.format(day, DATE_FORMAT)


def format_datetime(instant: datetime, zone: tzinfo | None = None) -> str:
    """`Mon 30 Nov 2026, 09:30`: an aware datetime in `zone`, by default in the current time zone."""
    return dateformat.format(timezone.localtime(instant, zone), DATETIME_FORMAT)


def format_money(amount: Decimal | float | None) -> str:
    """`$1,250`, with cents only where there are any; a dash for an unknown amount."""
    if amount is None:
        return UNKNOWN
    cents = f"{abs(amount):,.2f}"
    sign = "-" if amount < 0 and cents != "0.00" else ""
    return f"{sign}${cents.removesuffix('.00')}"


def format_percent(percent: float | None) -> str:
    """`37.5%`: a percentage (37.5 and not 0.375) with at most one decimal; a dash for an unknown one."""
    if percent is None:
        return UNKNOWN
    return f"{round(percent, 1) + 0.0:,.1f}".removesuffix(".0") + "%"
