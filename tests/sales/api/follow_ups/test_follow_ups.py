"""`/sales/follow-ups` over HTTP."""

from datetime import timedelta

import pytest
import time_machine

from athena.accounts.models import local_today
from sales.models import FollowUp, Lead
from sales.schedule import move_to_working_day

URL = "/api/v1/sales/follow-ups"


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def plan(rep, lead):
    def make(days, assigned_to=None, **fields):
        fields = {"follow_up_type": "call", "assigned_to": assigned_to or rep, **fields}
        return FollowUp.objects.create(lead=lead, scheduled_date=local_today(rep) + timedelta(days=days), **fields)

    return make


def body(lead, **values):
    return {
        "lead_id": lead.pk,
        "follow_up_type": "call",
        "scheduled_date": "2026-02-05",
        "scheduled_time": "10:00:00",
        "notes": "Call to discuss charter quote",
        **values,
    }


def test_create_with_the_example_of_the_specification(api, rep, lead):
    answer = api(rep).post(URL, body(lead))
    assert answer.status_code == 201, answer.content

    created = answer.json()
    assert {
        name: created[name]
        for name in (
            "lead_id",
            "follow_up_type",
            "scheduled_date",
            "scheduled_time",
            "completed",
            "outcome",
            "assigned_to",
            "notes",
        )
    } == {
        "lead_id": lead.pk,
        "follow_up_type": "call",
        "scheduled_date": "2026-02-05",
        "scheduled_time": "10:00:00",
        "completed": False,
        "outcome": None,
        "assigned_to": rep.pk,
        "notes": "Call to discuss charter quote",
    }
    assert created.pop("warnings") == []
    assert api(rep).get(f"{URL}/{created['id']}").json() == created


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"follow_up_type": "visit"}, "follow_up_type"),
        ({"scheduled_date": "05.02.2026"}, "scheduled_date"),
        ({"scheduled_date": "1999-12-31"}, "scheduled_date"),
        ({"scheduled_time": "25:00"}, "scheduled_time"),
        ({"scheduled_time": "10:00:00Z"}, "scheduled_time"),
        ({"lead_id": "1"}, "lead_id"),
        ({"lead_id": True}, "lead_id"),
        ({"notes": "x" * 10_001}, "notes"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_an_invalid_field_is_named(api, rep, lead, change, field):
    answer = api(rep).post(URL, body(lead, **change))
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert FollowUp.objects.count() == 0


def test_a_missing_or_invisible_lead_is_404_and_a_closed_one_409(api, rep, stranger, lead, make_lead):
    assert api(rep).post(URL, body(lead, lead_id=9999)).status_code == 404
    assert api(stranger).post(URL, body(lead)).status_code == 404

    closed = make_lead(assigned_to=rep, status="won")
    answer = api(rep).post(URL, body(closed))
    assert answer.status_code == 409
    assert answer.json()["code"] == "lead_closed"


def test_my_tasks(api, rep, manager, colleague, stranger, plan):
    late, today, soon = plan(-2), plan(0), plan(3)
    plan(0, colleague)
    plan(0, completed=True, completed_at="2026-01-01T00:00Z", outcome="successful")
    plan(1, cancelled_at="2026-01-01T00:00Z")

    def get(query="", user=rep):
        answer = api(user).get(f"{URL}/my-tasks{query}")
        assert answer.status_code == 200, answer.content
        return [row["id"] for row in answer.json()]

    day = today.scheduled_date
    assert get() == [today.pk, soon.pk]
    assert get("?overdue=true") == [late.pk]
    assert get("?view=all") == [late.pk, today.pk, soon.pk]
    assert get(f"?date={day}&overdue=true&view=all") == [today.pk]
    assert get(f"?date={late.scheduled_date}") == [late.pk]
    assert get(f"?user_id={rep.pk}", manager) == [today.pk, soon.pk]
    row = api(rep).get(f"{URL}/my-tasks?overdue=true").json()[0]
    assert row["lead_name"] == "Lincoln High School Band"
    assert row["is_overdue"] is True
    assert row["scheduled_time"] is None
    assert api(rep).get(f"{URL}/my-tasks?user_id={colleague.pk}").status_code == 403
    assert api(manager).get(f"{URL}/my-tasks?user_id={stranger.pk}").status_code == 403
    assert api(manager).get(f"{URL}/my-tasks?user_id=9999").status_code == 404
    assert api(rep).get(f"{URL}/my-tasks?date=tomorrow").status_code == 400


def test_my_tasks_are_in_order_of_date_and_time(api, rep, plan):
    untimed, late, early = plan(1), plan(1, scheduled_time="15:00"), plan(1, scheduled_time="08:00")
    rows = api(rep).get(f"{URL}/my-tasks").json()
    assert [row["id"] for row in rows] == [early.pk, untimed.pk, late.pk]  # without a time: as at 09:00


def test_follow_ups_of_a_lead(api, rep, stranger, lead, plan):
    first, second = plan(1), plan(5)
    completed = plan(-1, completed=True, completed_at="2026-01-01T00:00Z", outcome="successful")
    url = f"{URL}/lead/{lead.pk}"

    assert [row["id"] for row in api(rep).get(url).json()] == [second.pk, first.pk, completed.pk]
    assert [row["id"] for row in api(rep).get(f"{url}?include_completed=false").json()] == [second.pk, first.pk]
    assert api(stranger).get(url).status_code == 404


@pytest.fixture
def listed(rep, colleague, plan):
    """A follow-up in each state, by name; one of them is an email of a colleague."""
    closed_at = "2026-01-01T00:00Z"
    return {
        "overdue": plan(-3),
        "upcoming": plan(3),
        "colleagues": plan(1, colleague, follow_up_type="email"),
        "completed": plan(0, completed=True, completed_at=closed_at, outcome="successful"),
        "canceled": plan(0, cancelled_at=closed_at),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=open", {"overdue", "upcoming", "colleagues"}),
        ("state=completed&state=cancelled", {"completed", "canceled"}),
        ("assigned_to={colleague}", {"colleagues"}),
        ("follow_up_type=email", {"colleagues"}),
        ("overdue=true", {"overdue"}),
        ("overdue=false", {"upcoming", "colleagues", "completed", "canceled"}),
        ("lead={lead}", {"overdue", "upcoming", "colleagues", "completed", "canceled"}),
        ("due_after={upcoming}", {"upcoming"}),
        ("due_before={overdue}", {"overdue"}),
    ],
)
def test_list_filters(api, manager, colleague, lead, listed, query, names):
    upcoming, overdue = listed["upcoming"].scheduled_date, listed["overdue"].scheduled_date
    query = query.format(colleague=colleague.pk, lead=lead.pk, upcoming=upcoming, overdue=overdue)

    results = api(manager).get(f"{URL}?{query}").json()["results"]

    assert {row["id"] for row in results} == {listed[name].pk for name in names}


