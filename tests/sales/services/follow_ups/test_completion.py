"""Completing a follow-up: its input and limits, what is planned next, and the number of statements."""

import dataclasses
from datetime import date, time, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from rest_framework.exceptions import ValidationError

from sales import errors
from sales.api.follow_ups.follow_ups import CompletionBody
from sales.forms import CompletionForm
from sales.models import FollowUp, Lead
from sales.services.follow_ups import completion, follow_ups
from sales.services.follow_ups.completion import CompletionInput

TODAY = date(2026, 11, 24)  # a Tuesday
INPUT_NAMES = {field.name for field in dataclasses.fields(CompletionInput)}


@pytest.fixture(autouse=True)
def on_a_tuesday():
    with time_machine.travel("2026-11-24T12:00Z"):
        yield


@pytest.fixture
def plan(rep, make_lead):
    """Plan a call for today, 10:00."""

    def run(notes="Ask for the route", follow_up_type="call"):
        return follow_ups.create(
            by=rep,
            lead_id=make_lead(assigned_to=rep).pk,
            follow_up_type=follow_up_type,
            scheduled_date=TODAY,
            scheduled_time=time(10),
            notes=notes,
        )

    return run


@pytest.fixture
def complete(rep, plan):
    """Complete a call of today, 10:00, and plan the next follow-up. Returns the next one."""

    def run(notes="Ask for the route", **values):
        completion_input = CompletionInput(**{"outcome": "successful", "schedule_next": True, **values})
        result = follow_ups.complete(by=rep, follow_up_id=plan(notes).pk, completion_input=completion_input)
        return result.next_follow_up

    return run


# What is planned next


@pytest.mark.parametrize(
    ("values", "expected_date", "expected_time"),
    [
        pytest.param({}, date(2026, 11, 27), time(10), id="three days, the same time"),
        pytest.param({"next_follow_up_days": 4}, date(2026, 11, 30), time(10), id="Saturday moves to Monday"),
        pytest.param(
            {"next_follow_up_days": 4, "next_follow_up_time": time(16, 30)},
            date(2026, 11, 30),
            time(16, 30),
            id="days and a time",
        ),
        pytest.param(
            {"next_follow_up_date": date(2026, 11, 28)}, date(2026, 11, 28), time(10), id="a given Saturday stays"
        ),
        pytest.param(
            {"next_follow_up_date": TODAY, "next_follow_up_time": time(17)}, TODAY, time(17), id="later today"
        ),
        pytest.param(
            {"next_follow_up_date": date(2027, 2, 1), "next_follow_up_time": None},
            date(2027, 2, 1),
            None,
            id="no time",
        ),
        pytest.param(
            {"next_follow_up_date": date(2026, 11, 28), "next_follow_up_days": 4},
            date(2026, 11, 28),
            time(10),
            id="the date is the number of days",
        ),
        pytest.param(
            {"next_follow_up_date": date(2026, 11, 30), "next_follow_up_days": 4},
            date(2026, 11, 30),
            time(10),
            id="the date is the working day after the number of days",
        ),
    ],
)
def test_the_next_follow_up_has_the_date_and_time_asked_for(complete, values, expected_date, expected_time):
    next_follow_up = complete(**values)

    assert next_follow_up.scheduled_date == expected_date
    assert next_follow_up.scheduled_time == expected_time
    assert next_follow_up.notes == "Ask for the route"


