"""Request ids, log lines and metrics."""

import json
import re

import pytest
from celery import current_app
from django.test import Client
from django.utils import timezone
from structlog.testing import capture_logs

from athena.celery import app
from athena.models import TaskTotal
from athena.runtime import telemetry
from athena.runtime.logs import current_request_id
from athena.runtime.task_publisher import publish_task

ID = "gateway-0123456789"


def parse_metrics(text):
    """The value of each sample in the text format of Prometheus."""
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))


@pytest.fixture
def scrape(db, settings):
    settings.METRICS_TOKEN = "the-token"
    return lambda: parse_metrics(
        Client().get("/metrics", headers={"Authorization": "Bearer the-token"}).content.decode()
    )


def test_a_response_has_the_request_id_of_the_gateway_or_a_new_one(db):
    assert Client().get("/healthz", headers={"X-Request-ID": ID})["X-Request-ID"] == ID
    for invalid_id in ("short", "x" * 65, "line\nbreak", "a b c d e f g", "{}" * 8):
        assert re.fullmatch(
            "[0-9a-f]{32}", Client().get("/healthz", headers={"X-Request-ID": invalid_id})["X-Request-ID"]
        )
    assert Client().get("/no/such/page", headers={"X-Request-ID": ID})["X-Request-ID"] == ID


def test_each_request_is_one_line_without_its_parameters(api, rep):
    with capture_logs() as lines:
        api(rep).get("/api/v1/sales/leads?search=secret")
        Client().get("/healthz")
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "path": "/api/v1/sales/leads",
        "status": 200,
        "user": rep.pk,
    }


def test_a_published_task_carries_the_id_of_its_request(transactional_db, rf, monkeypatch):
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda name, retry, headers: sent.append(headers))
    from django.http import HttpResponse

    def view(request):
        publish_task("sales.tick")
        return HttpResponse()

    telemetry.log_requests(view)(rf.get("/", headers={"X-Request-ID": ID}))
    assert sent == [{"request_id": ID}]


@pytest.fixture
def run(db):
    """Runs a task as a worker does."""

    def run_task(body, **options):
        task = app.task(body, name=f"tests.{body.__name__}", shared=False)
        try:
            return task.apply(**options)
        finally:
            del app.tasks[task.name]

    return run_task


def test_a_task_logs_the_id_of_its_request_or_its_own(run):
    request_ids = []

    def record_request_id():
        request_ids.append(current_request_id())

    run(record_request_id, headers={"request_id": ID})
    run(record_request_id, task_id="own-id")
    assert request_ids == [ID, "own-id"]
    assert current_request_id() is None


def test_runs_of_tasks_are_counted(run, scrape):
    def succeeds(): ...

    def fails():
        raise ValueError("no")

    for body in (succeeds, succeeds, fails):
        run(body)
    assert set(TaskTotal.objects.values_list("task", "outcome", "runs")) == {
        ("tests.succeeds", "done", 2),
        ("tests.fails", "failed", 1),
    }
    figures = scrape()
    assert figures['athena_tasks_total{outcome="done",task="tests.succeeds"}'] == "2.0"
    assert float(figures['athena_task_seconds_total{outcome="failed",task="tests.fails"}']) > 0


def test_metrics_need_the_token(db, settings):
    settings.METRICS_TOKEN = "the-token"
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "the-token"},
        {"Authorization": "Bearer "},
    ):
        response = Client().get("/metrics", headers=headers)
        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"
        assert json.loads(response.content)["code"] == "not_authenticated"


def test_requests_are_counted_by_route(scrape, api, rep, make_lead):
    name = 'athena_requests_total{method="GET",route="/api/v1/sales/leads/{pk}",status="200"}'
    before = float(scrape().get(name, 0))
    for _ in range(3):
        assert api(rep).get(f"/api/v1/sales/leads/{make_lead(assigned_to=rep).pk}").status_code == 200
    assert float(scrape()[name]) == before + 3
    api(rep).generic("BREW", "/no/such/page")
    figures = scrape()
    assert 'athena_requests_total{method="other",route="none",status="404"}' in figures
    assert 'athena_request_seconds_count{method="GET",route="/metrics"}' in figures


def test_waiting_and_failed_deliveries_are_counted(scrape, rep):
    from notifications import outbox
    from notifications.models import Delivery

    assert "athena_outbox_age_seconds" not in scrape()
    for key in "abc":
        outbox.add(kind="lead_assigned", recipient_id=rep.pk, dedupe_key=key, context={})
    Delivery.objects.filter(notification__dedupe_key="a").update(state="dead", ended_at=timezone.now())
    figures = scrape()
    counts = {
        state: figures[f'athena_deliveries{{channel="email",state="{state}"}}']
        for state in ("due", "queued", "dead", "dead_in_a_day", "sent_in_a_week")
    }
    assert counts == {"due": "2.0", "queued": "0.0", "dead": "1.0", "dead_in_a_day": "1.0", "sent_in_a_week": "0.0"}
    assert float(figures["athena_outbox_age_seconds"]) >= 0
    assert figures["athena_database_up"] == "1.0"


def test_without_the_database_there_is_one_metric(scrape, monkeypatch):
    from django.db import OperationalError

    from athena.runtime.metrics import DatabaseCollector

    def fail(self):
        raise OperationalError("away")

    monkeypatch.setattr(DatabaseCollector, "_read", fail)
    metrics = {name: value for name, value in scrape().items() if name.startswith("athena_")}
    assert {name: value for name, value in metrics.items() if "_request" not in name} == {"athena_database_up": "0.0"}
