"""Follow-ups by date, on the calendar of the user who looks at them."""

from datetime import date

import pytest
import time_machine

from sales.models import FollowUp
from sales.queries.home.follow_up_days import NAMED_DAYS, DayConditions, DayCount, DayCounts

NOW = "2026-11-25T12:00:00Z"  # a Wednesday


@pytest.fixture
def now():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def task(make_lead, rep):
    def make(day, assignee=rep, **fields):
        return FollowUp.objects.create(
            lead=make_lead(assigned_to=assignee),
            assigned_to=assignee,
            follow_up_type="call",
            scheduled_date=day,
            **fields,
        )

    return make


def list_dates(user, value):
    """The dates (month-day) of the open follow-ups that `value` selects."""
    rows = FollowUp.objects.open().filter(DayConditions(user).get_condition(value))
    return [f"{day:%m-%d}" for day in rows.order_by("scheduled_date").values_list("scheduled_date", flat=True)]


def test_a_named_day_a_date_and_a_week_select_their_dates(now, rep, task):
    for day in ("01-02", "11-24", "11-25", "11-26", "11-27", "12-02", "12-03"):
        task(f"2026-{day}")

    assert {name: list_dates(rep, name) for name in NAMED_DAYS} == {
        "overdue": ["01-02", "11-24"],
        "today": ["11-25"],
        "tomorrow": ["11-26"],
        "coming": ["11-26", "11-27", "12-02"],
    }
    assert list_dates(rep, "2026-11-24") == ["11-24"]
    assert list_dates(rep, "2026-12-01") == []
    assert list_dates(rep, "2026-W48") == ["11-24", "11-25", "11-26", "11-27"]
    assert list_dates(rep, "2026-W49") == ["12-02", "12-03"]


@time_machine.travel("2026-11-25T23:00:00Z", tick=False)
def test_overdue_is_decided_where_the_assignee_is_and_today_where_the_user_is(make_user, task):
    """It is the 25th in London and New York, and the 26th in Auckland."""
    london, york, auckland = (
        make_user(name, time_zone=zone)
        for name, zone in (("a", "Europe/London"), ("b", "America/New_York"), ("c", "Pacific/Auckland"))
    )
    for user in (london, york, auckland):
        for day in ("24", "25", "26"):
            task(f"2026-11-{day}", user, notes=f"{user.full_name}{day}")

    def list_notes(user, value):
        rows = FollowUp.objects.filter(DayConditions(user).get_condition(value))
        return set(rows.values_list("notes", flat=True))

    overdue = {"A24", "B24", "C24", "C25"}
    assert list_notes(london, "overdue") == overdue
    assert list_notes(london, "today") == {"A25", "B25"}
    assert list_notes(london, "tomorrow") == {"A26", "B26", "C26"}
    assert list_notes(auckland, "overdue") == overdue
    assert list_notes(auckland, "today") == {"A25", "B25", "A26", "B26", "C26"}
    assert list_notes(auckland, "tomorrow") == set()


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2026-13-01", "2026-W60", "2026-W49-3", "W", "9999-W52", "9999-12-31", "0001-W01", "1-1", "²"],
)
def test_a_value_that_is_no_date_is_refused(rep, value):
    with pytest.raises(ValueError):  # noqa: PT011 - the message is that of `date`
        DayConditions(rep).get_condition(value)


def test_open_follow_ups_are_counted_by_day_in_one_query(now, rep, task, django_assert_num_queries):
    for day in ("2026-11-23", "2026-11-25", "2026-11-25", "2026-11-29", "2026-11-30"):
        task(day)
    task("2026-11-26", cancelled_at=NOW)
    task("2026-11-27", completed=True, completed_at=NOW, outcome="successful")
    days = DayConditions(rep)
    with django_assert_num_queries(1):
        counts = days.count_by_day(FollowUp.objects.all(), None)
    named = {"overdue": 1, "today": 2, "tomorrow": 0, "coming": 2}
    week = {"Mon 23": 1, "Tue 24": 0, "Wed 25": 2, "Thu 26": 0, "Fri 27": 0, "Sat 28": 0, "Sun 29": 1}
    assert counts == DayCounts(
        named=[DayCount(name, NAMED_DAYS[name], count) for name, count in named.items()],
        week=[DayCount(f"2026-11-{label[-2:]}", label, count) for label, count in week.items()],
        monday=date(2026, 11, 23),
        sunday=date(2026, 11, 29),
        previous_week="2026-W47",
        current_week="2026-W48",
        next_week="2026-W49",
    )


@pytest.mark.parametrize(
    ("value", "week"), [("today", "2026-W48"), ("2027-01-03", "2026-W53"), ("2027-W01", "2027-W01")]
)
def test_the_days_counted_are_those_of_the_selected_week(now, rep, task, value, week):
    assert DayConditions(rep).count_by_day(FollowUp.objects.all(), value).current_week == week
