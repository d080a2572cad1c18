"""What beat does and when: rows that an admin may edit, put there where they are missing."""

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

NIGHTLY_UTC = ("30", "7")  # minute and hour: the small hours in North America


@transaction.atomic
def install() -> None:
    """Make the schedules that are missing. The tick's interval follows TICK_SECONDS; all else stays as edited."""
    tick, _ = IntervalSchedule.objects.get_or_create(every=settings.TICK_SECONDS, period=IntervalSchedule.SECONDS)
    row, _ = PeriodicTask.objects.get_or_create(
        name="Tick",
        defaults={
            "task": "sales.tick",
            "interval": tick,
            "description": "Wakes reminders, mail and scoring. Its interval is the setting TICK_SECONDS.",
        },
    )
    # A tick that waited for a worker longer than until the next one is of no use any more.
    PeriodicTask.objects.filter(pk=row.pk).update(interval=tick, expire_seconds=max(settings.TICK_SECONDS - 1, 1))
    minute, hour = NIGHTLY_UTC
    night, _ = CrontabSchedule.objects.get_or_create(minute=minute, hour=hour, timezone="UTC")
    PeriodicTask.objects.get_or_create(
        name="Nightly rescoring",
        defaults={
            "task": "sales.rescore_nightly",
            "crontab": night,
            "description": "Scores all open leads again, for rules that depend on time.",
        },
    )
    PeriodicTasks.update_changed()
