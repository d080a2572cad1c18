"""The schedules of Celery beat: rows that an administrator may edit. Missing ones are created at start-up."""

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from athena import task_names

NIGHTLY_UTC = ("30", "7")  # minute and hour: the small hours in North America


@transaction.atomic
def install() -> None:
    """Create the schedules that are missing. The tick's interval follows TICK_SECONDS; the others stay as edited."""
    tick, _ = PeriodicTask.objects.get_or_create(
        name="Tick",
        defaults={
            "task": task_names.TICK,
            "interval": _get_interval(settings.TICK_SECONDS),
            "description": "Starts reminders, email and scoring. Its interval is the setting TICK_SECONDS.",
        },
    )
    # A tick that has waited for a worker until the next one came has nothing left to do.
    PeriodicTask.objects.filter(pk=tick.pk).update(
        interval=_get_interval(settings.TICK_SECONDS), expire_seconds=max(settings.TICK_SECONDS - 1, 1)
    )
    for name, task, description in (
        (
            "Nightly rescoring",
            task_names.RESCORE_NIGHTLY,
            "Rescores all open leads, for rules that depend on the date.",
        ),
        (
            "Call again",
            task_names.REPEAT_TRIPS_NIGHTLY,
            "Creates leads for last year's trips, with CALL_AGAIN_BY_ITSELF=1.",
        ),
        ("Nightly end of old imports", task_names.FORGET_IMPORTS, "Deletes the rows of old import files."),
        ("Nightly clean-up", task_names.CLEAN_UP, "Deletes expired sessions, keys and counts."),
    ):
        defaults = {"task": task, "crontab": _get_nightly, "description": description}
        PeriodicTask.objects.get_or_create(name=name, defaults=defaults)
    PeriodicTasks.update_changed()


def _get_interval(seconds: int) -> IntervalSchedule:
    """The interval of so many seconds. An administrator may have created it twice: the older one."""
    values = {"every": seconds, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**values).order_by("pk").first() or IntervalSchedule.objects.create(**values)


def _get_nightly() -> CrontabSchedule:
    values = {"minute": NIGHTLY_UTC[0], "hour": NIGHTLY_UTC[1], "timezone": "UTC"}
    return CrontabSchedule.objects.filter(**values).order_by("pk").first() or CrontabSchedule.objects.create(**values)
