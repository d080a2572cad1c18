"""What beat does, installed once and edited by admins."""

from django_celery_beat.models import PeriodicTask

from sales.services import schedules


def test_installed_once_and_edits_stay(db, settings):
    schedules.install()
    PeriodicTask.objects.filter(name="Nightly rescoring").update(enabled=False)
    settings.TICK_SECONDS = 5
    schedules.install()
    rows = PeriodicTask.objects.exclude(name="celery.backend_cleanup").order_by("name")
    assert [(row.name, row.task, row.enabled) for row in rows] == [
        ("Nightly rescoring", "sales.rescore_nightly", False), ("Tick", "sales.tick", True),
    ]  # fmt: skip
    assert (rows[1].interval.every, rows[1].expire_seconds) == (5, 4)
