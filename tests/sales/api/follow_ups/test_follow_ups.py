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
        "lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": "2026-02-05", "scheduled_time": "10:00:00",
        "notes": "Call to discuss charter quote", **values,
    }  # fmt: skip


def test_create_as_the_specification_does(api, rep, lead):
    answer = api(rep).post(URL, body(lead))
    assert answer.status_code == 201, answer.content
    got = answer.json()
    assert {name: got[name] for name in (
        "lead_id", "follow_up_type", "scheduled_date", "scheduled_time", "completed", "outcome", "assigned_to", "notes",
    )} == {
        "lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": "2026-02-05", "scheduled_time": "10:00:00",
        "completed": False, "outcome": None, "assigned_to": rep.pk, "notes": "Call to discuss charter quote",
    }  # fmt: skip
    assert got.pop("warnings") == []
    assert api(rep).get(f"{URL}/{got['id']}").json() == got


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
def test_what_is_wrong_is_named(api, rep, lead, change, field):
    answer = api(rep).post(URL, body(lead, **change))
    assert (answer.status_code, list(answer.json()), FollowUp.objects.count()) == (400, [field], 0)


def test_a_missing_or_invisible_lead_is_404_a_closed_one_409(api, rep, stranger, lead, make_lead):
    assert api(rep).post(URL, body(lead, lead_id=9999)).status_code == 404
    assert api(stranger).post(URL, body(lead)).status_code == 404
    closed = make_lead(assigned_to=rep, status="won")
    answer = api(rep).post(URL, body(closed))
    assert (answer.status_code, answer.json()["code"]) == (409, "lead_closed")


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
    assert (row["lead_name"], row["is_overdue"], row["scheduled_time"]) == ("Lincoln High School Band", True, None)
    assert api(rep).get(f"{URL}/my-tasks?user_id={colleague.pk}").status_code == 403
    assert api(manager).get(f"{URL}/my-tasks?user_id={stranger.pk}").status_code == 403
    assert api(manager).get(f"{URL}/my-tasks?user_id=9999").status_code == 404
    assert api(rep).get(f"{URL}/my-tasks?date=tomorrow").status_code == 400


def test_my_tasks_are_in_order_of_date_and_time(api, rep, plan):
    untimed, late, early = plan(1), plan(1, scheduled_time="15:00"), plan(1, scheduled_time="08:00")
    rows = api(rep).get(f"{URL}/my-tasks").json()
    assert [row["id"] for row in rows] == [early.pk, untimed.pk, late.pk]  # without a time: as at 09:00


def test_by_lead(api, rep, stranger, lead, plan):
    first, second = plan(1), plan(5)
    done = plan(-1, completed=True, completed_at="2026-01-01T00:00Z", outcome="successful")
    url = f"{URL}/lead/{lead.pk}"
    assert [row["id"] for row in api(rep).get(url).json()] == [second.pk, first.pk, done.pk]
    assert [r["id"] for r in api(rep).get(f"{url}?include_completed=false").json()] == [second.pk, first.pk]
    assert api(stranger).get(url).status_code == 404


def test_list_filters(api, rep, manager, colleague, lead, plan):
    late, soon, theirs = plan(-3), plan(3), plan(1, colleague, follow_up_type="email")
    done = plan(0, completed=True, completed_at="2026-01-01T00:00Z", outcome="successful")
    gone = plan(0, cancelled_at="2026-01-01T00:00Z")
    cases = {
        "state=open": {late, soon, theirs},
        "state=completed&state=cancelled": {done, gone},
        f"assigned_to={colleague.pk}": {theirs},
        "follow_up_type=email": {theirs},
        "overdue=true": {late},
        "overdue=false": {soon, theirs, done, gone},
        f"lead={lead.pk}": {late, soon, theirs, done, gone},
        f"due_after={soon.scheduled_date}": {soon},
        f"due_before={late.scheduled_date}": {late},
    }
    got = {q: {row["id"] for row in api(manager).get(f"{URL}?{q}").json()["results"]} for q in cases}
    assert got == {q: {f.pk for f in found} for q, found in cases.items()}


def test_change_cancel_and_conflict(api, rep, colleague, lead):
    made = api(rep).post(URL, body(lead)).json()
    url = f"{URL}/{made['id']}"
    moved = api(rep).patch(url, {"scheduled_date": "2027-03-01", "scheduled_time": None})
    assert (moved.status_code, moved.json()["scheduled_date"], moved.json()["scheduled_time"]) == (
        200,
        "2027-03-01",
        None,
    )
    assert api(colleague).patch(url, {"notes": "x"}).json()["code"] == "not_your_follow_up"
    assert api(rep).delete(url).status_code == 204
    for answer in (
        api(rep).delete(url),
        api(rep).patch(url, {"notes": "x"}),
        api(rep).post(f"{url}/complete", {"outcome": "successful"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "follow_up_closed")


def test_complete_as_the_specification_does(api, rep, lead):
    made = api(rep).post(URL, body(lead)).json()
    answer = api(rep).post(
        f"{URL}/{made['id']}/complete",
        {"outcome": "successful", "notes": "Client interested", "schedule_next": True, "next_follow_up_days": 3},
    )
    following = FollowUp.objects.open().get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "follow_up_id": made["id"], "completed": True, "outcome": "successful", "next_follow_up_id": following.pk,
            "warnings": [],
        },
    )  # fmt: skip
    assert following.scheduled_date == move_to_working_day(local_today(rep) + timedelta(days=3))


