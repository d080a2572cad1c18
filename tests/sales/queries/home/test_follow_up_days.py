"""Follow-ups by day, on the calendar of whoever looks."""

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


def found(user, asked):
    rows = FollowUp.objects.open().filter(DayConditions(user).get_condition(asked))
    return [f"{day:%m-%d}" for day in rows.order_by("scheduled_date").values_list("scheduled_date", flat=True)]


def test_each_name_has_its_days(now, rep, task):
    for day in ("01-02", "11-24", "11-25", "11-26", "11-27", "12-02", "12-03"):
        task(f"2026-{day}")
    assert {name: found(rep, name) for name in NAMED_DAYS} == {
        "overdue": ["01-02", "11-24"],
        "today": ["11-25"],
        "tomorrow": ["11-26"],
        "coming": ["11-26", "11-27", "12-02"],
    }
    assert (found(rep, "2026-11-24"), found(rep, "2026-12-01")) == (["11-24"], [])
    assert (found(rep, "2026-W48"), found(rep, "2026-W49")) == (
        ["11-24", "11-25", "11-26", "11-27"],
        ["12-02", "12-03"],
    )


@time_machine.travel("2026-11-25T23:00:00Z", tick=False)
def test_what_is_late_goes_by_the_assignee_and_the_day_by_who_looks(make_user, task):
    """It is the 25th in London and New York, and the 26th in Auckland."""
    london, york, auckland = (
        make_user(name, time_zone=zone)
        for name, zone in (("a", "Europe/London"), ("b", "America/New_York"), ("c", "Pacific/Auckland"))
    )
    for who in (london, york, auckland):
        for day in ("24", "25", "26"):
            task(f"2026-11-{day}", who, notes=f"{who.full_name}{day}")

    def seen(user):
        days = DayConditions(user)
        asked = {name: FollowUp.objects.filter(days.get_condition(name)) for name in ("overdue", "today", "tomorrow")}
        return {name: set(rows.values_list("notes", flat=True)) for name, rows in asked.items()}

    late = {"A24", "B24", "C24", "C25"}
    assert seen(london) == {"overdue": late, "today": {"A25", "B25"}, "tomorrow": {"A26", "B26", "C26"}}
    assert seen(auckland) == {"overdue": late, "today": {"A25", "B25", "A26", "B26", "C26"}, "tomorrow": set()}


@pytest.mark.parametrize(
    "asked",
    ["", "yesterday", "2026-13-01", "2026-W60", "2026-W49-3", "W", "9999-W52", "9999-12-31", "0001-W01", "1-1", "²"],
)
def test_what_is_no_day_is_refused(rep, asked):
    with pytest.raises(ValueError):  # noqa: PT011 - in the words of `date`
        DayConditions(rep).get_condition(asked)


def test_a_plan_counts_what_is_open_in_one_query(now, rep, task, django_assert_num_queries):
    for day in ("2026-11-23", "2026-11-25", "2026-11-25", "2026-11-29", "2026-11-30"):
        task(day)
    task("2026-11-26", cancelled_at=NOW)
    task("2026-11-27", completed=True, completed_at=NOW, outcome="successful")
    days = DayConditions(rep)
    with django_assert_num_queries(1):
        plan = days.count_by_day(FollowUp.objects.all(), None)
    named = {"overdue": 1, "today": 2, "tomorrow": 0, "coming": 2}
    week = {"Mon 23": 1, "Tue 24": 0, "Wed 25": 2, "Thu 26": 0, "Fri 27": 0, "Sat 28": 0, "Sun 29": 1}
    assert plan == DayCounts(
        named=[DayCount(name, NAMED_DAYS[name], count) for name, count in named.items()],
        week=[DayCount(f"2026-11-{label[-2:]}", label, count) for label, count in week.items()],
        monday=date(2026, 11, 23),
        sunday=date(2026, 11, 29),
        previous_week="2026-W47",
        current_week="2026-W48",
        next_week="2026-W49",
    )


@pytest.mark.parametrize(
    ("asked", "itself"), [("today", "2026-W48"), ("2027-01-03", "2026-W53"), ("2027-W01", "2027-W01")]
)
def test_a_plan_is_of_the_week_that_was_asked_for(now, rep, asked, itself):
    assert DayConditions(rep).count_by_day(FollowUp.objects.all(), asked).current_week == itself
