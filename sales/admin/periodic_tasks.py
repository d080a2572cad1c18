"""The admin of Celery beat's schedules: the pages of django-celery-beat, with actions only for those who may change."""

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

admin.site.unregister([PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule])


@admin.register(ClockedSchedule)
class ClockedPages(AthenaModelAdmin, ClockedScheduleAdmin):  # type: ignore[misc]
    pass


@admin.register(IntervalSchedule)
class IntervalPages(AthenaModelAdmin, IntervalScheduleAdmin):  # type: ignore[misc]
    pass


@admin.register(SolarSchedule)
class SolarPages(AthenaModelAdmin, SolarScheduleAdmin):  # type: ignore[misc]
    pass


@admin.register(CrontabSchedule)
class CrontabPages(AthenaModelAdmin, CrontabScheduleAdmin):  # type: ignore[misc]
    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Take only known time zones: the package would look for a file of any name that is sent."""
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "timezone":
            field.coerce = _parse_zone
        return field


def _parse_zone(name: Any) -> ZoneInfo:
    if str(name) not in time_zones.list_names():
        raise ValueError("There is no such time zone.")
    return ZoneInfo(str(name))


class TaskForm(StrictRowForm, PeriodicTaskForm):  # type: ignore[misc]
    def clean(self) -> Any:
        """Skip the package's rules between fields if the task is invalid: they would say that it is missing."""
        return self.cleaned_data if "task" in self.errors else super().clean()


@admin.register(PeriodicTask)
class ScheduledTaskAdmin(AthenaModelAdmin, PeriodicTaskAdmin):  # type: ignore[misc]
    """Scheduled tasks. Enabling, disabling and running them needs the permission to change them."""

    form = TaskForm
    enable_tasks = requires_confirmation("Enable", only_whole_lists=True)(PeriodicTaskAdmin.enable_tasks)
    disable_tasks = requires_confirmation("Disable", note="Their work is no longer done.")(
        PeriodicTaskAdmin.disable_tasks
    )
    toggle_tasks = requires_confirmation("Toggle")(PeriodicTaskAdmin.toggle_tasks)
    run_tasks = requires_confirmation("Run")(PeriodicTaskAdmin.run_tasks)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Without the choice of a task for those who may only read."""
        fieldsets = super().get_fieldsets(request, obj)
        if self.has_change_permission(request, obj):
            return fieldsets
        (title, first), *others = fieldsets
        names = [name for name in first["fields"] if name != "regtask"]
        return [(title, {**first, "fields": names}), *others]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        return actions if self.has_change_permission(request) else {}
