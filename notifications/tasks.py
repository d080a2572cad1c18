"""What the worker does for notifications."""

import structlog
from celery import shared_task

from notifications import delivery

logger = structlog.get_logger(__name__)


@shared_task(name="notifications.deliver")
def deliver() -> None:
    logger.info("delivered", **delivery.deliver())
