"""Whether beat, the workers and the broker are alive: for `/readyz`, for `/metrics`, and for people in the admin."""

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
    """Seconds after which a beat or a worker that has not ticked is in trouble."""
    return 3 * int(settings.TICK_SECONDS) + 10


def measure_ages() -> dict[str, int | None]:
    """Seconds since beat and the worker last ticked; None: never."""
    return {"beat": seconds_since(find_last_beat()), "worker": seconds_since(find_last_tick())}


def seconds_since(moment: datetime | None) -> int | None:
    """In whole seconds."""
    return None if moment is None else max(0, round((timezone.now() - moment).total_seconds()))


def find_last_beat() -> datetime | None:
    beats = PeriodicTask.objects.filter(task=task_names.TICK)
    last: datetime | None = beats.aggregate(at=Max("last_run_at"))["at"]
    return last


def find_last_tick() -> datetime | None:
    return Heartbeat.objects.filter(name="tick").values_list("at", flat=True).first()


def check_broker() -> str:
    """`ok` or `away`. Opens a connection, which waits two seconds at most (see the broker's options in settings)."""
    broker = current_app.connection_for_write()
    try:
        broker.connect()
    except (OSError, *broker.connection_errors, *broker.channel_errors) as error:  # type: ignore[misc]
        logger.warning("broker_away", error=repr(error))
        return "away"
    finally:
        broker.release()
    return "ok"
