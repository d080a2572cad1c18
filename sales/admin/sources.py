"""The admin of lead sources, their spend, and the reasons for losing a lead."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from athena.admin.requests import get_user
from sales import policy
from sales.admin.base import ServiceAdmin
from sales.admin.imports.spend_import import SpendUpload
from sales.models import LeadSource, LostReason, SourceSpend
from sales.services import sources


class ManagedAdmin(ServiceAdmin):
    """Rows that the form validates and the service saves as a whole."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        sources.save(by=get_user(request), row=obj)

    def save_by_service(self, request: HttpRequest, obj: Any, values: dict[str, Any]) -> Model:
        raise AssertionError("save_model saves these rows as a whole")


@admin.register(LeadSource)
class LeadSourceAdmin(ManagedAdmin):
    rank = 4
    change_list_template = "admin/sales/leadsource/change_list.html"
    list_display = ("name", "channel", "cost_model", "unit_cost", "is_active")
    list_filter = ("channel", "cost_model", "is_active")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(SourceSpend)
class SourceSpendAdmin(SpendUpload, ManagedAdmin):
    change_list_template = "admin/sales/sourcespend/change_list.html"
    list_display = ("month", "source", "campaign", "amount")
    list_select_related = ("source",)
    list_filter = ("source",)
    ordering = ("-month", "source__name")
    date_hierarchy = "month"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return policy.may_delete_spend(get_user(request))

    def delete_model(self, request: HttpRequest, obj: SourceSpend) -> None:
        sources.delete_spend(by=get_user(request), row=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.register(LostReason)
class LostReasonAdmin(ManagedAdmin):
    list_display = ("label", "name", "is_active")
    ordering = ("id",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name",) if obj is not None else ()
