"""What the worker does for sales. Each task finds its work in the database and may run twice."""

import structlog
from celery import shared_task

from athena.models import Heartbeat
from athena.runtime.task_publisher import wake
from sales.services.follow_ups import digests, overdue, reminders
from sales.services.imports import import_batches, imports
from sales.services.leads import repeat_trips, unowned_alerts
from sales.services.ownership import transfer_undo
from sales.services.scoring import scoring_runs

logger = structlog.get_logger(__name__)


@shared_task(name="sales.tick")
def tick() -> None:
    """Beat's minute: wake everything that may have work, each by itself so that none stops another."""
    Heartbeat.beat("tick")
    for task in (
        *("sales.remind", "sales.remind_overdue", "sales.escalate", "sales.digest"),
        *("sales.fill_derived", "sales.score", "sales.import_leads", "sales.give_back", "notifications.deliver"),
    ):
        wake(task)


@shared_task(name="sales.remind")
def remind() -> None:
    logger.info("reminders_claimed", count=reminders.claim_due())


@shared_task(name="sales.remind_overdue")
def remind_overdue() -> None:
    logger.info("overdue_reminded", count=overdue.remind())


@shared_task(name="sales.escalate")
def escalate() -> None:
    logger.info("escalated", count=overdue.escalate() + unowned_alerts.escalate())


@shared_task(name="sales.digest")
def digest() -> None:
    logger.info("digests_written", count=digests.send())


@shared_task(name="sales.fill_derived")
def fill_derived() -> None:
    logger.info("derived_filled", count=reminders.fill_derived())


@shared_task(name="sales.score")
def score() -> None:
    logger.info("runs_worked", batches=scoring_runs.process_batches())


@shared_task(name="sales.give_back")
def give_back() -> None:
    logger.info("batches_given_back", count=transfer_undo.return_due_batches())


@shared_task(name="sales.import_leads")
def import_leads() -> None:
    logger.info("imports_worked", batches=import_batches.work())


@shared_task(name="sales.forget_imports")
def forget_imports() -> None:
    logger.info("import_rows_forgotten", count=imports.forget())


@shared_task(name="sales.rescore_nightly")
def rescore_nightly() -> None:
    run = scoring_runs.start_run(by=None, reason="Nightly recalculation")
    logger.info("run_started", run=run.pk)


@shared_task(name="sales.call_again_nightly")
def call_again_nightly() -> None:
    logger.info("trips_repeated", count=repeat_trips.repeat_due())
