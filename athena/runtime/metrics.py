"""`/metrics`: Athena's figures for Prometheus, to whoever has the token.

Requests are those of this machine's web processes since they started. All else is the database's, so it is the same
on every machine: tasks, the outbox, beat and worker, scoring runs.
"""

from collections.abc import Iterator

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from prometheus_client.values import MutexValue, ValueClass

from athena.models import TaskTotal
from athena.runtime import health

_AGES = {
    "beat": "Since beat's last tick.",
    "worker": "Since the worker's last tick.",
    "outbox": "Since the longest-waiting notification came due; missing where none waits.",
}
logger = structlog.get_logger(__name__)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """401 without `Authorization: Bearer <METRICS_TOKEN>`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        answer = {"detail": "Send the token of the setting METRICS_TOKEN.", "code": "not_authenticated"}
        return JsonResponse(answer, status=401, headers={"WWW-Authenticate": "Bearer"})
    here = REGISTRY
    if ValueClass is not MutexValue:  # `athena.runtime.gunicorn_conf` has several processes add up
        here = CollectorRegistry()
        multiprocess.MultiProcessCollector(here, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
    everywhere = CollectorRegistry()
    everywhere.register(FromDatabase())
    body = generate_latest(here) + generate_latest(everywhere)
    return HttpResponse(body, content_type=CONTENT_TYPE_PLAIN_0_0_4)


class FromDatabase(Collector):
    """Without the database there is one figure left: `athena_database_up 0`."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = list(self._read())
        except DatabaseError as error:
            logger.warning("metrics_without_database", error=repr(error))
            found = []
        yield GaugeMetricFamily("athena_database_up", "Whether the database answers.", float(bool(found)))
        yield from found

    def _read(self) -> Iterator[Metric]:
        runs = CounterMetricFamily("athena_tasks", "Tasks that ended.", labels=["task", "outcome"])
        seconds = CounterMetricFamily("athena_task_seconds", "How long they took in all.", labels=["task", "outcome"])
        for total in TaskTotal.objects.order_by("task", "outcome"):
            runs.add_metric([total.task, total.outcome], total.runs)
            seconds.add_metric([total.task, total.outcome], total.seconds)
        yield from (runs, seconds)

        channels = health.measure_outbox()
        states = GaugeMetricFamily(
            "athena_deliveries",
            "Deliveries: due, queued, failed (of both), dead; and as what they ended in the last 24 hours and 7 days.",
            labels=["channel", "state"],
        )
        for each in channels:
            for state, count in each.counts().items():
                states.add_metric([each.channel, state], count)
        yield states

        for name, age in health.measure_ages(channels).items():
            if age is not None:
                yield GaugeMetricFamily(f"athena_{name}_age_seconds", _AGES[name], age)
