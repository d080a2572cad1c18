"""The days that a report covers, on the company's calendar."""

import calendar
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Q

from sales import schedule
from sales.queries.reports.rounding import round_to_cents

MAX_PERIOD = timedelta(days=5 * 366)


@dataclass(frozen=True)
class Period:
    """The days from `start` to `end`, both included; a side that is None has no limit."""

    start: date | None = None
    end: date | None = None

    @property
    def error(self) -> str:
        """What is wrong with the period, as the API and the report pages say it; empty if it may be asked for."""
        if self.start is None or self.end is None:
            return ""
        if self.end < self.start:
            return "The end is before the start."
        return "A report covers at most five years." if self.end - self.start > MAX_PERIOD else ""

    def contains_datetime(self, field: str) -> Q:
        """The condition that the datetime in `field` is in the period, by the company's time zone."""
        zone = schedule.company_zone()
        condition = Q()
        if self.start:
            condition &= Q(**{f"{field}__gte": datetime.combine(self.start, time(), zone)})
        if self.end:
            condition &= Q(**{f"{field}__lt": datetime.combine(self.end + timedelta(days=1), time(), zone)})
        return condition

    def contains_date(self, field: str) -> Q:
        """The condition that the date in `field` is in the period."""
        condition = Q(**{f"{field}__gte": self.start}) if self.start else Q()
        return condition & Q(**{f"{field}__lte": self.end}) if self.end else condition

    def overlaps_month(self, field: str) -> Q:
        """The condition that the month whose first day is in `field` has a day in the period."""
        condition = Q()
        if self.start:
            condition &= Q(**{f"{field}__gte": self.start.replace(day=1)})
        if self.end:
            condition &= Q(**{f"{field}__lte": self.end})
        return condition

    @property
    def partial_months(self) -> list[date]:
        """The first days of the months in which the period starts and ends; it may cover only a part of these."""
        return sorted({day.replace(day=1) for day in (self.start, self.end) if day})

    def prorate(self, month: date, amount: Decimal) -> Decimal:
        """The part of a month's amount that falls into the period: by days, in whole cents."""
        days = calendar.monthrange(month.year, month.month)[1]
        last = month.replace(day=days)
        covered = (min(self.end or last, last) - max(self.start or month, month)).days + 1
        return round_to_cents(amount * max(covered, 0) / days)
