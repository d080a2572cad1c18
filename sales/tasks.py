"""The Celery tasks of sales. Each task finds its work in the database and may run twice."""

import structlog
from celery import shared_task

from athena import task_names
from athena.models import Heartbeat
from athena.runtime.task_publisher import publish_task
from sales.services.follow_ups import digests, overdue, reminders
from sales.services.imports import import_batches, imports
from sales.services.leads import repeat_trips, unowned_alerts
from sales.services.ownership import transfer_undo
from sales.services.scoring import scoring_runs

logger = structlog.get_logger(__name__)


@shared_task(name=task_names.TICK)
def tick() -> None:
    """Publish every task that may have due work, each as a task of its own, so that none holds up another."""
    Heartbeat.beat("tick")
    for name in task_names.DUE_EVERY_TICK:
        publish_task(name)


@shared_task(name=task_names.REMIND)
def remind() -> None:
    logger.info("reminders_claimed", count=reminders.send_due_reminders())


@shared_task(name=task_names.REMIND_OVERDUE)
def remind_overdue() -> None:
    logger.info("overdue_reminded", count=overdue.send_overdue_notices())


@shared_task(name=task_names.ESCALATE)
def escalate() -> None:
    logger.info("escalated", count=overdue.escalate_to_managers() + unowned_alerts.escalate_unassigned_leads())


@shared_task(name=task_names.SEND_DIGESTS)
def digest() -> None:
    logger.info("digests_written", count=digests.send())


@shared_task(name=task_names.FILL_DERIVED_COLUMNS)
def fill_derived() -> None:
    logger.info("derived_filled", count=reminders.fill_derived_columns())


@shared_task(name=task_names.RUN_SCORING)
def score() -> None:
    logger.info("runs_worked", batches=scoring_runs.process_batches())


@shared_task(name=task_names.RETURN_LEADS)
def give_back() -> None:
    logger.info("batches_given_back", count=transfer_undo.return_due_batches())


@shared_task(name=task_names.IMPORT_LEADS)
def import_leads() -> None:
    logger.info("imports_worked", batches=import_batches.run_all())


@shared_task(name=task_names.FORGET_IMPORTS)
def forget_imports() -> None:
    logger.info("import_rows_forgotten", count=imports.delete_old_rows())


@shared_task(name=task_names.RESCORE_NIGHTLY)
def rescore_nightly() -> None:
    run = scoring_runs.start_run(by=None, reason="Nightly recalculation")
    logger.info("run_started", run=run.pk)


@shared_task(name=task_names.REPEAT_TRIPS_NIGHTLY)
def call_again_nightly() -> None:
    logger.info("trips_repeated", count=repeat_trips.repeat_due_trips())
