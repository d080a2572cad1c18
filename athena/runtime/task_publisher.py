"""Wake a task by name once the caller's transaction is committed.

The work is already a row, so a message that cannot be published costs a delay (the next tick finds the row), never
the work and never the request: a failure is logged. The broker options in settings bound the wait to two seconds; after
a failure nothing is published for a while, so that a request that wakes several tasks, and those after it, wait once.
"""

import math
import time
from functools import partial
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

from athena.runtime.logs import request_id

logger = structlog.get_logger(__name__)

REST_SECONDS = 10.0


class _Broker:
    asleep_until = -math.inf


def wake(task_name: str, *args: Any) -> None:
    """Publish `task_name` after commit (at once outside a transaction). Never raises for a broker that is away."""
    transaction.on_commit(partial(_publish, task_name, args))


def _publish(task_name: str, args: tuple[Any, ...]) -> None:
    if time.monotonic() < _Broker.asleep_until:
        return
    try:
        current_app.send_task(task_name, args=args, retry=False, headers={"request_id": request_id()})
    except (OSError, KombuError) as error:
        _Broker.asleep_until = time.monotonic() + REST_SECONDS
        logger.warning("wake_failed", task=task_name, error=repr(error))
