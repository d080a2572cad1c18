"""What beat does and when: the pages of django-celery-beat, which offer their actions to those who only read, too."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    IntervalScheduleAdmin,
    PeriodicTaskAdmin,
    SolarScheduleAdmin,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from athena.accounts.confirm import confirmed
from athena.accounts.site import OwnColumnsAdmin

SCHEDULES = {
    ClockedSchedule: ClockedScheduleAdmin,
    CrontabSchedule: CrontabScheduleAdmin,
    IntervalSchedule: IntervalScheduleAdmin,
    SolarSchedule: SolarScheduleAdmin,
}
admin.site.unregister([PeriodicTask, *SCHEDULES])
for model, pages in SCHEDULES.items():
    admin.site.register(model, type(pages.__name__, (OwnColumnsAdmin, pages), {}))


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(OwnColumnsAdmin, PeriodicTaskAdmin):  # type: ignore[misc]
    """Switching tasks on and off, and running them at once, changes them."""

    enable_tasks = confirmed("Enable", only_whole_lists=True)(PeriodicTaskAdmin.enable_tasks)
    disable_tasks = confirmed("Disable", note="What they do is not done any more.")(PeriodicTaskAdmin.disable_tasks)
    toggle_tasks = confirmed("Toggle")(PeriodicTaskAdmin.toggle_tasks)
    run_tasks = confirmed("Run")(PeriodicTaskAdmin.run_tasks)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        return actions if self.has_change_permission(request) else {}
