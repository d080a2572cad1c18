"""When follow-ups are due and reminded of. Datetimes are UTC; dates and times are on somebody's wall clock."""

from calendar import monthrange
from datetime import date, datetime, time, timedelta
from functools import cache

import holidays
from django.conf import settings
from django.utils import timezone

from athena.accounts.models import User, local_instant, local_today
from athena.time_zones import company_zone as company_zone

UNTIMED_DUE_TIME = time(9)
UNTIMED_REMINDER_TIME = time(8)
OVERDUE_NOTICE_OFFSET = timedelta(hours=8)  # after midnight of the next day, on the assignee's clock


def company_today() -> date:
    """Today in the company's time zone: the date for scoring and reports."""
    return timezone.now().astimezone(company_zone()).date()


def get_month_start(user: User, months_ago: int = 0) -> datetime:
    """The datetime at which the current month began where `user` is, or an earlier month (`months_ago`)."""
    first = local_today(user).replace(day=1)
    for _ in range(months_ago):
        first = (first - timedelta(days=1)).replace(day=1)
    return local_instant(user, first, time.min)


def get_due_at(assignee: User, day: date, clock: time | None) -> datetime:
    """The datetime at which a follow-up is due: its date and time, or 09:00, on the assignee's clock."""
    return local_instant(assignee, day, clock or UNTIMED_DUE_TIME)


def get_remind_at(assignee: User, day: date, clock: time | None, now: datetime) -> datetime | None:
    """When to remind the assignee of a follow-up, or None if its date is over for them.

    With a time: the assignee's lead time (`reminder_minutes`) before it. Without a time: 08:00 on that date. If that
    has passed and the date is not over: `now`, so that the next tick finds it.
    """
    if day < local_today(assignee):
        return None
    if clock is None:
        remind_at = local_instant(assignee, day, UNTIMED_REMINDER_TIME)
    else:
        remind_at = get_due_at(assignee, day, clock) - timedelta(minutes=assignee.reminder_minutes)
    return max(remind_at, now)


def move_to_working_day(day: date) -> date:
    """The date itself, or the next one that is no weekend or public holiday where the company is."""
    return _holidays().get_nth_working_day(day, 0)


def subtract_working_days(day: date, count: int) -> date:
    """The latest date that is overdue by `count` working days on `day`."""
    calendar = _holidays()
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    return calendar.get_nth_working_day(day, -count)


def _holidays() -> holidays.HolidayBase:
    return _holidays_of(settings.HOLIDAYS_COUNTRY, settings.HOLIDAYS_REGION)


@cache
def _holidays_of(country: str, region: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=region or None)


def add_months(day: date, months: int) -> date:
    """The same day of the month, `months` later (or earlier); in a shorter month, its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def get_day_start(day: date) -> datetime:
    """The datetime at which a date begins in the company's time zone."""
    return datetime.combine(day, time(), tzinfo=company_zone())
