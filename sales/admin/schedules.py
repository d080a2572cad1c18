"""What beat does and when: the pages of django-celery-beat, which offer their actions to those who only read, too."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.admin import (
    ClockedScheduleAdmin,
    CrontabScheduleAdmin,
    IntervalScheduleAdmin,
    PeriodicTaskAdmin,
    PeriodicTaskForm,
    SolarScheduleAdmin,
)
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from athena import time_zones
from athena.admin.confirmation import requires_confirmation
from athena.admin.site import AthenaModelAdmin
from athena.forms import StrictRowForm


class CrontabPages(CrontabScheduleAdmin):  # type: ignore[misc]
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The package looks for a file of the zone's name, whatever was sent."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "timezone":
            field.coerce = _zone
        return field


def _zone(name: Any) -> ZoneInfo:
    if str(name) not in time_zones.list_names():
        raise ValueError("There is no such time zone.")
    return ZoneInfo(str(name))


SCHEDULES = {
    ClockedSchedule: ClockedScheduleAdmin,
    CrontabSchedule: CrontabPages,
    IntervalSchedule: IntervalScheduleAdmin,
    SolarSchedule: SolarScheduleAdmin,
}
admin.site.unregister([PeriodicTask, *SCHEDULES])
for model, pages in SCHEDULES.items():
    admin.site.register(model, type(pages.__name__, (AthenaModelAdmin, pages), {}))


class TaskForm(StrictRowForm, PeriodicTaskForm):  # type: ignore[misc]
    def clean(self) -> Any:
        """The package's rules between fields ask for a name of the task, even where one was typed and refused."""
        return self.cleaned_data if "task" in self.errors else super().clean()


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(AthenaModelAdmin, PeriodicTaskAdmin):  # type: ignore[misc]
    """Switching tasks on and off, and running them at once, changes them."""

    form = TaskForm
    enable_tasks = requires_confirmation("Enable", only_whole_lists=True)(PeriodicTaskAdmin.enable_tasks)
    disable_tasks = requires_confirmation("Disable", note="What they do is not done any more.")(
        PeriodicTaskAdmin.disable_tasks
    )
    toggle_tasks = requires_confirmation("Toggle")(PeriodicTaskAdmin.toggle_tasks)
    run_tasks = requires_confirmation("Run")(PeriodicTaskAdmin.run_tasks)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only read has no use for the list that a task is chosen from."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        (title, first), *others = fieldsets
        names = [name for name in first["fields"] if name != "regtask"]
        return [(title, {**first, "fields": names}), *others]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        return actions if self.has_change_permission(request) else {}
