"""The admin of activities and of field changes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from athena.admin.requests import get_user
from sales import policy
from sales.admin.base import ServiceAdmin, ServiceForm, VisibleAdmin
from sales.models import Activity, FieldChange
from sales.services import activities
from sales.services.leads import sale_progress


class ActivityForm(ServiceForm):
    activity_type = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in activities.LOGGABLE_TYPES])
    amount = forms.DecimalField(
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=2,
        help_text="Only for a quote. Becomes the lead's quote amount.",
    )
    valid_until = forms.DateField(
        required=False,
        help_text="Only for a quote: the last day on which it is valid.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        activity = kwargs.get("instance")
        if activity is not None:
            kwargs["initial"] = sale_progress.parse_quote(activity.data) | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)


@admin.register(Activity)
class ActivityAdmin(ServiceAdmin):
    rank = 3
    form = ActivityForm
    list_display = ("occurred_at", "activity_type", "direction", "lead", "description", "user")
    list_select_related = ("lead", "user")
    list_filter = ("activity_type", "direction")
    search_fields = ("lead__company_name", "lead__contact_name", "description")
    ordering = ("-occurred_at", "-id")
    autocomplete_fields = ("lead",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ("lead", "activity_type", "direction", "description", "notes", "amount", "valid_until")
        return fields if obj is None else (*fields, "occurred_at", "user", "follow_up")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("lead", "user", "follow_up") if obj is not None else ()

    @admin.display(description="Amount")
    def amount(self, activity: Activity) -> Any:
        """The amount on the read-only page; the form has a field with this name."""
        return sale_progress.parse_quote(activity.data).get("amount") or "–"

    @admin.display(description="Valid until")
    def valid_until(self, activity: Activity) -> Any:
        return sale_progress.parse_quote(activity.data).get("valid_until") or "–"

    def page_after(self, obj: Activity) -> str:
        return reverse("admin:sales_lead_change", args=[obj.lead_id])

    def may_write(self, request: HttpRequest, obj: Activity) -> bool:
        return (
            obj.activity_type in activities.LOGGABLE_TYPES
            and obj.follow_up_id is None
            and policy.may_correct_activity(get_user(request), obj)
        )

    def save_by_service(self, request: HttpRequest, obj: Activity, values: dict[str, Any]) -> Activity:
        if obj.pk is not None:
            return activities.correct(by=get_user(request), activity_id=obj.pk, changes=values)
        return activities.log(by=get_user(request), lead_id=values.pop("lead").pk, **values)


@admin.register(FieldChange)
class FieldChangeAdmin(VisibleAdmin):
    list_display = ("at", "lead", "field", "old", "new", "by")
    list_select_related = ("lead", "by")
    ordering = ("-at", "-id")
