"""Publishes tasks by name, once the caller's transaction is committed.

The work itself is a row in the database. If a task cannot be published, the failure is logged and the next tick finds
the row: the work is delayed, never lost, and the request does not fail. The broker options in the settings limit the
wait to two seconds. After a failure nothing is published for `PAUSE_SECONDS`, so that a request that publishes several
tasks, and the requests after it, wait only once.
"""

import math
import time
from functools import partial

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import KombuError

from athena.runtime.logs import current_request_id

logger = structlog.get_logger(__name__)

PAUSE_SECONDS = 10.0


class _Broker:
    paused_until = -math.inf  # time.monotonic()


def publish_task(name: str) -> None:
    """Publish a task (see `athena.task_names`) after the commit, or at once outside a transaction.

    Never raises an error because the broker is unavailable.
    """
    transaction.on_commit(partial(_publish, name))


def _publish(name: str) -> None:
    if time.monotonic() < _Broker.paused_until:
        return
    try:
        current_app.send_task(name, retry=False, headers={"request_id": current_request_id()})
    except (OSError, KombuError) as error:
        _Broker.paused_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("task_not_published", task=name, error=repr(error))
