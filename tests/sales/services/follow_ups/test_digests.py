"""The daily digest: sent at each person's hour, once per local day, and only if it has content."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from athena.accounts.models import User
from notifications.models import Notification
from sales.models import FollowUp
from sales.queries.follow_ups.digest import MAX_LISTED, build_digests
from sales.services.follow_ups import digests as service

MONDAY = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.fixture
def plan(make_lead):
    def make(assignee, day, **fields):
        lead = make_lead(assigned_to=assignee)
        return FollowUp.objects.create(
            **{"lead": lead, "assigned_to": assignee, "follow_up_type": "call", "scheduled_date": day, **fields}
        )

    return make


def send_at(*times):
    """Send the digests at each of these times; how many were written each time."""
    counts = []
    for at in times:
        with time_machine.travel(at, tick=False):
            counts.append(service.send())
    return counts


def list_dedupe_keys():
    return list(Notification.objects.order_by("pk").values_list("dedupe_key", flat=True))


# Zones ahead of UTC and behind it; clocks that go forward over the digest hour, and back so that it comes twice.
@pytest.mark.parametrize(
    ("zone", "hour", "before", "after", "day"),
    [
        ("Asia/Tokyo", 7, "2026-06-30T21:59:59Z", "2026-06-30T22:00Z", "2026-07-01"),
        ("America/Los_Angeles", 7, "2026-07-01T13:59:59Z", "2026-07-01T14:00Z", "2026-07-01"),
        ("Europe/Berlin", 2, "2026-03-29T00:59:59Z", "2026-03-29T01:00Z", "2026-03-29"),
        ("America/New_York", 1, "2026-11-01T04:59:59Z", "2026-11-01T05:00Z", "2026-11-01"),
    ],
)
def test_a_digest_is_sent_at_the_local_hour_once_a_day(rep, plan, zone, hour, before, after, day):
    first = datetime.fromisoformat(after)
    User.objects.filter(pk=rep.pk).update(
        time_zone=zone, digest_hour=hour, digested_on=date.fromisoformat(day) - timedelta(days=1)
    )
    plan(rep, "2020-01-01")
    again = [first + timedelta(minutes=minutes) for minutes in (0, 1, 60, 61)]

    assert send_at(before, after, *again) == [0, 1, 0, 0, 0, 0]
    assert list_dedupe_keys() == [f"digest:{rep.pk}:{day}"]
    assert send_at(first + timedelta(hours=25)) == [1]


def test_a_missed_hour_is_made_up_for_on_the_same_day(rep, plan):
    plan(rep, "2020-01-01")
    assert send_at("2026-11-30T23:59Z", "2026-12-01T06:59Z", "2026-12-01T07:00Z") == [1, 0, 1]


def test_a_move_to_the_west_brings_no_second_digest_that_day(rep, plan):
    User.objects.filter(pk=rep.pk).update(time_zone="Asia/Tokyo")
    plan(rep, "2020-01-01")
    assert send_at("2026-11-30T22:00Z") == [1]  # the first of December in Tokyo

    User.objects.filter(pk=rep.pk).update(time_zone="America/New_York")
    assert send_at("2026-11-30T22:30Z", "2026-12-01T12:00Z", "2026-12-02T11:59Z", "2026-12-02T12:00Z") == [0, 0, 0, 1]

    User.objects.filter(pk=rep.pk).update(time_zone="Asia/Tokyo")
    assert send_at("2026-12-02T13:00Z", "2026-12-02T22:00Z") == [0, 1]


def test_a_changed_hour_brings_no_second_digest_that_day(rep, plan):
    plan(rep, "2020-01-01")
    assert send_at("2026-11-30T07:00Z") == [1]
    User.objects.filter(pk=rep.pk).update(digest_hour=9)
    assert send_at("2026-11-30T09:00Z", "2026-12-01T08:00Z", "2026-12-01T09:00Z") == [0, 0, 1]


def test_without_content_no_digest_is_sent_even_later_that_day(rep, leaver, plan):
    plan(leaver, "2020-01-01")
    assert send_at("2026-11-30T07:00Z") == [0]

    plan(rep, "2020-01-01")
    assert send_at("2026-11-30T08:00Z", "2026-12-01T07:00Z") == [0, 1]
    assert not Notification.objects.filter(recipient=leaver).exists()


@pytest.fixture
def sections(rep, colleague, plan, make_lead):
    """The sections of Maria's digest of Monday 30 November, by name, and the leads in it."""
    rep.time_zone = "America/New_York"
    rep.save()

    def lead(name, **fields):
        return make_lead(company_name=name, assigned_to=rep, **{"first_contacted_at": MONDAY, **fields})

    timed, untimed = plan(rep, "2026-11-30", scheduled_time="10:00"), plan(rep, "2026-11-30")
    overdue = plan(rep, "2026-11-27", follow_up_type="quote")
    leads = {
        "timed": timed.lead,
        "untimed": untimed.lead,
        "overdue": overdue.lead,
        "hot": lead("Hot", score=70, first_contacted_at=None, phone="212 555 0123"),
        "quote": lead("Quote", status="quoted", quote_valid_until="2026-12-07"),
        "bid": lead("Bid", bid_due_at="2026-12-02T19:00Z"),
        "passed": lead("Passed", pickup_at="2026-11-29T12:00Z"),
    }
    # Rows that belong to no section:
    later = {"quote_valid_until": "2026-12-08", "bid_due_at": "2026-12-08T12:00Z"}
    for other in (
        plan(rep, "2026-12-01"),
        plan(rep, "2026-11-30", completed=True, completed_at=MONDAY, outcome="successful"),
        plan(rep, "2026-11-27", cancelled_at=MONDAY),
    ):
        other.lead.status = "won"
        other.lead.save()
    plan(colleague, "2026-11-30")
    lead("Lost", **later, pickup_at="2026-11-30T12:00Z", status="lost", lost_reason_id="price")
    planned = lead("Planned", **later, pickup_at=MONDAY)
    FollowUp.objects.create(lead=planned, assigned_to=colleague, follow_up_type="call", scheduled_date="2027-01-01")

    with time_machine.travel(MONDAY, tick=False):
        digests = build_digests({rep: date(2026, 11, 30)})

    assert list(digests) == [rep.pk]
    return {section["name"]: section for section in digests[rep.pk]}, leads


