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

TOO_LATE = timedelta(seconds=3 * settings.TICK_SECONDS + 11)


@pytest.fixture(autouse=True)
def forget():
    health._migrated_databases.clear()


@pytest.fixture
def working(db):
    """Beat and the worker have just ticked."""
    every, _ = IntervalSchedule.objects.get_or_create(every=60, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task=task_names.TICK).delete()
    PeriodicTask.objects.create(name="tick", task=task_names.TICK, interval=every, last_run_at=timezone.now())
    Heartbeat.beat("tick")


def ready(client):
    response = client.get("/readyz")
    return response.status_code, response.json()


def test_alive_asks_nothing(client):
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response["Cache-Control"][:13] == "max-age=0, no"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_read_only(client, path):
    assert client.post(path).status_code == 405


def test_all_is_well(client, working):
    status, body = ready(client)
    ages = {name: body.pop(name) for name in ("beat_age", "worker_age", "outbox_age")}
    nothing = dict.fromkeys(body["deliveries"]["email"], 0)
    assert status == 200
    assert body == {"status": "ok", "database": "ok", "broker": "ok", "deliveries": {"email": nothing}, "problems": []}
    assert ages["beat_age"] in (0, 1, 2)
    assert ages["worker_age"] in (0, 1, 2)
    assert ages["outbox_age"] is None


def test_what_never_ran_is_a_problem(client, db):
    PeriodicTask.objects.filter(task=task_names.TICK).update(last_run_at=None)
    status, body = ready(client)
    assert status == 200
    assert body["status"] == "degraded"
    assert body["problems"] == ["beat", "worker"]
    assert body["beat_age"] is None
    assert body["worker_age"] is None


@pytest.mark.parametrize("late", ["beat", "worker"])
def test_what_is_late_is_named(client, working, late):
    then = timezone.now() - TOO_LATE
    if late == "beat":
        PeriodicTask.objects.filter(task=task_names.TICK).update(last_run_at=then)
    else:
        Heartbeat.objects.update(at=then)
    status, body = ready(client)
    assert status == 200
    assert body["status"] == "degraded"
    assert body["problems"] == [late]
    assert body[f"{late}_age"] >= TOO_LATE.total_seconds()


@pytest.mark.parametrize(
    ("seconds", "state", "problems"), [(301, "waiting", ["outbox"]), (200, "waiting", []), (9_000, "dead", []),
                                       (-9_000, "waiting", [])],
)  # fmt: skip
def test_a_message_that_waits_is_a_problem(client, working, rep, seconds, state, problems):
    then = timezone.now() - timedelta(seconds=seconds)
    told = Notification.objects.create(kind="x", recipient=rep, dedupe_key="x")
    ended = None if state == "waiting" else then
    Delivery.objects.create(notification=told, channel="email", state=state, next_attempt_at=then, ended_at=ended)
    assert ready(client)[1]["problems"] == problems


def test_a_broker_that_is_away_is_a_problem(client, working, monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError

    monkeypatch.setattr("kombu.Connection.connect", refuse)
    status, body = ready(client)
    assert status == 200
    assert body["broker"] == "away"
    assert body["problems"] == ["broker"]


def test_unapplied_migrations_are_503_until_they_are_applied(client, working):
    applied = MigrationRecorder(connection).migration_qs
    last = applied.filter(app="accounts").latest("id")
    last.delete()
    assert ready(client) == (503, {"status": "unavailable", "database": "unapplied migrations"})
    applied.create(app=last.app, name=last.name)
    assert ready(client)[0] == 200


def test_migrations_are_looked_at_once(client, working, django_assert_num_queries):
    ready(client)
    with django_assert_num_queries(7):  # SELECT 1, beat, worker, zones, and of the outbox what waits, died and ended
        ready(client)


def test_without_a_database_it_is_503_and_still_alive(client, monkeypatch, db):
    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    with monkeypatch.context() as away:
        away.setattr(connection, "cursor", refuse)
        assert ready(client) == (503, {"status": "unavailable", "database": "away"})
        assert client.get("/healthz").status_code == 200
