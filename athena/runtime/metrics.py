"""`/metrics`: Athena's metrics for Prometheus, protected by a token.

The request metrics are those of this machine's web processes since they started. All others are read from the database,
so they are the same on every machine: tasks, deliveries, and the last ticks of beat and worker.
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
    "beat": "Seconds since the last tick of beat.",
    "worker": "Seconds since the last tick of the worker.",
    "outbox": "Seconds since the oldest waiting delivery was due; missing if none is waiting.",
}
logger = structlog.get_logger(__name__)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """401 without `Authorization: Bearer <METRICS_TOKEN>`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token.strip(), settings.METRICS_TOKEN):
        refusal = {"detail": "Send the token in the setting METRICS_TOKEN.", "code": "not_authenticated"}
        return JsonResponse(refusal, status=401, headers={"WWW-Authenticate": "Bearer"})
    local = REGISTRY
    if ValueClass is not MutexValue:  # several processes: see `athena.runtime.gunicorn_conf`
        local = CollectorRegistry()
        multiprocess.MultiProcessCollector(local, str(settings.METRICS_DIR))  # type: ignore[no-untyped-call]
    shared = CollectorRegistry()
    shared.register(DatabaseCollector())
    body = generate_latest(local) + generate_latest(shared)
    return HttpResponse(body, content_type=CONTENT_TYPE_PLAIN_0_0_4)


class DatabaseCollector(Collector):
    """Metrics from the database. If it is unavailable, only `athena_database_up 0` is left."""

    def collect(self) -> Iterator[Metric]:
        try:
            metrics = list(self._read())
        except DatabaseError as error:
            logger.warning("metrics_without_database", error=repr(error))
            metrics = []
        yield GaugeMetricFamily("athena_database_up", "1 if the database responds, else 0.", float(bool(metrics)))
        yield from metrics

    def _read(self) -> Iterator[Metric]:
        runs = CounterMetricFamily("athena_tasks", "Number of tasks that ended.", labels=["task", "outcome"])
        seconds = CounterMetricFamily(
            "athena_task_seconds", "Total duration of the tasks that ended.", labels=["task", "outcome"]
        )
        for total in TaskTotal.objects.order_by("task", "outcome"):
            runs.add_metric([total.task, total.outcome], total.runs)
            seconds.add_metric([total.task, total.outcome], total.seconds)
        yield from (runs, seconds)

        channels = health.measure_outbox()
        states = GaugeMetricFamily(
            "athena_deliveries",
            "Deliveries: due, queued, failed (of these), dead; and by their result in the last 24 hours and 7 days.",
            labels=["channel", "state"],
        )
        for channel in channels:
            for state, count in channel.counts().items():
                states.add_metric([channel.channel, state], count)
        yield states

        for name, age in health.measure_ages(channels).items():
            if age is not None:
                yield GaugeMetricFamily(f"athena_{name}_age_seconds", _AGES[name], age)
