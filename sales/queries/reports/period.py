"""The days that a report covers, where the company is, and how the months that they cut share their amounts."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Q

from sales import schedule

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, both included; without one of them there is no bound on that side."""

    start: date | None = None
    end: date | None = None

    def of(self, field: str) -> Q:
        """Whether the instant in `field` lies in the period."""
        zone = schedule.company_zone()
        condition = Q()
        if self.start:
            condition &= Q(**{f"{field}__gte": datetime.combine(self.start, time(), zone)})
        if self.end:
            condition &= Q(**{f"{field}__lt": datetime.combine(self.end + timedelta(days=1), time(), zone)})
        return condition

    def of_days(self, field: str) -> Q:
        """Whether the day in `field` lies in the period."""
        condition = Q(**{f"{field}__gte": self.start}) if self.start else Q()
        return condition & Q(**{f"{field}__lte": self.end}) if self.end else condition

    def of_months(self, field: str) -> Q:
        """Whether the month whose first day is in `field` has a day in the period."""
        condition = Q()
        if self.start:
            condition &= Q(**{f"{field}__gte": self.start.replace(day=1)})
        if self.end:
            condition &= Q(**{f"{field}__lte": self.end})
        return condition

    @property
    def cut_months(self) -> list[date]:
        """The months that the period begins or ends in, which it need not cover whole."""
        return sorted({day.replace(day=1) for day in (self.start, self.end) if day})

    def part(self, month: date, amount: Decimal) -> Decimal:
        """What of a month's amount falls into the period: by its days, in whole cents."""
        days = calendar.monthrange(month.year, month.month)[1]
        last = month.replace(day=days)
        covered = (min(self.end or last, last) - max(self.start or month, month)).days + 1
        return cents(amount * max(covered, 0) / days)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def per_cent(part: int, whole: int) -> float | None:
    """With two decimals; None of nothing."""
    return round(part / whole * 100, 2) if whole else None


def rounded(value: Any, digits: int = 2) -> float | None:
    return None if value is None else round(float(value), digits)
