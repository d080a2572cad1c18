"""The calendar's own promises: what is kept of too many, what raises SEQUENCE, and text that any parser reads."""

import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from athena.accounts import services as accounts
from athena.accounts.models import User
from sales.models import FollowUp, Lead
from sales.queries.follow_ups import calendar_feed
from sales.services.follow_ups import follow_ups, reminders
from sales.services.ownership import transfers

NOW = "2026-11-30T12:00Z"
TODAY = date(2026, 11, 30)
WHEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOSTILE = (
    '\x00\x07\x08\x0b\x0c\x1b\x1c\x1f\x7f\x80\x85\x9f\ud800\udfff\u2028\u2029\ufeff\r\n\r\t,;:\\"^ß🚌BEGIN:VEVENT '
)


def events(user):
    return Calendar.from_ical(calendar_feed.build_feed(user)).walk("VEVENT")


def rows(rep, lead, days, **values):
    FollowUp.objects.bulk_create(
        FollowUp(lead=lead, assigned_to=rep, follow_up_type="call", scheduled_date=day, **values) for day in days
    )


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize("crowd", [timedelta(days=-60), timedelta(days=60)])
def test_of_too_many_those_nearest_to_today_stay_and_open_ones_before_cancelled(rep, make_lead, crowd, monkeypatch):
    monkeypatch.setattr(calendar_feed, "MAX_EVENTS", 20)
    lead, near = make_lead(assigned_to=rep), [TODAY + timedelta(days=days) for days in (-1, 0, 1, 9)]
    rows(rep, lead, [TODAY + crowd] * 30)
    rows(rep, lead, near)
    rows(rep, lead, [TODAY] * 30, cancelled_at=WHEN)
    found = events(rep)
    assert len(found) == 20
    assert {event.decoded("dtstart") for event in found} == {*near, TODAY + crowd}
    FollowUp.objects.filter(cancelled_at=None, scheduled_date=TODAY + crowd).delete()
    assert [str(event["status"]) for event in events(rep)].count("CANCELLED") == 16


@pytest.fixture
def plan(rep, make_lead):
    with time_machine.travel(NOW, tick=False):
        User.objects.filter(pk=rep.pk).update(time_zone="UTC", settled_zone="UTC")
        lead = make_lead(assigned_to=rep, created_at=WHEN, updated_at=WHEN)
        values = {"scheduled_date": date(2026, 12, 1), "scheduled_time": time(10)}
        return follow_ups.create(by=rep, lead_id=lead.pk, follow_up_type="call", **values)


MOVES = {
    "day": lambda rep, boss, plan: follow_ups.update(
        by=rep, follow_up_id=plan.pk, changes={"scheduled_date": date(2026, 12, 2)}
    ),
    "time": lambda rep, boss, plan: follow_ups.update(
        by=rep, follow_up_id=plan.pk, changes={"scheduled_time": time(11)}
    ),
    "no time": lambda rep, boss, plan: follow_ups.update(
        by=rep, follow_up_id=plan.pk, changes={"scheduled_time": None}
    ),
    "zone": lambda rep, boss, plan: accounts.update_profile(by=rep, changes={"time_zone": "Asia/Tokyo"}),
    "zone by SQL": lambda rep, boss, plan: User.objects.filter(pk=rep.pk).update(time_zone="Asia/Tokyo"),
    "assignee": lambda rep, boss, plan: follow_ups.update(
        by=boss, follow_up_id=plan.pk, changes={"assigned_to": boss.pk}
    ),
    "owner": lambda rep, boss, plan: transfers.transfer(
        by=boss, leads=Lead.objects.filter(pk=plan.lead_id), to_user_id=boss.pk
    ),
    "cancelled": lambda rep, boss, plan: follow_ups.cancel(by=rep, follow_up_id=plan.pk),
}


