"""The tasks of the system itself."""

import structlog
from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from athena import task_names
from athena.accounts import lockout
from athena.accounts.models import LoginSession
from athena.api import idempotency, throttles

logger = structlog.get_logger(__name__)


@shared_task(name=task_names.CLEAN_UP)
def clean_up() -> None:
    """Delete expired idempotency keys, failed logins, throttle counts and sessions."""
    now = timezone.now()
    logger.info(
        "cleaned_up",
        idempotency_keys=idempotency.delete_expired(),
        failed_logins=lockout.delete_expired(),
        throttle_counts=throttles.delete_expired(),
        login_sessions=LoginSession.objects.filter(expires_at__lt=now).delete()[0],
        sessions=Session.objects.filter(expire_date__lt=now).delete()[0],
    )
