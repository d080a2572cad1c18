"""Open follow-ups by day, on the calendar of whoever looks: what is overdue, for today, and for each day of a week."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q

from athena.accounts.models import User, local_today
from sales.models.follow_up import FollowUpQuerySet, is_before_today
from sales.queries.home.my_day import COMING_DAYS

NAMED_DAYS = {"overdue": "Overdue", "today": "Today", "tomorrow": "Tomorrow", "coming": "The next seven days"}
YEARS = range(1970, 3000)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayCount:
    """How many follow-ups a day has, and what to ask `Days` for to get them."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class DayCounts:
    """`week` is from `monday` to `sunday`; `before`, `itself` and `after` are what to ask for the weeks around it."""

    named: list[DayCount]
    week: list[DayCount]
    monday: date
    sunday: date
    previous_week: str
    current_week: str
    next_week: str


class DayConditions:
    """The days of this person's calendar. Takes one small query, for the zones that people live in."""

    def __init__(self, user: User) -> None:
        self.today = local_today(user)
        self._late = is_before_today()

    def get_condition(self, asked: str) -> Q:
        """Which of the open follow-ups: a name of `NAMED`, a date, or a week (`2026-W49`). Raises ValueError.

        What is overdue (where its assignee is) is in none of the other three; what is still today for its assignee,
        though not for this person, is in today.
        """
        on_time = ~self._late
        match asked:
            case "overdue":
                return self._late
            case "today":
                return Q(scheduled_date__range=(self.today - 2 * _DAY, self.today)) & on_time
            case "tomorrow":
                return Q(scheduled_date=self.today + _DAY) & on_time
            case "coming":
                return Q(scheduled_date__range=(self.today + _DAY, self.today + COMING_DAYS * _DAY)) & on_time
        return Q(scheduled_date__range=_span(asked))

    def count_by_day(self, rows: FollowUpQuerySet, asked: str | None) -> DayCounts:
        """How many of these rows each day has, in the week that was asked for, or else in this one. One query."""
        first = _span(asked)[0] if asked and asked not in NAMED_DAYS else self.today
        monday = first - first.weekday() * _DAY
        week = [monday + n * _DAY for n in range(7)]
        days = [*NAMED_DAYS, *map(date.isoformat, week)]
        tallies = {f"n{n}": Count("pk", filter=self.get_condition(day)) for n, day in enumerate(days)}
        last = max(week[-1], self.today + COMING_DAYS * _DAY)  # what comes after it is in none of them
        counts = rows.open().filter(scheduled_date__lte=last).order_by().aggregate(**tallies)
        many = [counts[f"n{n}"] for n in range(len(days))]
        return DayCounts(
            named=[DayCount(name, label, many[n]) for n, (name, label) in enumerate(NAMED_DAYS.items())],
            week=[DayCount(f"{day}", f"{day:%a} {day.day}", many[len(NAMED_DAYS) + n]) for n, day in enumerate(week)],
            monday=monday,
            sunday=week[-1],
            previous_week=f"{monday - 7 * _DAY:%G-W%V}",
            current_week=f"{monday:%G-W%V}",
            next_week=f"{monday + 7 * _DAY:%G-W%V}",
        )


def _span(asked: str) -> tuple[date, date]:
    """The first and the last day of a date or a week."""
    if "W" in asked:
        monday = date.fromisoformat(f"{asked}-1")
        first, last = monday, monday + 6 * _DAY if monday.year in YEARS else monday
    else:
        first = last = date.fromisoformat(asked)
    if first.year not in YEARS:
        raise ValueError(asked)
    return first, last