@pytest.mark.parametrize(
    ("name", "short", "title", "lines"),
    [
        ("today", "today", "Today", [("untimed", "Call"), ("timed", "Call, 10:00")]),
        ("overdue", "overdue", "Overdue", [("overdue", "Quote, Fri 27 Nov 2026")]),
        ("hot", "hot", "Hot, not contacted yet", [("hot", "70 points, 212 555 0123")]),
        ("quotes", "expiring", "Quotes that expire soon", [("quote", "until Mon 7 Dec 2026")]),
        ("bids", "to bid on", "Bids due soon", [("bid", "Wed 2 Dec 2026, 14:00")]),
        (
            "unplanned",
            "unplanned",
            "Unplanned",
            [("hot", "70 points, 212 555 0123"), ("quote", "0 points"), ("bid", "0 points"), ("passed", "0 points")],
        ),
        ("passed", "to close", "The trip has passed: won or lost?", [("passed", "Sun 29 Nov 2026")]),
    ],
)
def test_a_section_lists_its_leads_and_what_is_special_about_each(sections, name, short, title, lines):
    by_name, leads = sections

    section = by_name[name]

    assert section["short"] == short
    assert section["title"] == title
    assert section["count"] == len(lines)
    assert section["more"] == 0
    assert section["lines"] == [
        {"lead_id": leads[key].pk, "lead_name": str(leads[key]), "detail": detail} for key, detail in lines
    ]


def test_the_sections_have_a_fixed_order(sections):
    by_name, _ = sections

    assert list(by_name) == ["today", "overdue", "hot", "quotes", "bids", "unplanned", "passed"]


def test_digests_use_each_persons_own_day_and_count_what_long_lists_leave_out(make_user, plan):
    east, west = make_user("east", time_zone="Pacific/Auckland"), make_user("west", time_zone="America/Los_Angeles")
    for person in (east, west):
        for day in ("2026-11-30", "2026-12-01"):
            plan(person, day)
    for _ in range(MAX_LISTED):
        plan(east, "2026-12-01")
    digests = build_digests({east: date(2026, 12, 1), west: date(2026, 11, 30)})
    counts = {
        person.pk: {
            section["name"]: (section["count"], len(section["lines"]), section["more"])
            for section in digests[person.pk]
            if section["name"] in ("today", "overdue")
        }
        for person in (east, west)
    }

    assert counts == {
        east.pk: {"today": (MAX_LISTED + 1, MAX_LISTED, 1), "overdue": (1, 1, 0)},
        west.pk: {"today": (1, 1, 0)},
    }


def test_the_number_of_queries_does_not_depend_on_the_number_of_digests(make_user, plan):
    def count_queries(digest_count):
        for number in range(digest_count):
            plan(make_user(f"p{digest_count}.{number}", time_zone=("UTC", "Asia/Tokyo")[number % 2]), "2020-01-01")
        User.objects.update(digested_on=None)
        with CaptureQueriesContext(connection) as captured:
            assert send_at("2026-11-30T23:59Z") == [User.objects.count()]
        Notification.objects.all().delete()
        return len(captured)

    count_queries(2)
    assert count_queries(20) == count_queries(40) <= 21
