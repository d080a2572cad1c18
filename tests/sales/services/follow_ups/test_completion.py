"""The next step of a completed follow-up: when it is, and what is to be done."""

from datetime import date, time, timedelta

import pytest
import time_machine

from sales import errors
from sales.models import FollowUp
from sales.services.follow_ups import follow_ups

TODAY = date(2026, 11, 24)  # a Tuesday


@pytest.fixture(autouse=True)
def on_a_tuesday():
    with time_machine.travel("2026-11-24T12:00Z"):
        yield


@pytest.fixture
def complete(rep, make_lead):
    """Complete a call of today, 10:00; what follows it."""

    def run(notes="Ask for the route", **values):
        plan = follow_ups.create(
            by=rep, lead_id=make_lead(assigned_to=rep).pk, follow_up_type="call", scheduled_date=TODAY,
            scheduled_time=time(10), notes=notes,
        )  # fmt: skip
        values = {"outcome": "successful", "schedule_next": True, **values}
        following = follow_ups.complete(by=rep, follow_up_id=plan.pk, **values).following
        return following and (following.scheduled_date, following.scheduled_time, following.notes)

    return run


@pytest.mark.parametrize(
    ("asked", "day", "clock"),
    [
        ({}, date(2026, 11, 27), time(10)),
        ({"next_follow_up_days": 4}, date(2026, 11, 30), time(10)),  # Saturday moves to Monday
        ({"next_follow_up_days": 4, "next_follow_up_time": time(16, 30)}, date(2026, 11, 30), time(16, 30)),
        ({"next_follow_up_date": date(2026, 11, 28)}, date(2026, 11, 28), time(10)),  # a date that is named stays
        ({"next_follow_up_date": TODAY, "next_follow_up_time": time(17)}, TODAY, time(17)),
        ({"next_follow_up_date": date(2027, 2, 1), "next_follow_up_time": None}, date(2027, 2, 1), None),
        ({"next_follow_up_date": date(2026, 11, 28), "next_follow_up_days": 4}, date(2026, 11, 28), time(10)),
        ({"next_follow_up_date": date(2026, 11, 30), "next_follow_up_days": 4}, date(2026, 11, 30), time(10)),
    ],
)
def test_when(complete, asked, day, clock):
    assert complete(**asked) == (day, clock, "Ask for the route")


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"next_follow_up_date": TODAY - timedelta(days=1)}, "next_follow_up_date"),
        ({"next_follow_up_date": date(2026, 12, 1), "next_follow_up_days": 3}, "next_follow_up_date"),
        ({"schedule_next": False, "next_follow_up_date": date(2026, 12, 1)}, "next_follow_up_date"),
        ({"schedule_next": False, "next_follow_up_time": time(9)}, "next_follow_up_time"),
        ({"schedule_next": False, "next_follow_up_notes": "Call"}, "next_follow_up_notes"),
        ({"close": "lost", "lost_reason": "price", "next_follow_up_date": date(2026, 12, 1)}, "close"),
    ],
)
def test_what_can_not_be(complete, asked, name):
    with pytest.raises(errors.Invalid) as refused:
        complete(**asked)
    assert list(refused.value.fields) == [name]
    assert FollowUp.objects.open().count() == 1


def test_today_is_the_assignees(rep, complete):
    rep.time_zone = "Pacific/Auckland"  # where it is Wednesday already
    rep.save()
    with pytest.raises(errors.Invalid):
        complete(next_follow_up_date=TODAY)


@pytest.mark.parametrize(
    ("typed", "before", "instruction"),
    [
        ("Send the offer", "Ask for the route", "Send the offer"),
        ("", "Ask for the route", "Ask for the route"),
        ("", "", "Follow-up from 2026-11-24: no answer"),
    ],
)
def test_what_is_to_be_done(complete, typed, before, instruction):
    following = complete(notes=before, next_follow_up_notes=typed, outcome="no_answer")
    assert following[2] == instruction


def test_rescheduled_without_a_next_one_stays_legal(complete):
    assert complete(outcome="rescheduled", schedule_next=False) is None
