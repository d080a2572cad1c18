"""What beat does and when: rows that an admin may edit, put there where they are missing."""

from django.conf import settings
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from athena import task_names

NIGHTLY_UTC = ("30", "7")  # minute and hour: the small hours in North America


@transaction.atomic
def install() -> None:
    """Make the schedules that are missing. The tick's interval follows TICK_SECONDS; all else stays as edited."""
    tick, _ = PeriodicTask.objects.get_or_create(
        name="Tick",
        defaults={
            "task": task_names.TICK,
            "interval": _every(settings.TICK_SECONDS),
            "description": "Wakes reminders, mail and scoring. Its interval is the setting TICK_SECONDS.",
        },
    )
    # A tick that waited for a worker longer than until the next one is of no use any more.
    PeriodicTask.objects.filter(pk=tick.pk).update(
        interval=_every(settings.TICK_SECONDS), expire_seconds=max(settings.TICK_SECONDS - 1, 1)
    )
    for name, task, description in (
        (
            "Nightly rescoring",
            task_names.RESCORE_NIGHTLY,
            "Scores all open leads again, for rules that depend on time.",
        ),
        (
            "Call again",
            task_names.REPEAT_TRIPS_NIGHTLY,
            "Makes new leads of last year's trips, with CALL_AGAIN_BY_ITSELF=1.",
        ),
        ("Nightly end of old imports", task_names.FORGET_IMPORTS, "Deletes what the files of old imports held."),
        ("Nightly clean-up", task_names.CLEAN_UP, "Deletes sessions, keys and counts whose time is over."),
    ):
        defaults = {"task": task, "crontab": _nightly, "description": description}
        PeriodicTask.objects.get_or_create(name=name, defaults=defaults)
    PeriodicTasks.update_changed()


def _every(seconds: int) -> IntervalSchedule:
    """That interval; the first, where an admin has made it a second time."""
    wanted = {"every": seconds, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**wanted).order_by("pk").first() or IntervalSchedule.objects.create(**wanted)


def _nightly() -> CrontabSchedule:
    wanted = {"minute": NIGHTLY_UTC[0], "hour": NIGHTLY_UTC[1], "timezone": "UTC"}
    return CrontabSchedule.objects.filter(**wanted).order_by("pk").first() or CrontabSchedule.objects.create(**wanted)