@pytest.mark.parametrize(
    ("values", "wrong_field"),
    [
        ({"next_follow_up_date": TODAY - timedelta(days=1)}, "next_follow_up_date"),
        ({"next_follow_up_date": date(2026, 12, 1), "next_follow_up_days": 3}, "next_follow_up_date"),
        ({"schedule_next": False, "next_follow_up_date": date(2026, 12, 1)}, "next_follow_up_date"),
        ({"schedule_next": False, "next_follow_up_time": time(9)}, "next_follow_up_time"),
        ({"schedule_next": False, "next_follow_up_notes": "Call"}, "next_follow_up_notes"),
        ({"close": "lost", "lost_reason": "price", "next_follow_up_date": date(2026, 12, 1)}, "close"),
        ({"no_next_reason": "They will call"}, "no_next_reason"),
    ],
)
def test_input_that_contradicts_itself_is_refused(complete, values, wrong_field):
    with pytest.raises(errors.Invalid) as refused:
        complete(**values)

    assert list(refused.value.fields) == [wrong_field]
    assert FollowUp.objects.open().count() == 1


def test_today_is_the_date_where_the_assignee_is(rep, complete):
    rep.time_zone = "Pacific/Auckland"  # it is Wednesday there
    rep.save()

    with pytest.raises(errors.Invalid):
        complete(next_follow_up_date=TODAY)


def test_a_number_of_days_counts_from_the_assignees_today(rep, complete):
    rep.time_zone = "Pacific/Auckland"  # it is Wednesday there
    rep.save()

    next_follow_up = complete(next_follow_up_days=1)

    assert next_follow_up.scheduled_date == date(2026, 11, 27)  # Thursday is a holiday


@pytest.mark.parametrize(
    ("new_notes", "old_notes", "expected"),
    [
        ("Send the offer", "Ask for the route", "Send the offer"),
        ("", "Ask for the route", "Ask for the route"),
        ("", "", "After the follow-up of Tue 24 Nov 2026: no answer"),
    ],
)
def test_instructions_are_the_new_ones_or_the_old_ones(complete, new_notes, old_notes, expected):
    next_follow_up = complete(notes=old_notes, next_follow_up_notes=new_notes, outcome="no_answer")

    assert next_follow_up.notes == expected


def test_rescheduled_without_a_next_follow_up_is_allowed(complete):
    assert complete(outcome="rescheduled", schedule_next=False) is None


def test_nothing_is_planned_for_a_lead_that_plain_sql_has_closed(rep, plan):
    follow_up = plan()
    Lead.objects.update(status="lost", lost_reason="price")

    with pytest.raises(errors.LeadClosed):
        follow_ups.complete(
            by=rep,
            follow_up_id=follow_up.pk,
            completion_input=CompletionInput(outcome="successful", schedule_next=True),
        )

    follow_up.refresh_from_db()
    assert follow_up.is_open
    assert FollowUp.objects.count() == 1


def test_a_follow_up_of_a_lead_that_plain_sql_has_closed_can_be_completed(rep, plan):
    follow_up = plan()
    Lead.objects.update(status="lost", lost_reason="price")

    follow_ups.complete(by=rep, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome="successful"))

    follow_up.refresh_from_db()
    assert follow_up.completed


# One definition of the input


def fill_form(follow_up, **values):
    data = QueryDict(mutable=True)
    data.update(
        {"outcome": "successful", "no_next_reason": "x", **{name: str(value) for name, value in values.items()}}
    )
    return CompletionForm(follow_up, data)


def test_the_api_and_the_form_have_the_fields_of_the_input(plan):
    assert set(CompletionBody().fields) == INPUT_NAMES
    assert set(CompletionForm(plan(follow_up_type="quote")).fields) == INPUT_NAMES


def test_the_full_page_shows_every_field_of_the_input(browse, rep, plan):
    page = browse(rep).get(f"/admin/sales/followup/{plan(follow_up_type='quote').pk}/complete/").content.decode()

    missing = [name for name in INPUT_NAMES if f'name="{name}"' not in page]
    assert missing == []


