"""Eight threads use the same refresh token at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from rest_framework.test import APIClient

from athena.accounts.models import LoginSession
from athena.accounts.services import _login

pytestmark = pytest.mark.django_db(transaction=True)
TOGETHER = 8


@pytest.fixture
def login(rep):
    session = LoginSession.objects.create(user=rep, jti="first", expires_at="2100-01-01T00:00Z")
    return _login(rep, session.pk, "first")


def refresh_together(token):
    start = threading.Barrier(TOGETHER)

    def refresh(_):
        start.wait(10)
        try:
            return APIClient().post("/api/v1/auth/refresh", {"refresh_token": token})
        finally:
            connection.close()

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(refresh, range(TOGETHER)))


def test_one_of_eight_parallel_refreshes_wins_and_the_family_lives(login):
    answers = refresh_together(login.refresh_token)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    successor = next(answer.json()["refresh_token"] for answer in answers if answer.status_code == 200)
    assert APIClient().post("/api/v1/auth/refresh", {"refresh_token": successor}).status_code == 200


def test_control_without_naming_the_token_that_is_used_up_all_win(login, monkeypatch):
    """What one UPDATE asks for decides the race; SQLite's one writer at a time would not."""
    ask = LoginSession.objects.filter
    monkeypatch.setattr(
        LoginSession.objects, "filter", lambda **asked: ask(**{name: asked[name] for name in asked if name != "jti"})
    )
    assert [answer.status_code for answer in refresh_together(login.refresh_token)] == [200] * 8