def test_change_and_cancel_and_a_closed_follow_up_is_a_conflict(api, rep, colleague, lead):
    created = api(rep).post(URL, body(lead)).json()
    url = f"{URL}/{created['id']}"
    moved = api(rep).patch(url, {"scheduled_date": "2027-03-01", "scheduled_time": None})

    assert moved.status_code == 200
    assert moved.json()["scheduled_date"] == "2027-03-01"
    assert moved.json()["scheduled_time"] is None
    assert api(colleague).patch(url, {"notes": "x"}).json()["code"] == "not_your_follow_up"
    assert api(rep).delete(url).status_code == 204

    for answer in (
        api(rep).delete(url),
        api(rep).patch(url, {"notes": "x"}),
        api(rep).post(f"{url}/complete", {"outcome": "successful"}),
    ):
        assert answer.status_code == 409
        assert answer.json()["code"] == "follow_up_closed"


def test_complete_with_the_example_of_the_specification(api, rep, lead):
    created = api(rep).post(URL, body(lead)).json()
    answer = api(rep).post(
        f"{URL}/{created['id']}/complete",
        {"outcome": "successful", "notes": "Client interested", "schedule_next": True, "next_follow_up_days": 3},
    )
    following = FollowUp.objects.open().get()

    assert answer.status_code == 200
    assert answer.json() == {
        "follow_up_id": created["id"],
        "completed": True,
        "outcome": "successful",
        "next_follow_up_id": following.pk,
        "warnings": [],
    }
    assert following.scheduled_date == move_to_working_day(local_today(rep) + timedelta(days=3))


def test_a_date_after_the_pickup_is_accepted_with_a_warning(api, rep, lead):
    Lead.objects.update(pickup_at="2027-03-02T03:30Z")  # still the first of March in New York
    warnings = [{"code": "after_pickup", "message": "The follow-up is after the pickup, which is on Mon 1 Mar 2027."}]
    before, after = (api(rep).post(URL, body(lead, scheduled_date=day)) for day in ("2027-03-01", "2027-03-02"))

    assert [(answer.status_code, answer.json()["warnings"]) for answer in (before, after)] == [
        (201, []),
        (201, warnings),
    ]

    url = f"{URL}/{before.json()['id']}"
    assert api(rep).patch(url, {"notes": "x"}).json()["warnings"] == []

    moved = api(rep).patch(url, {"scheduled_date": "2027-03-05"})
    assert moved.status_code == 200
    assert moved.json()["warnings"] == warnings

    Lead.objects.update(pickup_at="2020-03-02T03:30Z")
    completed = api(rep).post(f"{url}/complete", {"outcome": "no_answer", "schedule_next": True})
    assert completed.status_code == 200
    assert [warning["code"] for warning in completed.json()["warnings"]] == ["after_pickup"]