LIMITS = [
    ("notes", "x" * completion.MAX_NOTES_LENGTH, "x" * (completion.MAX_NOTES_LENGTH + 1)),
    ("next_follow_up_notes", "x" * completion.MAX_NOTES_LENGTH, "x" * (completion.MAX_NOTES_LENGTH + 1)),
    ("no_next_reason", "x" * completion.MAX_REASON_LENGTH, "x" * (completion.MAX_REASON_LENGTH + 1)),
    ("next_follow_up_days", completion.MIN_NEXT_DAYS, completion.MIN_NEXT_DAYS - 1),
    ("next_follow_up_days", completion.MAX_NEXT_DAYS, completion.MAX_NEXT_DAYS + 1),
    ("booked_value", Decimal("9999999999.99"), Decimal("10000000000.00")),
    ("booked_value", Decimal("0"), Decimal("-0.01")),
    ("amount", Decimal("9999999999.99"), Decimal("10000000000.00")),
    ("valid_until", date(2100, 12, 31), date(2101, 1, 1)),
]


@pytest.mark.parametrize(("name", "allowed", "too_much"), LIMITS)
def test_the_api_and_the_form_have_the_same_limits(plan, name, allowed, too_much):
    follow_up = plan(follow_up_type="quote")
    body = CompletionBody()

    body.fields[name].run_validation(allowed if isinstance(allowed, int | str) else as_json(allowed))
    with pytest.raises(ValidationError):
        body.fields[name].run_validation(too_much if isinstance(too_much, int | str) else as_json(too_much))
    assert name not in fill_form(follow_up, **{name: allowed}).errors
    assert name in fill_form(follow_up, **{name: too_much}).errors


def as_json(value):
    return value.isoformat() if isinstance(value, date) else float(value)


def test_the_limits_are_those_of_the_columns():
    assert FollowUp._meta.get_field("outcome_notes").max_length == completion.MAX_NOTES_LENGTH
    assert FollowUp._meta.get_field("notes").max_length == completion.MAX_NOTES_LENGTH
    assert FollowUp._meta.get_field("no_next_reason").max_length == completion.MAX_REASON_LENGTH


# The number of statements


@pytest.mark.parametrize(
    ("values", "statements"),
    [
        pytest.param({"no_next_reason": "They will call"}, 13, id="nothing follows"),  # before: 14
        pytest.param({"schedule_next": True}, 14, id="another follow-up"),  # before: 15
        pytest.param({"close": "lost", "lost_reason": "price"}, 22, id="lost"),  # before: 27
        pytest.param({"close": "won", "booked_value": Decimal(5)}, 21, id="won"),  # before: 26
    ],
)
def test_completing_takes_a_fixed_number_of_statements(rep, plan, values, statements):
    """A lead that is closed at the same time is locked and scored once."""
    follow_up = plan()
    completion_input = CompletionInput(outcome="successful", **values)

    with CaptureQueriesContext(connection) as captured:
        follow_ups.complete(by=rep, follow_up_id=follow_up.pk, completion_input=completion_input)

    queries = [query["sql"] for query in captured.captured_queries]
    counted = [sql for sql in queries if "SAVEPOINT" not in sql and "advisory" not in sql]
    one_fewer = connection.vendor == "postgresql"  # the score and its history are one statement there
    assert len(counted) == statements - one_fewer, "\n".join(sql[:100] for sql in counted)


@pytest.mark.parametrize("values", [{"close": "lost", "lost_reason": "price"}, {"close": "won", "booked_value": 5}])
def test_closing_the_lead_keeps_what_completing_has_written(rep, plan, values):
    follow_up = plan()
    version = Lead.objects.get().version

    follow_ups.complete(
        by=rep, follow_up_id=follow_up.pk, completion_input=CompletionInput(outcome="successful", **values)
    )

    lead = Lead.objects.get()
    follow_up.refresh_from_db()
    assert lead.status == values["close"]
    assert lead.follow_up_count == 1
    assert lead.last_follow_up_date == follow_up.completed_at
    assert lead.last_activity_at == follow_up.completed_at
    assert lead.first_contacted_at == follow_up.completed_at
    assert lead.next_follow_up_date is None
    assert lead.version > version + 1
