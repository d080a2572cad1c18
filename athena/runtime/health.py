"""Whether Athena is alive, and whether it can work: for supervisors, load balancers and people on call."""

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

OUTBOX_SECONDS = 300
_known_migrated: set[str] = set()  # databases that had every migration; this code's never become fewer


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """503 without the database or with unapplied migrations. What else is bad is 200 with `"status": "degraded"`.

    Ages are in seconds; null where it has never happened (the outbox: where nothing waits).
    """
    try:
        if not _migrated():
            return JsonResponse({"status": "unavailable", "database": "unapplied migrations"}, status=503)
        found, problems = _work()
    except DatabaseError as error:
        logger.warning("not_ready", error=repr(error))
        return JsonResponse({"status": "unavailable", "database": "away"}, status=503)
    status = "degraded" if problems else "ok"
    return JsonResponse({"status": status, "database": "ok", **found, "problems": problems})


def _migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    name = str(connection.settings_dict["NAME"])
    if name not in _known_migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _known_migrated.add(name)
    return True


def measure_ages(channels: list[delivery_stats.ChannelStats]) -> dict[str, int | None]:
    """Seconds since beat and the worker last ticked, and since the longest-waiting message came due; None: never."""
    oldest = min((each.oldest for each in channels if each.oldest), default=None)
    return liveness.measure_ages() | {"outbox": liveness.seconds_since(oldest)}


def measure_outbox() -> list[delivery_stats.ChannelStats]:
    """How all deliveries are doing, by channel."""
    return delivery_stats.measure_channels(Delivery.objects.all())


def _work() -> tuple[dict[str, Any], list[str]]:
    """What the broker, beat, the worker and the outbox are doing, and which of them are in trouble."""
    broker, channels = liveness.check_broker(), measure_outbox()
    found: dict[str, Any] = {"broker": broker}
    problems = [] if broker == "ok" else ["broker"]
    most = {"beat": liveness.max_silence_seconds(), "worker": liveness.max_silence_seconds(), "outbox": OUTBOX_SECONDS}
    for name, age in measure_ages(channels).items():
        found[f"{name}_age"] = age
        if name != "outbox" if age is None else age > most[name]:
            problems.append(name)
    found["deliveries"] = {each.channel: each.counts() for each in channels}
    if unknown := time_zone_checks.count_unknown_zones():
        found["unknown_time_zones"] = list(unknown)[: time_zone_checks.MAX_SHOWN_ZONES]
        problems.append("time_zones")
    return found, problems
