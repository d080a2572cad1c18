"""Whether Athena is alive, and whether it can work: for supervisors, load balancers and people on call."""

from datetime import datetime
from typing import Any

import structlog
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_celery_beat.models import PeriodicTask

from athena.models import Heartbeat
from notifications.models import Notification

logger = structlog.get_logger(__name__)

TICK_TASK = "sales.tick"
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


def ages() -> dict[str, int | None]:
    """Seconds since beat and the worker last ticked, and since the longest-waiting message came due; None: never."""
    now = timezone.now()
    moments = {"beat": _last_beat(), "worker": _last_work(), "outbox": _oldest_waiting()}
    return {name: None if at is None else max(0, round((now - at).total_seconds())) for name, at in moments.items()}


def longest_silence() -> int:
    """Seconds after which a beat or a worker that has not ticked is in trouble."""
    return 3 * int(settings.TICK_SECONDS) + 10


def _work() -> tuple[dict[str, Any], list[str]]:
    """What the broker, beat, the worker and the outbox are doing, and which of them are in trouble."""
    broker = _broker()
    found: dict[str, Any] = {"broker": broker}
    problems = [] if broker == "ok" else ["broker"]
    most = {"beat": longest_silence(), "worker": longest_silence(), "outbox": OUTBOX_SECONDS}
    for name, age in ages().items():
        found[f"{name}_age"] = age
        if name != "outbox" if age is None else age > most[name]:
            problems.append(name)
    return found, problems


def _broker() -> str:
    """Opens a connection, which waits two seconds at most (see the broker's options in settings)."""
    broker = current_app.connection_for_write()
    try:
        broker.connect()
    except (OSError, *broker.connection_errors, *broker.channel_errors) as error:  # type: ignore[misc]
        logger.warning("broker_away", error=repr(error))
        return "away"
    finally:
        broker.release()
    return "ok"


def _last_beat() -> datetime | None:
    beats = PeriodicTask.objects.filter(task=TICK_TASK)
    last: datetime | None = beats.aggregate(at=Max("last_run_at"))["at"]
    return last


def _last_work() -> datetime | None:
    return Heartbeat.objects.filter(name="tick").values_list("at", flat=True).first()


def _oldest_waiting() -> datetime | None:
    """When the message that has been due for longest should have gone out."""
    due = Notification.objects.filter(state=Notification.State.WAITING, next_attempt_at__lte=timezone.now())
    oldest: datetime | None = due.aggregate(at=Min("next_attempt_at"))["at"]
    return oldest
