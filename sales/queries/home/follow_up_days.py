"""Open follow-ups by date, on the calendar of the user who looks at them: overdue, today, tomorrow, and a week."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from athena.accounts.models import User, local_today
from sales.models.follow_ups.follow_up import FollowUpQuerySet, is_before_today
from sales.queries.home.my_day import COMING_DAYS

NAMED_DAYS = {"overdue": "Overdue", "today": "Today", "tomorrow": "Tomorrow", "coming": "The next seven days"}
YEARS = range(1970, 3000)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayCount:
    """The number of follow-ups on a day; `value` is what selects them (see `DayConditions.get_condition`)."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class DayCounts:
    """The counts of the named days, and of a week from `monday` to `sunday`.

    `previous_week`, `current_week` and `next_week` are the values that select this week and those around it.
    """

    named: list[DayCount]
    week: list[DayCount]
    monday: date
    sunday: date
    previous_week: str
    current_week: str
    next_week: str


class DayConditions:
    """Selects open follow-ups by date where `user` is. Takes one small query for the users' time zones."""

    def __init__(self, user: User) -> None:
        self.today = local_today(user)
        self._is_overdue = is_before_today()

    def get_condition(self, value: str) -> Q:
        """The condition for open follow-ups of a named day, a date, or a week (`2026-W49`). Raises `ValueError`.

        What is overdue where its assignee is belongs to none of the other named days. What is still today for its
        assignee, but not for the user, belongs to "today".
        """
        is_on_time = ~self._is_overdue
        match value:
            case "overdue":
                return self._is_overdue
            case "today":
                return Q(scheduled_date__range=(self.today - 2 * _DAY, self.today)) & is_on_time
            case "tomorrow":
                return Q(scheduled_date=self.today + _DAY) & is_on_time
            case "coming":
                return Q(scheduled_date__range=(self.today + _DAY, self.today + COMING_DAYS * _DAY)) & is_on_time
        return Q(scheduled_date__range=_parse_dates(value))

    def count_by_day(self, rows: FollowUpQuerySet, value: str | None) -> DayCounts:
        """Count the open ones of `rows` on the named days and in the week of `value`, or else this week. One query."""
        first_date = _parse_dates(value)[0] if value and value not in NAMED_DAYS else self.today
        monday = first_date - first_date.weekday() * _DAY
        week = [monday + n * _DAY for n in range(7)]
        values = [*NAMED_DAYS, *map(date.isoformat, week)]
        aggregates = {f"n{n}": Count("pk", filter=self.get_condition(value)) for n, value in enumerate(values)}
        last_date = max(week[-1], self.today + COMING_DAYS * _DAY)  # later dates are in no count
        sums = rows.open().filter(scheduled_date__lte=last_date).order_by().aggregate(**aggregates)
        counts = {value: sums[f"n{n}"] for n, value in enumerate(values)}
        return DayCounts(
            named=[DayCount(name, label, counts[name]) for name, label in NAMED_DAYS.items()],
            week=[DayCount(f"{day}", f"{day:%a} {day.day}", counts[f"{day}"]) for day in week],
            monday=monday,
            sunday=week[-1],
            previous_week=f"{monday - 7 * _DAY:%G-W%V}",
            current_week=f"{monday:%G-W%V}",
            next_week=f"{monday + 7 * _DAY:%G-W%V}",
        )


def _parse_dates(value: str) -> tuple[date, date]:
    """The first and the last date of a date or a week. Raises `ValueError`."""
    if "W" in value:
        monday = date.fromisoformat(f"{value}-1")
        first, last = monday, monday + 6 * _DAY if monday.year in YEARS else monday
    else:
        first = last = date.fromisoformat(value)
    if first.year not in YEARS:
        raise ValueError(value)
    return first, last
