"""Whether beat, the workers and the broker are alive: shown by `/readyz`, `/metrics` and the admin."""

from datetime import datetime

import structlog
from celery import current_app
from django.conf import settings
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from athena import task_names
from athena.models import Heartbeat

logger = structlog.get_logger(__name__)


def max_silence_seconds() -> int:
    """Beat or a worker without a tick for longer than this has a problem."""
    return 3 * int(settings.TICK_SECONDS) + 10


def measure_ages() -> dict[str, int | None]:
    """Seconds since the last tick of beat and of the worker; None if there has been none."""
    return {"beat": seconds_since(find_last_beat()), "worker": seconds_since(find_last_tick())}


def seconds_since(instant: datetime | None) -> int | None:
    """Whole seconds since `instant`; None for None."""
    return None if instant is None else max(0, round((timezone.now() - instant).total_seconds()))


def find_last_beat() -> datetime | None:
    beats = PeriodicTask.objects.filter(task=task_names.TICK)
    last: datetime | None = beats.aggregate(at=Max("last_run_at"))["at"]
    return last


def find_last_tick() -> datetime | None:
    return Heartbeat.objects.filter(name="tick").values_list("at", flat=True).first()


def check_broker() -> str:
    """`ok` or `away`. Opens a connection, which takes at most two seconds (see the broker options in the settings)."""
    broker = current_app.connection_for_write()
    try:
        broker.connect()
    except (OSError, *broker.connection_errors, *broker.channel_errors) as error:  # type: ignore[misc]
        logger.warning("broker_away", error=repr(error))
        return "away"
    finally:
        broker.release()
    return "ok"
