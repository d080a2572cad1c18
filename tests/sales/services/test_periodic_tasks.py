"""The schedules of periodic tasks are installed once, and admins' edits of them stay."""

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from sales.services import periodic_tasks


def test_schedules_are_installed_once_and_edits_stay(db, settings):
    periodic_tasks.install()
    PeriodicTask.objects.filter(name="Nightly rescoring").update(enabled=False)
    settings.TICK_SECONDS = 5
    periodic_tasks.install()
    rows = PeriodicTask.objects.exclude(name="celery.backend_cleanup").order_by("name")
    assert [(row.name, row.task, row.enabled) for row in rows] == [
        ("Call again", "sales.call_again_nightly", True),
        ("Nightly clean-up", "athena.clean_up", True),
        ("Nightly end of old imports", "sales.forget_imports", True),
        ("Nightly rescoring", "sales.rescore_nightly", False),
        ("Tick", "sales.tick", True),
    ]
    assert rows[4].interval.every == 5
    assert rows[4].expire_seconds == 4


def test_an_edited_hour_stays_and_a_second_equal_interval_is_not_used(db, settings):
    periodic_tasks.install()
    IntervalSchedule.objects.create(every=settings.TICK_SECONDS, period="seconds")
    CrontabSchedule.objects.update(hour="9")
    periodic_tasks.install()
    crontab = CrontabSchedule.objects.get(periodictask__name="Nightly rescoring")
    assert crontab.hour == "9"
    assert PeriodicTask.objects.get(name="Tick").interval == IntervalSchedule.objects.earliest("pk")