@pytest.mark.parametrize(
    "snooze",
    [
        {},
        {"minutes": 0},
        {"minutes": 43_201},
        {"minutes": "5"},
        {"minutes": 5, "until": "2099-01-01T00:00Z"},
        {"until": "2099-01-01T00:00Z"},
        {"until": "2020-01-01T00:00Z"},
        {"until": "2026-12-01"},
    ],
)
def test_an_invalid_snooze_is_refused(api, rep, lead, snooze):
    created = api(rep).post(URL, body(lead)).json()
    assert api(rep).post(f"{URL}/{created['id']}/snooze", snooze).status_code == 400
    assert FollowUp.objects.get().snoozed_until is None


@time_machine.travel("2026-11-23T10:00Z", tick=False)
def test_a_follow_up_can_be_snoozed_again_until_it_is_closed(api, rep, lead):
    created = api(rep).post(URL, body(lead, scheduled_date="2026-11-20")).json()
    for snooze, until in (
        ({"minutes": 90}, "2026-11-23T11:30:00+00:00"),
        ({"until": "2026-11-24T08:00:00+02:00"}, "2026-11-24T06:00:00+00:00"),
    ):
        answer = api(rep).post(f"{URL}/{created['id']}/snooze", snooze)

        assert answer.status_code == 200
        snoozed = answer.json()
        assert snoozed["remind_at"] == until
        assert snoozed["snoozed_until"] == until
        assert snoozed["reminder_sent"] is False
        assert snoozed["scheduled_date"] == "2026-11-20"
        assert snoozed["is_overdue"] is True

    api(rep).delete(f"{URL}/{created['id']}")
    assert api(rep).post(f"{URL}/{created['id']}/snooze", {"minutes": 5}).json()["code"] == "follow_up_closed"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "outcome"),
        ({"outcome": "great"}, "outcome"),
        ({"outcome": "successful", "next_follow_up_days": 0}, "next_follow_up_days"),
        ({"outcome": "successful", "next_follow_up_days": 366}, "next_follow_up_days"),
        ({"outcome": "successful", "schedule_next": "true"}, "schedule_next"),
        ({"outcome": "successful", "close": "quoted"}, "close"),
        ({"outcome": "lost", "close": "lost"}, "lost_reason"),
    ],
)
def test_an_invalid_field_of_a_completion_is_named(api, rep, lead, values, field):
    created = api(rep).post(URL, body(lead)).json()
    answer = api(rep).post(f"{URL}/{created['id']}/complete", values)
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert FollowUp.objects.get().is_open


@pytest.fixture
def quote(rep, plan):
    """A follow-up of the type "quote"."""
    return plan(0, follow_up_type="quote", notes="Send the quote")


COMPLETION = {"outcome": "successful", "schedule_next": True, "next_follow_up_date": "2099-03-01"}


@pytest.mark.parametrize(
    ("invalid_values", "field"),
    [
        ({"next_follow_up_date": "2020-03-01"}, "next_follow_up_date"),
        ({"next_follow_up_days": 3}, "next_follow_up_date"),
        ({"schedule_next": False}, "next_follow_up_date"),
        ({"next_follow_up_time": "25:00"}, "next_follow_up_time"),
        ({"valid_until": "2099-01-01"}, "amount"),
    ],
)
def test_an_invalid_next_follow_up_is_refused(api, rep, quote, invalid_values, field):
    refused = api(rep).post(f"{URL}/{quote.pk}/complete", COMPLETION | invalid_values)

    assert refused.status_code == 400
    assert list(refused.json()) == [field]
    assert FollowUp.objects.get().is_open


def test_the_next_follow_up_can_have_a_date_a_time_and_notes(api, rep, quote):
    next_step = {"next_follow_up_time": "16:30", "next_follow_up_notes": "Ask again"}

    completed = api(rep).post(f"{URL}/{quote.pk}/complete", COMPLETION | next_step)

    assert completed.status_code == 200, completed.content
    following = api(rep).get(f"{URL}/{completed.json()['next_follow_up_id']}").json()
    assert following["scheduled_date"] == "2099-03-01"
    assert following["scheduled_time"] == "16:30:00"
    assert following["notes"] == "Ask again"


def test_a_completed_quote_sets_the_amount_of_the_lead(api, rep, lead, quote):
    amounts = {"amount": 4200.5, "valid_until": "2099-01-01"}

    completed = api(rep).post(f"{URL}/{quote.pk}/complete", COMPLETION | amounts)

    assert completed.status_code == 200, completed.content
    lead.refresh_from_db()
    assert lead.status == "quoted"
    assert float(lead.quote_amount) == 4200.5
    assert str(lead.quote_valid_until) == "2099-01-01"


def test_a_completion_may_name_empty_fields_of_a_next_follow_up(api, rep, quote):
    empty = {"next_follow_up_date": None, "next_follow_up_time": None, "amount": None}

    completed = api(rep).post(f"{URL}/{quote.pk}/complete", {"outcome": "rescheduled"} | empty)

    assert completed.status_code == 200, completed.content
