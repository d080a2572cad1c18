"""When things are due, on whose calendar. Every instant is UTC; every date is somebody's wall calendar."""

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
OVERDUE_NOTICE_OFFSET = timedelta(hours=8)  # when people are told of what the day before has left


def company_today() -> date:
    """Today where the company is: the day of scoring and reports."""
    return timezone.now().astimezone(company_zone()).date()


def get_month_start(user: User, months_ago: int = 0) -> datetime:
    """The instant at which this month began on the person's calendar, or one before it."""
    first = local_today(user).replace(day=1)
    for _ in range(months_ago):
        first = (first - timedelta(days=1)).replace(day=1)
    return local_instant(user, first, time.min)


def get_due_at(assignee: User, day: date, clock: time | None) -> datetime:
    """The instant a follow-up is due. Without a time it counts as 09:00 on the assignee's clock."""
    return local_instant(assignee, day, clock or UNTIMED_DUE_TIME)


def get_remind_at(assignee: User, day: date, clock: time | None, now: datetime) -> datetime | None:
    """When to remind the assignee, or None for a day that is already over for them.

    A timed follow-up: their lead time (`reminder_minutes`) before it. An untimed one: 08:00 that morning. A moment
    that has passed while the day has not: `now`, so that the next tick finds it.
    """
    if day < local_today(assignee):
        return None
    if clock is None:
        moment = local_instant(assignee, day, UNTIMED_REMINDER_TIME)
    else:
        moment = get_due_at(assignee, day, clock) - timedelta(minutes=assignee.reminder_minutes)
    return max(moment, now)


def move_to_working_day(day: date) -> date:
    """The day itself, or the next one that is neither weekend nor public holiday where the company is."""
    return _holidays().get_nth_working_day(day, 0)


def subtract_working_days(day: date, count: int) -> date:
    """The latest day that is overdue by `many` working days on `day`."""
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
    """The same day so many months later (or earlier); in a month that is too short, its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def get_day_start(day: date) -> datetime:
    """When this day begins where the company is."""
    return datetime.combine(day, time(), tzinfo=company_zone())
