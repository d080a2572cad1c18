"""The Celery task that sends notifications."""

import structlog
from celery import shared_task

from athena import task_names
from notifications import delivery

logger = structlog.get_logger(__name__)


@shared_task(name=task_names.DELIVER)
def deliver() -> None:
    """Send what is due on all channels and log how the deliveries ended."""
    logger.info("delivered", **delivery.deliver())
