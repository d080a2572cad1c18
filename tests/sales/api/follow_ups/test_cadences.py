"""`/sales/cadences` and a lead's own, over HTTP."""

import pytest

from sales.models import Cadence, CadenceStep, FollowUp

LEADS = "/api/v1/sales/leads"


@pytest.fixture
def lead(make_lead, rep):
    return make_lead(assigned_to=rep)


@pytest.fixture
def cadence(db):
    made = Cadence.objects.create(name="New inquiry")
    for day in (0, 2):
        CadenceStep.objects.create(cadence=made, day=day, follow_up_type="call")
    return made


def test_a_lead_is_put_on_a_cadence_and_taken_off(api, rep, lead, cadence):
    (listed,) = api(rep).get("/api/v1/sales/cadences").json()["results"]
    assert (listed["id"], listed["name"], listed["is_active"], listed["step_count"]) == (
        cadence.pk, "New inquiry", True, 2,
    )  # fmt: skip
    url = f"{LEADS}/{lead.pk}/cadences"
    assert api(rep).get(url).json() == []
    started = api(rep).post(url, {"cadence_id": cadence.pk})
    plan = FollowUp.objects.get()
    assert (started.status_code, started.json()["follow_up_id"], started.json()["day"]) == (201, plan.pk, 0)
    assert (started.json()["cadence_name"], started.json()["stopped_at"]) == ("New inquiry", None)
    assert api(rep).get(url).json() == [started.json()]
    again = api(rep).post(url, {"cadence_id": cadence.pk})
    assert (again.status_code, again.json()["code"]) == (409, "cadence_running")
    stopped = api(rep).post(f"{LEADS}/{lead.pk}/stop-cadence", {"reason": "They asked us to"})
    assert (stopped.status_code, stopped.json()["stop_reason"]) == (200, "They asked us to")
    none = api(rep).post(f"{LEADS}/{lead.pk}/stop-cadence")
    assert (none.status_code, none.json()["code"]) == (409, "no_cadence")


def test_completing_a_step_answers_with_the_next(api, rep, lead, cadence):
    api(rep).post(f"{LEADS}/{lead.pk}/cadences", {"cadence_id": cadence.pk})
    done = api(rep).post(f"/api/v1/sales/follow-ups/{FollowUp.objects.get().pk}/complete", {"outcome": "no_answer"})
    assert done.json()["next_follow_up_id"] == FollowUp.objects.open().get().pk


@pytest.mark.parametrize("wrong", [{}, {"cadence_id": 999}, {"cadence_id": "1"}, {"cadence_id": None}])
def test_what_is_no_cadence(api, rep, lead, wrong):
    answer = api(rep).post(f"{LEADS}/{lead.pk}/cadences", wrong)
    assert (answer.status_code, list(answer.json())) == (400, ["cadence_id"])
