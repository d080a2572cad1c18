"""The calendar feed: its events, caching and tokens."""

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
def get_feed_url(api):
    def get(user, method="get"):
        answer = getattr(api(user), method)("/api/v1/auth/me/calendar")
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        assert answer.json()["url"].endswith(f"{URL}?token={answer.json()['token']}")
        return f"{URL}?token={answer.json()['token']}"

    return get


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep, phone="212 555 0123", company_name="Band; Röck, \r\nATTENDEE:x")


@pytest.fixture
def plan(rep, lead):
    def make(**values):
        values = {"follow_up_type": "call", "scheduled_date": date(2026, 12, 1), **values}
        return follow_ups.create(**{"by": rep, "lead_id": lead.pk, **values})

    return make


def read_events(url, **headers):
    answer = APIClient().get(url, headers=headers)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return {str(event["uid"]).partition("@")[0]: event for event in Calendar.from_ical(answer.content).walk("VEVENT")}


@time_machine.travel(NOW, tick=False)
def test_timed_follow_ups_are_appointments_on_the_assignees_clock_and_others_all_day_events(rep, get_feed_url, plan):
    User.objects.filter(pk=rep.pk).update(time_zone="America/New_York")
    rep.refresh_from_db()
    timed, untimed = plan(scheduled_time=datetime(2026, 1, 1, 10).time(), notes="Ask, <b>politely</b>; soon"), plan()
    events = read_events(get_feed_url(rep))

    assert set(events) == {f"follow-up-{timed.pk}", f"follow-up-{untimed.pk}"}

    event, all_day = events[f"follow-up-{timed.pk}"], events[f"follow-up-{untimed.pk}"]
    assert event.decoded("dtstart") == datetime.fromisoformat("2026-12-01T15:00Z")
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=30)
    assert all_day.decoded("dtstart") == date(2026, 12, 1)
    assert all_day.decoded("dtend") == date(2026, 12, 2)
    assert str(event["description"]) == "Ask, <b>politely</b>; soon\n212 555 0123"
    assert str(event["summary"]).startswith("Call: Band; Röck, ")
    assert "attendee" not in event
    assert event["status"] == "CONFIRMED"
    assert event["sequence"] == 0
    assert event.decoded("dtstamp") == timed.updated_at.replace(microsecond=0)


@time_machine.travel(NOW, tick=False)
def test_a_change_raises_the_sequence_and_a_canceled_follow_up_stays_for_a_month(rep, get_feed_url, plan):
    moved, canceled, completed = plan(), plan(), plan()
    url = get_feed_url(rep)
    before = read_events(url)
    follow_ups.update(by=rep, follow_up_id=moved.pk, changes={"scheduled_date": date(2026, 12, 4)})
    follow_ups.cancel(by=rep, follow_up_id=canceled.pk)
    follow_ups.complete(by=rep, follow_up_id=completed.pk, completion_input=CompletionInput(outcome="successful"))
    after = read_events(url)

    assert set(after) == set(before) - {f"follow-up-{completed.pk}"}

    events = {key: (event["status"], event["sequence"], event.decoded("dtstart")) for key, event in after.items()}
    assert events == {
        f"follow-up-{moved.pk}": ("CONFIRMED", 1, date(2026, 12, 4)),
        f"follow-up-{canceled.pk}": ("CANCELLED", 1, date(2026, 12, 1)),
    }

    with time_machine.travel("2026-12-31T12:00Z", tick=False):
        assert set(read_events(url)) == {f"follow-up-{moved.pk}"}


@time_machine.travel(NOW, tick=False)
def test_an_unchanged_feed_is_not_sent_again(rep, get_feed_url, plan):
    plan()
    url = get_feed_url(rep)
    tag = APIClient().get(url)["ETag"]
    again = APIClient().get(url, headers={"If-None-Match": tag})

    assert again.status_code == 304
    assert again.content == b""

    plan()
    assert APIClient().get(url, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("accept", ["text/calendar", "*/*", "text/html", "image/png", ""])
def test_the_feed_is_sent_whatever_the_accept_header(rep, get_feed_url, accept):
    assert read_events(get_feed_url(rep), accept=accept) == {}


def test_a_feed_holds_only_the_users_own_follow_ups(rep, colleague, manager, make_lead, get_feed_url, plan):
    plan()
    assert [len(read_events(get_feed_url(user))) for user in (rep, colleague, manager)] == [1, 0, 0]


def test_follow_ups_of_archived_leads_are_left_out(rep, lead, get_feed_url, plan):
    plan()
    lead.archived_at = NOW
    lead.save()
    assert read_events(get_feed_url(rep)) == {}


def assert_refused(url):
    answer = APIClient().get(url)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/json"
    assert answer.json() == {
        "detail": "The calendar's token is not valid (any more).",
        "code": "token_not_valid",
    }


def test_an_invalid_token_is_401(rep, colleague, get_feed_url):
    url = get_feed_url(rep)
    signature = url.rpartition("-")[2]
    invalid_tokens = [
        "x",
        "-",
        "9999999999999999999999-x",
        f"{rep.pk}-",
        f"{colleague.pk}-{signature}",
        f"{rep.pk}-{signature}0",
    ]
    for invalid_url in (URL, url[:-1], *(f"{URL}?token={token}" for token in invalid_tokens)):
        assert_refused(invalid_url)
    renewed = get_feed_url(rep, "post")

    assert_refused(url)
    assert read_events(renewed) == {}

    rep.refresh_from_db()
    assert renewed == get_feed_url(rep) != url


def test_the_token_of_a_deactivated_user_stays_invalid(rep, admin, browse, get_feed_url):
    url = get_feed_url(rep)
    User.objects.filter(pk=rep.pk).update(is_active=False)
    assert_refused(url)

    User.objects.filter(pk=rep.pk).update(is_active=True, login_epoch=1)  # as deactivating in the admin leaves it
    assert_refused(url)


def test_the_number_of_queries_does_not_depend_on_the_number_of_follow_ups(rep, lead, get_feed_url, plan):
    def count_events_and_queries():
        with CaptureQueriesContext(connection) as captured:
            event_count = len(read_events(url))
        return event_count, len(captured)

    plan()
    url = get_feed_url(rep)
    _, query_count = count_events_and_queries()
    FollowUp.objects.bulk_create(
        FollowUp(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date="2027-01-01") for _ in range(40)
    )
    assert count_events_and_queries() == (41, query_count)