def test_a_day_after_the_pickup_is_warned_of_and_taken(api, rep, lead):
    Lead.objects.update(pickup_at="2027-03-02T03:30Z")  # still the first of March in New York
    warnings = [{"code": "after_pickup", "message": "The follow-up is after the pickup, which is on Mon 1 Mar 2027."}]
    before, after = (api(rep).post(URL, body(lead, scheduled_date=day)) for day in ("2027-03-01", "2027-03-02"))
    assert [(answer.status_code, answer.json()["warnings"]) for answer in (before, after)] == [
        (201, []), (201, warnings),
    ]  # fmt: skip
    url = f"{URL}/{before.json()['id']}"
    assert api(rep).patch(url, {"notes": "x"}).json()["warnings"] == []
    moved = api(rep).patch(url, {"scheduled_date": "2027-03-05"})
    assert (moved.status_code, moved.json()["warnings"]) == (200, warnings)
    Lead.objects.update(pickup_at="2020-03-02T03:30Z")
    done = api(rep).post(f"{url}/complete", {"outcome": "no_answer", "schedule_next": True})
    assert (done.status_code, [each["code"] for each in done.json()["warnings"]]) == (200, ["after_pickup"])


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"minutes": 0}, {"minutes": 43_201}, {"minutes": "5"}, {"minutes": 5, "until": "2099-01-01T00:00Z"},
        {"until": "2099-01-01T00:00Z"}, {"until": "2020-01-01T00:00Z"}, {"until": "2026-12-01"},
    ],
)  # fmt: skip
def test_what_is_no_snooze(api, rep, lead, wrong):
    made = api(rep).post(URL, body(lead)).json()
    assert api(rep).post(f"{URL}/{made['id']}/snooze", wrong).status_code == 400
    assert FollowUp.objects.get().snoozed_until is None


@time_machine.travel("2026-11-23T10:00Z", tick=False)
def test_snooze(api, rep, lead):
    made = api(rep).post(URL, body(lead, scheduled_date="2026-11-20")).json()
    for asked, until in (({"minutes": 90}, "2026-11-23T11:30:00+00:00"),
                         ({"until": "2026-11-24T08:00:00+02:00"}, "2026-11-24T06:00:00+00:00")):  # fmt: skip
        answer = api(rep).post(f"{URL}/{made['id']}/snooze", asked)
        assert answer.status_code == 200
        snoozed = answer.json()
        assert (snoozed["remind_at"], snoozed["snoozed_until"], snoozed["reminder_sent"]) == (until, until, False)
        assert (snoozed["scheduled_date"], snoozed["is_overdue"]) == ("2026-11-20", True)
    api(rep).delete(f"{URL}/{made['id']}")
    assert api(rep).post(f"{URL}/{made['id']}/snooze", {"minutes": 5}).json()["code"] == "follow_up_closed"


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
def test_what_is_wrong_in_a_completion(api, rep, lead, values, field):
    made = api(rep).post(URL, body(lead)).json()
    answer = api(rep).post(f"{URL}/{made['id']}/complete", values)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert FollowUp.objects.get().is_open


def test_the_next_one_can_be_given_a_date_a_time_and_an_instruction(api, rep, make_lead):
    lead = make_lead(assigned_to=rep)
    plan = {"lead_id": lead.pk, "follow_up_type": "quote", "scheduled_date": "2026-02-05", "notes": "Send the quote"}
    url = f"{URL}/{api(rep).post(URL, plan, format='json').data['id']}/complete"
    body = {"outcome": "successful", "schedule_next": True, "next_follow_up_date": "2099-03-01"}
    for wrong, name in (
        ({"next_follow_up_date": "2020-03-01"}, "next_follow_up_date"),
        ({"next_follow_up_days": 3}, "next_follow_up_date"),
        ({"schedule_next": False}, "next_follow_up_date"),
        ({"next_follow_up_time": "25:00"}, "next_follow_up_time"),
        ({"valid_until": "2099-01-01"}, "amount"),
    ):
        refused = api(rep).post(url, body | wrong, format="json")
        assert (refused.status_code, list(refused.data)) == (400, [name])
    more = {
        "next_follow_up_time": "16:30",
        "next_follow_up_notes": "Ask again",
        "amount": 4200.5,
        "valid_until": "2099-01-01",
    }
    done = api(rep).post(url, body | more, format="json")
    assert done.status_code == 200, done.data
    following = api(rep).get(f"{URL}/{done.data['next_follow_up_id']}").data
    assert (str(following["scheduled_date"]), str(following["scheduled_time"]), following["notes"]) == (
        "2099-03-01", "16:30:00", "Ask again",
    )  # fmt: skip
    lead.refresh_from_db()
    assert (lead.status, float(lead.quote_amount), str(lead.quote_valid_until)) == ("quoted", 4200.5, "2099-01-01")
    nothing = {"outcome": "rescheduled", "next_follow_up_date": None, "next_follow_up_time": None, "amount": None}
    assert api(rep).post(f"{URL}/{following['id']}/complete", nothing, format="json").status_code == 200