@pytest.mark.parametrize("move", MOVES)
def test_whatever_moves_an_event_raises_its_sequence(rep, manager, plan, move):
    User.objects.filter(pk=manager.pk).update(time_zone="Europe/Berlin", settled_zone="Europe/Berlin")
    seen = []
    with time_machine.travel(NOW, tick=False) as clock:
        for step in range(4):
            clock.shift(60)
            if step == 1:
                MOVES[move](rep, manager, plan)
            if step == 2:
                reminders.fill_derived_columns()
            whose = FollowUp.objects.select_related("assigned_to").get(pk=plan.pk).assigned_to
            (event,) = events(whose)
            what = event.to_ical().partition(b"SEQUENCE")[0], event["dtstart"].to_ical(), str(event["status"])
            seen.append((what, event["sequence"], event.decoded("last-modified"), event.decoded("dtstamp")))
    assert seen[0][0] != seen[-1][0], "it did move"
    for before, after in pairwise(seen):
        if before[0] != after[0]:
            assert before[1:] < after[1:]
            assert all(old < new for old, new in zip(before[1:], after[1:], strict=True))
        else:
            assert before[1:] <= after[1:]


def test_what_is_over_says_so_in_its_title_and_takes_no_time():
    open_, cancelled, done = (
        unsaved(), unsaved(cancelled_at=WHEN), unsaved(completed=True, completed_at=WHEN, outcome="successful"),
    )  # fmt: skip
    found = Calendar.from_ical(calendar_feed.render_calendar([open_, cancelled, done], User(time_zone="UTC"))).walk(
        "VEVENT"
    )
    assert [(str(event["summary"]), event.get("transp"), str(event["status"])) for event in found] == [
        ("Call: Band", None, "CONFIRMED"),
        ("Canceled: Call: Band", "TRANSPARENT", "CANCELLED"),
        ("Done: Call: Band", "TRANSPARENT", "CONFIRMED"),
    ]


def unsaved(notes="", name="Band", contact="", phone="", email="", **values):
    lead = Lead(pk=7, company_name=name, contact_name=contact, phone=phone, email=email, updated_at=WHEN)
    defaults = {"scheduled_date": TODAY, "scheduled_time": time(9), "updated_at": WHEN, "follow_up_type": "call"}
    return FollowUp(pk=3, lead=lead, notes=notes, **{**defaults, **values})


TEXT = st.text(st.one_of(st.sampled_from(HOSTILE), st.characters()), max_size=300)


@given(notes=TEXT, name=TEXT, phone=TEXT, email=TEXT)
def test_any_text_makes_a_calendar_that_a_strict_parser_reads(notes, name, phone, email):
    values = {"notes": notes, "name": name, "phone": phone, "email": email}
    raw = calendar_feed.render_calendar([unsaved(**values), unsaved()], User(time_zone="UTC"))
    lines = strictly_read(raw)
    assert [line for line in lines if line == "BEGIN:VEVENT"] == ["BEGIN:VEVENT"] * 2
    event = Calendar.from_ical(raw).walk("VEVENT")[0]
    expected = calendar_feed.clean_text("\n".join(filter(None, [notes, phone, email])))
    (description,) = [line.partition(":")[2] for line in lines if line.startswith("DESCRIPTION:")][:1] or [""]
    assert unescaped(description) == expected == str(event.get("description", ""))


def strictly_read(raw):
    """The content lines, by the letter of RFC 5545: CRLF, 75 octets, UTF-8, no control character but a tab."""
    assert raw.endswith(b"\r\n")
    physical = raw.removesuffix(b"\r\n").split(b"\r\n")
    assert max(map(len, physical)) <= 75
    assert not any(re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line) for line in physical)
    text = raw.replace(b"\r\n ", b"").decode()
    lines = text.removesuffix("\r\n").split("\r\n")
    assert all(re.match(r"[A-Z-]+[;:]", line) for line in lines)
    assert len(text.splitlines()) == len(lines), "nor what other programs take for the end of a line"
    return lines


def unescaped(value):
    return re.sub(r"\\([nN,;\\])", lambda found: "\n" if found[1] in "nN" else found[1], value)
