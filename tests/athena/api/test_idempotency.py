"""A POST that is sent again with its Idempotency-Key."""

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError

from athena.api import idempotency
from athena.models import IdempotencyKey
from sales.models import FollowUp, Lead
from sales.services.leads import leads

URL = "/api/v1/sales/leads"
KEY = {"Idempotency-Key": "7b0c-1"}


@pytest.fixture
def send(api, rep):
    client = api(rep)

    def post(body=None, url=URL, headers=KEY):
        return client.post(url, {"company_name": "Acme"} if body is None else body, headers=headers)

    return post


def failing(error):
    def create(**_):
        raise error

    return create


def test_the_second_is_answered_as_the_first_was(send):
    first, second = send(), send()
    assert first.status_code == 201
    assert Lead.objects.count() == 1
    assert second.status_code == 201
    assert second.json() == first.json()
    assert second["ETag"] == first["ETag"]
    assert first.get("Idempotency-Replayed") is None
    assert second["Idempotency-Replayed"] == "true"
    assert send(headers={"Idempotency-Key": "other"}).json()["id"] != first.json()["id"]
    assert send(headers={}).status_code == 201
    assert Lead.objects.count() == 3


def test_another_body_or_address_is_422(send):
    send()
    for response in (send({"company_name": "Other"}), send(url="/api/v1/sales/follow-ups")):
        assert response.status_code == 422
        assert response.json()["code"] == "idempotency_key_reused"
    assert Lead.objects.count() == 1


def test_keys_are_each_users_own(send, api, colleague):
    send()
    assert "Idempotency-Replayed" not in api(colleague).post(URL, {"company_name": "Acme"}, headers=KEY)
    assert Lead.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_a_malformed_key_is_named(send, key):
    response = send(headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert list(response.json()) == ["Idempotency-Key"]
    assert Lead.objects.count() == 0
    assert IdempotencyKey.objects.count() == 0


def test_a_refusal_is_kept_too(api, rep, make_lead):
    lead = make_lead(assigned_to=rep, status="won", booked_value=1)
    body = {"lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": "2027-01-05"}
    first = api(rep).post("/api/v1/sales/follow-ups", body, headers=KEY)
    Lead.objects.update(status="new", booked_value=None)
    second = api(rep).post("/api/v1/sales/follow-ups", body, headers=KEY)
    assert first.status_code == 409
    assert second.status_code == 409
    assert second.json() == first.json()
    assert FollowUp.objects.count() == 0


def test_while_the_first_runs_the_second_is_told_so(send, monkeypatch):
    responses = []
    real = leads.create

    def create(**values):
        if not responses:
            responses.append(None)
            responses.append(send())
        return real(**values)

    monkeypatch.setattr(leads, "create", create)
    assert send().status_code == 201
    assert responses[1].status_code == 409
    assert responses[1].json()["code"] == "idempotency_still_running"
    assert Lead.objects.count() == 1


@pytest.mark.parametrize("error", [OperationalError("away"), RuntimeError("a fault of ours")])
def test_a_failure_of_ours_is_not_kept(send, api, rep, monkeypatch, error):
    real = leads.create
    monkeypatch.setattr(leads, "create", failing(error))
    if isinstance(error, RuntimeError):
        with pytest.raises(RuntimeError):
            send()
    else:
        assert send().status_code == 503
    assert IdempotencyKey.objects.count() == 0
    monkeypatch.setattr(leads, "create", real)
    assert send().status_code == 201


def test_what_a_crash_left_behind_is_taken_over_after_a_minute(send, rep):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        send()
        Lead.objects.all().delete()
        IdempotencyKey.objects.update(status=None, answer=None)  # as if the process had died at work
        clock.shift(timedelta(seconds=60))
        assert send().status_code == 409
        clock.shift(timedelta(seconds=1))
        assert send().status_code == 201
        assert Lead.objects.count() == 1
        assert send()["Idempotency-Replayed"] == "true"


def test_who_lost_the_claim_does_nothing(send, monkeypatch):
    real = leads.create

    def create(**values):
        IdempotencyKey.objects.update(created_at="2026-01-01T00:00Z")  # somebody took it over
        return real(**values)

    monkeypatch.setattr(leads, "create", create)
    response = send()
    assert response.status_code == 409
    assert response.json()["code"] == "idempotency_still_running"
    assert Lead.objects.count() == 0


def test_an_answer_is_kept_for_a_day(send):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        first = send()
        clock.shift(timedelta(hours=24))
        assert send().json() == first.json()
        assert idempotency.delete_expired() == 0
        clock.shift(timedelta(seconds=1))
        assert send().json()["id"] != first.json()["id"]
        clock.shift(timedelta(hours=25))
        assert idempotency.delete_expired() == 1
        assert IdempotencyKey.objects.count() == 0


def test_rights_are_checked_again(api, rep, stranger, make_lead):
    lead = make_lead(assigned_to=rep)
    url, body = f"{URL}/{lead.pk}/activities", {"activity_type": "note", "notes": "Secret"}
    assert api(rep).post(url, body, headers=KEY).status_code == 201
    Lead.objects.update(assigned_to=stranger)
    assert api(rep).post(url, body, headers=KEY).status_code == 404
    assert api().post(url, body, headers=KEY).status_code == 401


def test_logging_in_takes_no_key(api, make_user):
    user = make_user("ann")
    user.set_password("correct-horse-battery")
    user.save()
    body = {"email": user.email, "password": "correct-horse-battery"}
    tokens = {api().post("/api/v1/auth/login", body, headers=KEY).json()["refresh_token"] for _ in range(2)}
    assert len(tokens) == 2
    assert IdempotencyKey.objects.count() == 0
