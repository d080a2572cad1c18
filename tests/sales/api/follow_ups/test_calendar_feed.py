"""The calendar feed: what a calendar reads, and who may."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from icalendar import Calendar
from rest_framework.test import APIClient

from athena.accounts.models import User
from sales.models import FollowUp
from sales.services.follow_ups import follow_ups
from sales.services.follow_ups.completion import CompletionInput

URL = "/api/v1/sales/follow-ups/calendar.ics"
NOW = "2026-11-30T12:00Z"


@pytest.fixture
def address(api):
    def of(user, method="get"):
        answer = getattr(api(user), method)("/api/v1/auth/me/calendar")
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert answer.json()["url"].endswith(f"{URL}?token={answer.json()['token']}")
        return f"{URL}?token={answer.json()['token']}"

    return of


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, phone="212 555 0123", company_name="Band; Röck, \r\nATTENDEE:x")


@pytest.fixture
def plan(rep, lead):
    def make(**values):
        values = {"follow_up_type": "call", "scheduled_date": date(2026, 12, 1), **values}
        return follow_ups.create(**{"by": rep, "lead_id": lead.pk, **values})

    return make


def read(url, **headers):
    answer = APIClient().get(url, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    return {str(event["uid"]).partition("@")[0]: event for event in Calendar.from_ical(answer.content).walk("VEVENT")}


@time_machine.travel(NOW, tick=False)
def test_timed_follow_ups_are_appointments_on_the_assignees_clock_others_take_the_day(rep, address, plan):
    User.objects.filter(pk=rep.pk).update(time_zone="America/New_York")
    rep.refresh_from_db()
    timed, day = plan(scheduled_time=datetime(2026, 1, 1, 10).time(), notes="Ask, <b>politely</b>; soon"), plan()
    events = read(address(rep))
    assert set(events) == {f"follow-up-{timed.pk}", f"follow-up-{day.pk}"}
    event, all_day = events[f"follow-up-{timed.pk}"], events[f"follow-up-{day.pk}"]
    assert event.decoded("dtstart") == datetime.fromisoformat("2026-12-01T15:00Z")
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=30)
    assert (all_day.decoded("dtstart"), all_day.decoded("dtend")) == (date(2026, 12, 1), date(2026, 12, 2))
    assert str(event["description"]) == "Ask, <b>politely</b>; soon\n212 555 0123"
    assert str(event["summary"]).startswith("Call: Band; Röck, ")
    assert "attendee" not in event
    assert (event["status"], event["sequence"]) == ("CONFIRMED", 0)
    assert event.decoded("dtstamp") == timed.updated_at.replace(microsecond=0)


@time_machine.travel(NOW, tick=False)
def test_a_change_keeps_the_uid_and_raises_the_sequence_a_cancelled_one_is_marked_for_a_while(rep, address, plan):
    moved, cancelled, done = plan(), plan(), plan()
    url = address(rep)
    before = read(url)
    follow_ups.update(by=rep, follow_up_id=moved.pk, changes={"scheduled_date": date(2026, 12, 4)})
    follow_ups.cancel(by=rep, follow_up_id=cancelled.pk)
    follow_ups.complete(by=rep, follow_up_id=done.pk, completion_input=CompletionInput(outcome="successful"))
    after = read(url)
    assert set(after) == set(before) - {f"follow-up-{done.pk}"}
    seen = {key: (event["status"], event["sequence"], event.decoded("dtstart")) for key, event in after.items()}
    assert seen == {
        f"follow-up-{moved.pk}": ("CONFIRMED", 1, date(2026, 12, 4)),
        f"follow-up-{cancelled.pk}": ("CANCELLED", 1, date(2026, 12, 1)),
    }
    with time_machine.travel("2026-12-31T12:00Z", tick=False):
        assert set(read(url)) == {f"follow-up-{moved.pk}"}


@time_machine.travel(NOW, tick=False)
def test_what_has_not_changed_is_not_sent_again(rep, address, plan):
    plan()
    url = address(rep)
    tag = APIClient().get(url)["ETag"]
    again = APIClient().get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    plan()
    assert APIClient().get(url, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("accept", ["text/calendar", "*/*", "text/html", "image/png", ""])
def test_whatever_a_calendar_asks_for(rep, address, accept):
    assert read(address(rep), accept=accept) == {}


def test_one_sees_ones_own_alone(rep, colleague, manager, make_lead, address, plan):
    plan()
    assert [len(read(address(user))) for user in (rep, colleague, manager)] == [1, 0, 0]


def test_a_follow_up_on_an_archived_lead_is_gone(rep, lead, address, plan):
    plan()
    lead.archived_at = NOW
    lead.save()
    assert read(address(rep)) == {}


def refused(url):
    answer = APIClient().get(url)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/json")
    assert answer.json() == {
        "detail": "The calendar's token is not valid (any more).", "code": "token_not_valid",
    }  # fmt: skip


def test_a_token_that_does_not_hold_is_401(rep, colleague, address):
    url = address(rep)
    mine = url.rpartition("-")[2]
    wrongs = ["x", "-", "9999999999999999999999-x", f"{rep.pk}-", f"{colleague.pk}-{mine}", f"{rep.pk}-{mine}0"]
    for wrong in (URL, url[:-1], *(f"{URL}?token={token}" for token in wrongs)):
        refused(wrong)
    renewed = address(rep, "post")
    refused(url)
    assert read(renewed) == {}
    rep.refresh_from_db()
    assert renewed == address(rep) != url


def test_the_token_of_somebody_who_left_ends_for_good(rep, admin, browse, address):
    url = address(rep)
    User.objects.filter(pk=rep.pk).update(is_active=False)
    refused(url)
    User.objects.filter(pk=rep.pk).update(is_active=True, login_epoch=1)  # as deactivating in the admin leaves it
    refused(url)


def test_the_feed_costs_the_same_for_one_and_for_many(rep, lead, address, plan):
    def cost():
        with CaptureQueriesContext(connection) as captured:
            found = len(read(url))
        return found, len(captured)

    plan()
    url = address(rep)
    _, once = cost()
    FollowUp.objects.bulk_create(
        FollowUp(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2027-01-01") for _ in range(40)
    )
    assert cost() == (41, once)
