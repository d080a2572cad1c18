"""Health checks: `/healthz` (the process responds) and `/readyz` (it can work), for load balancers and operators."""

from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from athena.accounts import time_zone_checks
from athena.runtime import liveness
from notifications import delivery_stats
from notifications.models import Delivery

logger = structlog.get_logger(__name__)

MAX_OUTBOX_AGE_SECONDS = 300
_migrated_databases: set[str] = set()  # databases with all migrations; they cannot lose any


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """200: the process responds."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """503 without the database or with unapplied migrations; 200 with `"status": "degraded"` for other problems.

    Ages are in seconds. They are null if there has been no tick, or, for the outbox, if nothing is waiting.
    """
    try:
        if not _is_migrated():
            return JsonResponse({"status": "unavailable", "database": "unapplied migrations"}, status=503)
        report, problems = _check_processes()
    except DatabaseError as error:
        logger.warning("not_ready", error=repr(error))
        return JsonResponse({"status": "unavailable", "database": "away"}, status=503)
    status = "degraded" if problems else "ok"
    return JsonResponse({"status": status, "database": "ok", **report, "problems": problems})


def _is_migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    name = str(connection.settings_dict["NAME"])
    if name not in _migrated_databases:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated_databases.add(name)
    return True


def measure_ages(channels: list[delivery_stats.ChannelStats]) -> dict[str, int | None]:
    """Seconds since the last tick of beat and of the worker, and since the oldest waiting delivery was due.

    None: there has been no tick, or nothing is waiting.
    """
    oldest = min((channel.oldest for channel in channels if channel.oldest), default=None)
    return liveness.measure_ages() | {"outbox": liveness.seconds_since(oldest)}


def measure_outbox() -> list[delivery_stats.ChannelStats]:
    """The counts of all deliveries by channel and state."""
    return delivery_stats.measure_channels(Delivery.objects.all())


def _check_processes() -> tuple[dict[str, Any], list[str]]:
    """The state of the broker, beat, the worker and the outbox, and the names of those with a problem."""
    broker, channels = liveness.check_broker(), measure_outbox()
    report: dict[str, Any] = {"broker": broker}
    problems = [] if broker == "ok" else ["broker"]
    max_ages = {
        "beat": liveness.max_silence_seconds(),
        "worker": liveness.max_silence_seconds(),
        "outbox": MAX_OUTBOX_AGE_SECONDS,
    }
    for name, age in measure_ages(channels).items():
        report[f"{name}_age"] = age
        if name != "outbox" if age is None else age > max_ages[name]:
            problems.append(name)
    report["deliveries"] = {channel.channel: channel.counts() for channel in channels}
    if unknown := time_zone_checks.count_unknown_zones():
        report["unknown_time_zones"] = list(unknown)[: time_zone_checks.MAX_SHOWN_ZONES]
        problems.append("time_zones")
    return report, problems
