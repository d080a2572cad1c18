"""What happened: the log, and the changes of fields."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from sales.admin.base import ServiceAdmin, ServiceForm, VisibleAdmin, person
from sales.models import Activity, FieldChange
from sales.services import activities


class ActivityForm(ServiceForm):
    activity_type = forms.ChoiceField(choices=[(each.value, each.label) for each in activities.LOGGABLE])


@admin.register(Activity)
class ActivityAdmin(ServiceAdmin):
    form = ActivityForm
    list_display = ("occurred_at", "activity_type", "direction", "lead", "description", "user")
    list_select_related = ("lead", "user")
    list_filter = ("activity_type", "direction")
    search_fields = ("lead__company_name", "lead__contact_name", "description")
    ordering = ("-occurred_at", "-id")
    autocomplete_fields = ("lead",)
    fields = ("lead", "activity_type", "direction", "description", "notes")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_by_service(self, request: HttpRequest, obj: Activity, values: dict[str, Any]) -> Activity:
        return activities.log(by=person(request), lead_id=values.pop("lead").pk, **values)


@admin.register(FieldChange)
class FieldChangeAdmin(VisibleAdmin):
    list_display = ("at", "lead", "field", "old", "new", "by")
    list_select_related = ("lead", "by")
    ordering = ("-at", "-id")
