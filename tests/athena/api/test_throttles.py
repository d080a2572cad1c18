"""Counting requests, in the database and in Redis."""

import socket

import pytest
import time_machine

from athena.api import throttles
from athena.api.throttle_rates import Rate
from athena.models import ThrottleCount

LOGIN = "/api/v1/auth/login"


@pytest.fixture
def limit(settings):
    def set_rates(**rates):
        settings.THROTTLES = {"public": None, "user": None} | rates
        settings.REDIS_URL = ""

    return set_rates


def test_a_user_gets_so_many_and_then_has_to_wait(db, api, rep, colleague, limit):
    limit(user=Rate(3, 60))
    with time_machine.travel("2026-11-23T10:00:48Z", tick=False) as clock:
        client = api(rep)
        assert [client.get("/api/v1/auth/me").status_code for _ in range(4)] == [200, 200, 200, 429]
        response = client.get("/api/v1/sales/leads")
        assert response.status_code == 429
        assert response.json()["code"] == "throttled"
        assert response["Retry-After"] == "12"
        assert api(colleague).get("/api/v1/auth/me").status_code == 200
        clock.shift(12)
        assert client.get("/api/v1/auth/me").status_code == 200
        assert throttles.delete_expired() == 0
        clock.shift(1)
        assert throttles.delete_expired() == 2
        assert ThrottleCount.objects.count() == 1


def test_an_address_gets_so_many_where_nobody_is_logged_in(db, api, limit):
    limit(public=Rate(2, 3600))
    body = {"email": "a@example.com", "password": "b"}
    assert [api().post(LOGIN, body).status_code for _ in range(3)] == [401, 401, 429]
    assert api().post(LOGIN, body, REMOTE_ADDR="203.0.113.9").status_code == 401


def test_one_visitor_who_asks_too_often_waits_alone(db, api, limit):
    """Behind one address may be a school; its other visitors, forms and routes are not concerned."""
    limit(public=Rate(2, 3600), intake=Rate(2, 3600))
    doors = {
        "login": lambda who: api().post(LOGIN, {"email": f"{who}@example.com", "password": "b"}),
        "refresh": lambda who: api().post("/api/v1/auth/refresh", {"refresh_token": who}),
        "calendar": lambda who: api().get(f"/api/v1/sales/follow-ups/calendar.ics?token={who}"),
        "unsubscribe": lambda who: api().post(f"/api/v1/unsubscribe/{who}"),
        "form": lambda who: api().post("/api/v1/intake/leads", {"key": who, "email": "a@example.com"}),
        "visitor": lambda who: api().post("/api/v1/intake/leads", {"key": "k", "email": f"{who}@example.com"}),
    }
    for door, ask in doors.items():
        found = [ask("greedy").status_code for _ in range(3)]
        assert found[-1] == 429, door
        assert 429 not in found[:2], door
        assert ask("other").status_code != 429, door


def test_all_visitors_of_an_address_together_get_ten_times_as_many(db, api, limit):
    limit(public=Rate(2, 3600))
    found = [api().post("/api/v1/auth/refresh", {"refresh_token": str(n)}).status_code for n in range(21)]
    assert found == [401] * 20 + [429]
    body = {"email": "a@example.com", "password": "b"}
    assert api().post(LOGIN, body).status_code == 401, "another route"
    assert api().post("/api/v1/auth/refresh", {"refresh_token": "x"}, REMOTE_ADDR="203.0.113.9").status_code == 401


def test_a_body_that_can_not_be_read_is_counted_too(db, api, limit):
    limit(public=Rate(1, 3600))
    found = [api().generic("POST", LOGIN, "{", "application/json").status_code for _ in range(11)]
    assert found == [400] * 10 + [429]


def test_without_a_rate_nothing_is_counted(db, api, rep, limit):
    limit()
    assert api(rep).get("/api/v1/auth/me").status_code == 200
    assert not ThrottleCount.objects.exists()


def test_a_refused_post_keeps_no_idempotent_answer(db, api, rep, limit):
    limit(user=Rate(0, 60))
    key = {"Idempotency-Key": "k"}
    assert api(rep).post("/api/v1/sales/leads", {"company_name": "A"}, headers=key).status_code == 429
    limit()
    assert api(rep).post("/api/v1/sales/leads", {"company_name": "A"}, headers=key).status_code == 201


def test_a_redis_that_is_away_costs_one_short_wait_and_refuses_nobody(db, api, rep, settings, monkeypatch):
    monkeypatch.setattr(throttles._Redis, "paused_until", 0)
    throttles._client.cache_clear()
    tries = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.THROTTLES = {"public": None, "user": Rate(1, 60)}
        real = throttles._client
        monkeypatch.setattr(throttles, "_client", lambda: tries.append(1) or real())
        assert [api(rep).get("/api/v1/auth/me").status_code for _ in range(5)] == [200] * 5
    real.cache_clear()
    assert len(tries) == 1


@pytest.mark.parametrize("text", ["300", "x/minute", "3/week", "-1/minute", "3/minutes"])
def test_a_wrong_rate_is_said(text):
    with pytest.raises(ValueError, match="is not a rate"):
        Rate.parse(text)


def test_rates():
    assert Rate.parse("300/minute") == Rate(300, 60)
    assert Rate.parse("5/day") == Rate(5, 86_400)
