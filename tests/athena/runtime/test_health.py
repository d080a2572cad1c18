"""`/healthz` and `/readyz`."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from athena import task_names
from athena.models import Heartbeat
from athena.runtime import health
from notifications.models import Delivery, Notification

TOO_OLD = timedelta(seconds=3 * settings.TICK_SECONDS + 11)


@pytest.fixture(autouse=True)
def forget_migrations():
    health._migrated_databases.clear()


@pytest.fixture
def running_processes(db):
    """Beat and the worker, which have just run."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=60, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task=task_names.TICK).delete()
    PeriodicTask.objects.create(name="tick", task=task_names.TICK, interval=interval, last_run_at=timezone.now())
    Heartbeat.beat("tick")


def read_readiness(client):
    """The status and the body of `/readyz`."""
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_healthz_needs_no_database(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response["Cache-Control"][:13] == "max-age=0, no"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_are_read_only(client, path):
    assert client.post(path).status_code == 405


def test_nothing_is_wrong(client, running_processes):
    status, body = read_readiness(client)
    ages = {name: body.pop(name) for name in ("beat_age", "worker_age", "outbox_age")}
    no_deliveries = dict.fromkeys(body["deliveries"]["email"], 0)
    assert status == 200
    assert body == {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
        "deliveries": {"email": no_deliveries},
        "problems": [],
    }
    assert ages["beat_age"] in (0, 1, 2)
    assert ages["worker_age"] in (0, 1, 2)
    assert ages["outbox_age"] is None


def test_a_process_that_never_ran_is_a_problem(client, db):
    PeriodicTask.objects.filter(task=task_names.TICK).update(last_run_at=None)
    status, body = read_readiness(client)
    assert status == 200
    assert body["status"] == "degraded"
    assert body["problems"] == ["beat", "worker"]
    assert body["beat_age"] is None
    assert body["worker_age"] is None


@pytest.mark.parametrize("late", ["beat", "worker"])
def test_a_process_that_is_late_is_named(client, running_processes, late):
    long_ago = timezone.now() - TOO_OLD
    if late == "beat":
        PeriodicTask.objects.filter(task=task_names.TICK).update(last_run_at=long_ago)
    else:
        Heartbeat.objects.update(at=long_ago)
    status, body = read_readiness(client)
    assert status == 200
    assert body["status"] == "degraded"
    assert body["problems"] == [late]
    assert body[f"{late}_age"] >= TOO_OLD.total_seconds()


@pytest.mark.parametrize(
    ("seconds", "state", "problems"), [(301, "waiting", ["outbox"]), (200, "waiting", []), (9_000, "dead", []),
                                       (-9_000, "waiting", [])],
)  # fmt: skip
def test_a_delivery_that_waits_too_long_is_a_problem(client, running_processes, rep, seconds, state, problems):
    long_ago = timezone.now() - timedelta(seconds=seconds)
    notification = Notification.objects.create(kind="x", recipient=rep, dedupe_key="x")
    ended_at = None if state == "waiting" else long_ago
    Delivery.objects.create(
        notification=notification, channel="email", state=state, next_attempt_at=long_ago, ended_at=ended_at
    )
    assert read_readiness(client)[1]["problems"] == problems


def test_an_unreachable_broker_is_a_problem(client, running_processes, monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError

    monkeypatch.setattr("kombu.Connection.connect", refuse)
    status, body = read_readiness(client)
    assert status == 200
    assert body["broker"] == "away"
    assert body["problems"] == ["broker"]


def test_unapplied_migrations_are_503_until_they_are_applied(client, running_processes):
    applied = MigrationRecorder(connection).migration_qs
    last = applied.filter(app="accounts").latest("id")
    last.delete()
    assert read_readiness(client) == (503, {"status": "unavailable", "database": "unapplied migrations"})
    applied.create(app=last.app, name=last.name)
    assert read_readiness(client)[0] == 200


def test_migrations_are_read_once(client, running_processes, django_assert_num_queries):
    read_readiness(client)
    with django_assert_num_queries(7):  # SELECT 1, beat, worker, time zones; waiting, failed and ended deliveries
        read_readiness(client)


def test_without_a_database_readyz_is_503_and_healthz_is_200(client, monkeypatch, db):
    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        assert read_readiness(client) == (503, {"status": "unavailable", "database": "away"})
        assert client.get("/healthz").status_code == 200
