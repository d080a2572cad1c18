"""A salesperson's home page: their follow-ups by date, their leads, their month."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import time_machine

from sales.models import FollowUp
from sales.queries.home.my_day import MAX_LEADS, MAX_TASKS, MonthSummary, Shortlist, get_my_day

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)  # in New York it is the evening of the 24th
TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def frozen():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def maria(rep):
    rep.time_zone = "America/New_York"
    rep.save()
    return rep


@pytest.fixture
def plan(make_lead, maria):
    def make(days, clock=None, *, who=maria, lead=None, **fields):
        return FollowUp.objects.create(
            lead=lead or make_lead(assigned_to=who),
            assigned_to=who,
            follow_up_type="call",
            scheduled_date=TODAY + timedelta(days=days),
            scheduled_time=clock,
            **fields,
        )

    return make


def test_follow_ups_are_listed_by_the_date_where_the_user_is(plan, maria, colleague, make_lead):
    oldest, yesterday = plan(-9), plan(-1)
    at_two, untimed, early = plan(0, time(14)), plan(0), plan(0, time(8, 30))
    tomorrow, in_a_week = plan(1), plan(7)
    plan(8)
    plan(0, who=colleague)
    plan(0, lead=make_lead(assigned_to=maria, archived_at=NOW))
    plan(0, cancelled_at=NOW)
    plan(-1, completed=True, completed_at=NOW, outcome="successful")

    day = get_my_day(maria)

    assert day.overdue == Shortlist([oldest, yesterday], count=2)
    assert day.today == Shortlist([early, untimed, at_two], count=3)  # without a time it counts as 9:00
    assert day.coming == Shortlist([tomorrow, in_a_week], count=2)
    assert not day.is_clear


def test_long_lists_are_cut_and_counted(plan, make_lead, maria):
    lead = make_lead(assigned_to=maria)
    for number in range(MAX_TASKS + 3):
        plan(-1 - number, lead=lead)
    leads = [make_lead(assigned_to=maria, score=number) for number in range(MAX_LEADS + 2)]

    day = get_my_day(maria)

    assert len(day.overdue.rows) == MAX_TASKS
    assert day.overdue.count == MAX_TASKS + 3
    assert day.overdue.hidden_count == 3
    assert day.overdue.rows[0].scheduled_date == TODAY - timedelta(days=MAX_TASKS + 3)
    assert day.unplanned == Shortlist(leads[::-1][:MAX_LEADS], count=MAX_LEADS + 2)


def test_leads_are_the_users_own(make_lead, maria, colleague, plan):
    fresh = make_lead(assigned_to=maria, score=10)
    called = make_lead(assigned_to=maria, status="contacted", first_contacted_at=NOW, score=60)
    make_lead(assigned_to=colleague, score=90)
    make_lead(score=90)
    make_lead(assigned_to=maria, status="won", score=90)
    plan(3, lead=called)

    day = get_my_day(maria)

    assert day.new == Shortlist([fresh], count=1)
    assert day.unplanned == Shortlist([fresh], count=1)
    assert day.hot == Shortlist([called], count=1)
    assert day.is_clear
    assert not day.is_empty


def test_the_month_begins_where_the_user_is(make_lead, maria, colleague, plan):
    first = datetime(2026, 11, 1, 4, tzinfo=UTC)  # midnight in New York
    before = first - timedelta(microseconds=1)
    make_lead(assigned_to=maria, created_at=first)
    make_lead(assigned_to=maria, created_at=before)
    won = {"assigned_to": maria, "status": "won", "created_at": before}
    make_lead(**won, closed_at=first, booked_value=Decimal("1200.50"))
    make_lead(**won, closed_at=before, booked_value=Decimal(900))
    make_lead(**won, closed_at=first)
    lead = make_lead(assigned_to=colleague, created_at=before)
    done = {"completed": True, "outcome": "successful", "lead": lead, "completed_by": maria}
    plan(-1, completed_at=first, **done)
    plan(-1, completed_at=before, **done)
    assert get_my_day(maria).month == MonthSummary(completed=1, new_leads=1, bookings=2, booked=Decimal("1200.50"))


def test_a_new_user_has_an_empty_day(maria):
    day = get_my_day(maria)

    assert day.is_clear
    assert day.is_empty
    assert day.month == MonthSummary(completed=0, new_leads=0, bookings=0, booked=Decimal(0))
