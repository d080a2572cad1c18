"""Throttles count requests in the database or in Redis."""

import socket

import pytest
import time_machine

from athena.api import throttles
from athena.api.throttle_rates import Rate
from athena.models import ThrottleCount

LOGIN = "/api/v1/auth/login"


@pytest.fixture
def set_limits(settings):
    def set_limit_settings(**rates):
        settings.THROTTLES = {"public": None, "user": None} | rates
        settings.REDIS_URL = ""

    return set_limit_settings


def test_a_user_over_the_limit_has_to_wait(db, api, rep, colleague, set_limits):
    set_limits(user=Rate(3, 60))
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


def test_without_a_login_the_limit_counts_by_address(db, api, set_limits):
    set_limits(public=Rate(2, 3600))
    body = {"email": "a@example.com", "password": "b"}
    assert [api().post(LOGIN, body).status_code for _ in range(3)] == [401, 401, 429]
    assert api().post(LOGIN, body, REMOTE_ADDR="203.0.113.9").status_code == 401


def test_a_visitor_over_the_limit_does_not_block_others(db, api, set_limits):
    """Many visitors may share one address, such as a school; other visitors, forms and routes are not throttled."""
    set_limits(public=Rate(2, 3600), intake=Rate(2, 3600))
    requests = {
        "login": lambda visitor: api().post(LOGIN, {"email": f"{visitor}@example.com", "password": "b"}),
        "refresh": lambda visitor: api().post("/api/v1/auth/refresh", {"refresh_token": visitor}),
        "calendar": lambda visitor: api().get(f"/api/v1/sales/follow-ups/calendar.ics?token={visitor}"),
        "unsubscribe": lambda visitor: api().post(f"/api/v1/unsubscribe/{visitor}"),
        "form": lambda visitor: api().post("/api/v1/intake/leads", {"key": visitor, "email": "a@example.com"}),
        "visitor": lambda visitor: api().post("/api/v1/intake/leads", {"key": "k", "email": f"{visitor}@example.com"}),
    }
    for name, send_request in requests.items():
        statuses = [send_request("greedy").status_code for _ in range(3)]
        assert statuses[-1] == 429, name
        assert 429 not in statuses[:2], name
        assert send_request("other").status_code != 429, name


def test_all_visitors_of_an_address_share_ten_times_the_limit(db, api, set_limits):
    set_limits(public=Rate(2, 3600))
    statuses = [api().post("/api/v1/auth/refresh", {"refresh_token": str(n)}).status_code for n in range(21)]
    assert statuses == [401] * 20 + [429]
    body = {"email": "a@example.com", "password": "b"}
    assert api().post(LOGIN, body).status_code == 401, "another route"
    assert api().post("/api/v1/auth/refresh", {"refresh_token": "x"}, REMOTE_ADDR="203.0.113.9").status_code == 401


def test_an_unreadable_body_is_counted_too(db, api, set_limits):
    set_limits(public=Rate(1, 3600))
    statuses = [api().generic("POST", LOGIN, "{", "application/json").status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]


def test_without_a_rate_nothing_is_counted(db, api, rep, set_limits):
    set_limits()
    assert api(rep).get("/api/v1/auth/me").status_code == 200
    assert not ThrottleCount.objects.exists()


def test_a_throttled_post_is_not_kept_as_idempotent_response(db, api, rep, set_limits):
    set_limits(user=Rate(0, 60))
    key = {"Idempotency-Key": "k"}
    assert api(rep).post("/api/v1/sales/leads", {"company_name": "A"}, headers=key).status_code == 429
    set_limits()
    assert api(rep).post("/api/v1/sales/leads", {"company_name": "A"}, headers=key).status_code == 201


def test_an_unreachable_redis_causes_one_short_wait_and_throttles_nobody(db, api, rep, settings, monkeypatch):
    monkeypatch.setattr(throttles._Redis, "paused_until", 0)
    throttles._client.cache_clear()
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        settings.THROTTLES = {"public": None, "user": Rate(1, 60)}
        get_client = throttles._client
        monkeypatch.setattr(throttles, "_client", lambda: connections.append(1) or get_client())
        assert [api(rep).get("/api/v1/auth/me").status_code for _ in range(5)] == [200] * 5
    get_client.cache_clear()
    assert len(connections) == 1


@pytest.mark.parametrize("text", ["300", "x/minute", "3/week", "-1/minute", "3/minutes"])
def test_an_invalid_rate_is_an_error(text):
    with pytest.raises(ValueError, match="is not a rate"):
        Rate.parse(text)


def test_a_rate_is_parsed():
    assert Rate.parse("300/minute") == Rate(300, 60)
    assert Rate.parse("5/day") == Rate(5, 86_400)
