"""Sixteen threads sign in with a wrong password, or are counted by the throttle, at the same time."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from rest_framework.test import APIClient

from athena.accounts import lockout
from athena.accounts.models import FailedLogin
from athena.api import throttles

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 16


def call_together(call):
    """Call it in all threads at once and return what each call returned."""
    start = threading.Barrier(THREADS)

    def call_once(_):
        start.wait(10)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call_once, range(THREADS)))


def log_in():
    return APIClient().post("/api/v1/auth/login", {"email": "maria@example.com", "password": "wrong"}).status_code


def test_five_of_sixteen_are_tried():
    assert sorted(call_together(log_in)) == [401] * 5 + [429] * 11
    assert FailedLogin.objects.count() == 5


@pytest.mark.postgres  # SQLite lets one transaction write at a time, locks or none
def test_control_without_the_lock_more_are_tried(monkeypatch):
    all_have_looked = threading.Barrier(THREADS)
    real = lockout.check_not_locked
    looked = threading.local()

    def look(email, address):
        real(email, address)
        looked.times = getattr(looked, "times", 0) + 1
        if looked.times == 2:  # the look inside the transaction that records the failure
            all_have_looked.wait(20)

    monkeypatch.setattr(lockout, "check_not_locked", look)
    monkeypatch.setattr(lockout, "_lock_address", lambda address: None)
    assert call_together(log_in) == [401] * THREADS


def count():
    return throttles._count("user:1", int(time.time()) // 86_400 * 86_400, 86_400)


def test_the_database_loses_no_request(settings):
    settings.REDIS_URL = ""
    assert sorted(call_together(count)) == list(range(1, THREADS + 1))


@pytest.mark.postgres  # the round that has a Redis
def test_redis_loses_no_request(settings):
    settings.REDIS_URL = os.environ["REDIS_URL"]
    throttles._client.cache_clear()
    throttles._client().delete(f"athena:throttle:user:1:{int(time.time()) // 86_400 * 86_400}")
    throttles._client.cache_clear()  # so that all threads create the client at once, as after a start
    assert sorted(call_together(count)) == list(range(1, THREADS + 1))
