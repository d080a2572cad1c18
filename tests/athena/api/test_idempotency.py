"""A POST that is repeated with the same Idempotency-Key."""

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError

from athena.api import idempotency
from athena.models import IdempotencyKey
from sales.models import FollowUp, Lead
from sales.services.leads import leads

URL = "/api/v1/sales/leads"
KEY_HEADER = {"Idempotency-Key": "7b0c-1"}


@pytest.fixture
def send(api, rep):
    client = api(rep)

    def send_post(body=None, url=URL, headers=KEY_HEADER):
        return client.post(url, {"company_name": "Acme"} if body is None else body, headers=headers)

    return send_post


def make_failing_create(error):
    def create(**_):
        raise error

    return create


def test_a_repeated_request_gets_the_first_response(send):
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


def test_another_body_or_url_is_422(send):
    send()
    for response in (send({"company_name": "Other"}), send(url="/api/v1/sales/follow-ups")):
        assert response.status_code == 422
        assert response.json()["code"] == "idempotency_key_reused"
    assert Lead.objects.count() == 1


def test_users_do_not_share_keys(send, api, colleague):
    send()
    assert "Idempotency-Replayed" not in api(colleague).post(URL, {"company_name": "Acme"}, headers=KEY_HEADER)
    assert Lead.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_a_malformed_key_is_named(send, key):
    response = send(headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert list(response.json()) == ["Idempotency-Key"]
    assert Lead.objects.count() == 0
    assert IdempotencyKey.objects.count() == 0


def test_an_error_response_is_kept_too(api, rep, make_lead):
    lead = make_lead(assigned_to=rep, status="won", booked_value=1)
    body = {"lead_id": lead.pk, "follow_up_type": "call", "scheduled_date": "2027-01-05"}
    first = api(rep).post("/api/v1/sales/follow-ups", body, headers=KEY_HEADER)
    Lead.objects.update(status="new", booked_value=None)
    second = api(rep).post("/api/v1/sales/follow-ups", body, headers=KEY_HEADER)
    assert first.status_code == 409
    assert second.status_code == 409
    assert second.json() == first.json()
    assert FollowUp.objects.count() == 0


def test_while_the_first_request_runs_the_second_is_409(send, monkeypatch):
    responses = []
    original_create = leads.create

    def create(**values):
        if not responses:
            responses.append(None)
            responses.append(send())
        return original_create(**values)

    monkeypatch.setattr(leads, "create", create)
    assert send().status_code == 201
    assert responses[1].status_code == 409
    assert responses[1].json()["code"] == "idempotency_still_running"
    assert Lead.objects.count() == 1


@pytest.mark.parametrize("error", [OperationalError("away"), RuntimeError("a fault of ours")])
def test_a_server_error_is_not_kept(send, api, rep, monkeypatch, error):
    original_create = leads.create
    monkeypatch.setattr(leads, "create", make_failing_create(error))
    if isinstance(error, RuntimeError):
        with pytest.raises(RuntimeError):
            send()
    else:
        assert send().status_code == 503
    assert IdempotencyKey.objects.count() == 0
    monkeypatch.setattr(leads, "create", original_create)
    assert send().status_code == 201


def test_a_claim_that_a_crash_left_is_taken_over_after_a_minute(send, rep):
    with time_machine.travel("2026-11-23T10:00Z", tick=False) as clock:
        send()
        Lead.objects.all().delete()
        IdempotencyKey.objects.update(status=None, answer=None)  # as if the process had died during the request
        clock.shift(timedelta(seconds=60))
        assert send().status_code == 409
        clock.shift(timedelta(seconds=1))
        assert send().status_code == 201
        assert Lead.objects.count() == 1
        assert send()["Idempotency-Replayed"] == "true"


def test_a_request_that_lost_its_claim_changes_nothing(send, monkeypatch):
    original_create = leads.create

    def create(**values):
        IdempotencyKey.objects.update(created_at="2026-01-01T00:00Z")  # another request took it over
        return original_create(**values)

    monkeypatch.setattr(leads, "create", create)
    response = send()
    assert response.status_code == 409
    assert response.json()["code"] == "idempotency_still_running"
    assert Lead.objects.count() == 0


def test_a_response_is_kept_for_a_day(send):
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


def test_permissions_are_checked_again(api, rep, stranger, make_lead):
    lead = make_lead(assigned_to=rep)
    url, body = f"{URL}/{lead.pk}/activities", {"activity_type": "note", "notes": "Secret"}
    assert api(rep).post(url, body, headers=KEY_HEADER).status_code == 201
    Lead.objects.update(assigned_to=stranger)
    assert api(rep).post(url, body, headers=KEY_HEADER).status_code == 404
    assert api().post(url, body, headers=KEY_HEADER).status_code == 401


def test_a_login_ignores_the_key(api, make_user):
    user = make_user("ann")
    user.set_password("correct-horse-battery")
    user.save()
    body = {"email": user.email, "password": "correct-horse-battery"}
    tokens = {api().post("/api/v1/auth/login", body, headers=KEY_HEADER).json()["refresh_token"] for _ in range(2)}
    assert len(tokens) == 2
    assert IdempotencyKey.objects.count() == 0
