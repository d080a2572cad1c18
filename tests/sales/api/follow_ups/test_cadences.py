"""`/sales/cadences` and the enrollments of a lead, over HTTP."""

import pytest

from sales.models import Cadence, CadenceStep, FollowUp

LEADS = "/api/v1/sales/leads"


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def cadence(db):
    cadence = Cadence.objects.create(name="New inquiry")
    for day in (0, 2):
        CadenceStep.objects.create(cadence=cadence, day=day, follow_up_type="call")
    return cadence


def test_a_lead_is_enrolled_in_a_cadence_and_the_cadence_is_stopped(api, rep, lead, cadence):
    (listed,) = api(rep).get("/api/v1/sales/cadences").json()["results"]
    assert listed["id"] == cadence.pk
    assert listed["name"] == "New inquiry"
    assert listed["is_active"] is True
    assert listed["step_count"] == 2

    url = f"{LEADS}/{lead.pk}/cadences"
    assert api(rep).get(url).json() == []

    enrolled = api(rep).post(url, {"cadence_id": cadence.pk})
    follow_up = FollowUp.objects.get()
    assert enrolled.status_code == 201
    assert enrolled.json()["follow_up_id"] == follow_up.pk
    assert enrolled.json()["day"] == 0
    assert enrolled.json()["cadence_name"] == "New inquiry"
    assert enrolled.json()["stopped_at"] is None
    assert api(rep).get(url).json() == [enrolled.json()]

    again = api(rep).post(url, {"cadence_id": cadence.pk})
    assert again.status_code == 409
    assert again.json()["code"] == "cadence_running"

    stopped = api(rep).post(f"{LEADS}/{lead.pk}/stop-cadence", {"reason": "They asked us to"})
    assert stopped.status_code == 200
    assert stopped.json()["stop_reason"] == "They asked us to"

    nothing_to_stop = api(rep).post(f"{LEADS}/{lead.pk}/stop-cadence")
    assert nothing_to_stop.status_code == 409
    assert nothing_to_stop.json()["code"] == "no_cadence"


def test_completing_a_step_returns_the_next_one(api, rep, lead, cadence):
    api(rep).post(f"{LEADS}/{lead.pk}/cadences", {"cadence_id": cadence.pk})
    completed = api(rep).post(
        f"/api/v1/sales/follow-ups/{FollowUp.objects.get().pk}/complete", {"outcome": "no_answer"}
    )
    assert completed.json()["next_follow_up_id"] == FollowUp.objects.open().get().pk


@pytest.mark.parametrize("body", [{}, {"cadence_id": 999}, {"cadence_id": "1"}, {"cadence_id": None}])
def test_an_invalid_cadence_id_is_refused(api, rep, lead, body):
    answer = api(rep).post(f"{LEADS}/{lead.pk}/cadences", body)
    assert answer.status_code == 400
    assert list(answer.json()) == ["cadence_id"]
