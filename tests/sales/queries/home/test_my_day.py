"""A salesperson's home page: their tasks by day, their leads, their month."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import time_machine

from sales.models import FollowUp
from sales.queries.home.my_day import MAX_LEADS, MAX_TASKS, MonthSummary, get_my_day

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
            lead=lead or make_lead(assigned_to=who), assigned_to=who, follow_up_type="call",
            scheduled_date=TODAY + timedelta(days=days), scheduled_time=clock, **fields,
        )  # fmt: skip

    return make


def test_tasks_stand_where_the_persons_own_calendar_has_them(plan, maria, colleague, make_lead):
    late, yesterday = plan(-9), plan(-1)
    at_two, untimed, early = plan(0, time(14)), plan(0), plan(0, time(8, 30))
    tomorrow, in_a_week = plan(1), plan(7)
    plan(8)
    plan(0, who=colleague)
    plan(0, lead=make_lead(assigned_to=maria, archived_at=NOW))
    plan(0, cancelled_at=NOW)
    plan(-1, completed=True, completed_at=NOW, outcome="successful")
    day = get_my_day(maria)
    assert (day.overdue.rows, day.overdue.count) == ([late, yesterday], 2)
    assert (day.today.rows, day.today.count) == ([early, untimed, at_two], 3)  # without a time it counts as nine
    assert (day.coming.rows, day.coming.count) == ([tomorrow, in_a_week], 2)
    assert not day.is_clear


def test_long_lists_are_cut_and_counted(plan, make_lead, maria):
    lead = make_lead(assigned_to=maria)
    for number in range(MAX_TASKS + 3):
        plan(-1 - number, lead=lead)
    leads = [make_lead(assigned_to=maria, score=number) for number in range(MAX_LEADS + 2)]
    day = get_my_day(maria)
    assert (len(day.overdue.rows), day.overdue.count, day.overdue.hidden_count) == (MAX_TASKS, MAX_TASKS + 3, 3)
    assert day.overdue.rows[0].scheduled_date == TODAY - timedelta(days=MAX_TASKS + 3)
    assert (day.unplanned.rows, day.unplanned.count) == (leads[::-1][:MAX_LEADS], MAX_LEADS + 2)


def test_leads_are_ones_own(make_lead, maria, colleague, plan):
    fresh = make_lead(assigned_to=maria, score=10)
    called = make_lead(assigned_to=maria, status="contacted", first_contacted_at=NOW, score=60)
    make_lead(assigned_to=colleague, score=90)
    make_lead(score=90)
    make_lead(assigned_to=maria, status="won", score=90)
    plan(3, lead=called)
    day = get_my_day(maria)
    assert (day.new.rows, day.new.count) == ([fresh], 1)
    assert (day.unplanned.rows, day.unplanned.count) == ([fresh], 1)
    assert (day.hot.rows, day.hot.count) == ([called], 1)
    assert (day.is_clear, day.is_empty) == (True, False)


def test_the_month_began_where_the_person_is(make_lead, maria, colleague, plan):
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


def test_somebody_new_has_an_empty_day(maria):
    day = get_my_day(maria)
    assert (day.is_clear, day.is_empty, day.month) == (True, True, MonthSummary(0, 0, 0, Decimal(0)))
