"""The admin of leads: the list, the page of a lead, and the addresses of all other pages of leads."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from athena.admin.requests import get_user
from athena.api.fields import EMAIL_ERROR
from athena.formatting import format_date, format_money
from sales import policy
from sales.admin import timeline
from sales.admin.base import ServiceAdmin, ServiceForm, render_score
from sales.admin.imports.exports import export_list
from sales.admin.leads import duplicates, next_steps
from sales.admin.leads.lead_actions import ACTIONS
from sales.admin.leads.lead_filters import ArchivedFilter, OwnerFilter, PlanFilter, ScoreFilter, ViewFilter
from sales.admin.leads.lead_panels import build_panels
from sales.forms import get_suggested_value, require_confirmed_value
from sales.models import Lead
from sales.models.leads.lead import LeadQuerySet
from sales.queries.leads import trip_warnings
from sales.queries.leads.duplicates import find_duplicates_of_lead
from sales.services.leads import leads


class LeadForm(ServiceForm):
    """The form of a lead. It suggests the quote or the estimate as booked value, which a person must confirm."""

    def clean(self) -> dict[str, Any] | None:
        lead = cast(Lead, self.instance)
        was_won, was_booked = lead.status == Lead.Status.WON, lead.booked_value is not None
        values = super().clean() or {}
        needs_value = not was_won or was_booked
        if values.get("status") == Lead.Status.WON and needs_value and values.get("booked_value", 0) is None:
            require_confirmed_value(
                self, get_suggested_value(values.get("quote_amount"), values.get("estimated_value"))
            )
        return values


NONZERO_FIELDS = ("estimated_passengers", "vehicles_needed")  # people leave an unknown number empty


@admin.register(Lead)
class LeadAdmin(ServiceAdmin):
    """The list and the page of leads. Its other pages and actions are in the modules beside this one."""

    rank = 1
    form = LeadForm
    list_display = ("name", "status", "points", "assigned_to", "next_step", "pickup", "value", "source")
    list_filter = (ViewFilter, "status", PlanFilter, ScoreFilter, OwnerFilter, "source", "trip_type", ArchivedFilter)
    search_fields = ("company_name", "contact_name", "email", "phone")
    search_help_text = "Company, contact, email or phone; parts of words, in any order"
    ordering = ("-created_at", "-id")
    actions = ACTIONS
    change_form_template = "admin/sales/lead/change_form.html"
    change_list_template = "admin/sales/lead/change_list.html"
    facts = (
        "score",
        "assigned_to",
        "next_follow_up_date",
        "last_activity_at",
        "first_contacted_at",
        "closed_at",
        "created_at",
    )
    fieldsets = (
        (None, {"fields": (("company_name", "contact_name"), ("email", "phone"), ("status", "lost_reason"), "notes")}),
        ("Trip", {"fields": (
            ("trip_type", "estimated_passengers"), ("pickup_at", "return_at"), ("pickup_location", "dropoff_location"),
            ("vehicle_type", "vehicles_needed", "accessible_seats"), "itinerary",
        )}),
        ("Money", {"fields": (
            ("estimated_value", "quote_amount", "booked_value"), ("quote_valid_until", "bid_due_at"), "is_repeat",
        )}),
        ("Source", {"classes": ("collapse",), "fields": (
            ("source", "campaign"), ("utm_source", "utm_medium", "utm_campaign"), ("utm_term", "utm_content"),
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Lead]":
        """For managers, archived leads too: `ArchivedFilter` hides them, and the list can restore them."""
        user = get_user(request)
        rows = Lead.objects.in_scope_of(user) if policy.is_manager(user) else Lead.objects.visible_to(user)
        return self.ordered(rows.select_related("assigned_to", "source"))

    def get_urls(self) -> list[URLPattern]:
        """The pages of leads besides Django's own: address, view, and name after `sales_lead_`."""
        pages: tuple[tuple[str, Callable[..., HttpResponseBase], str], ...] = (
            ("export/csv/", partial(export_list, file_format="csv"), "export_csv"),
            ("export/xlsx/", partial(export_list, file_format="xlsx"), "export_xlsx"),
            ("duplicates/", duplicates.show_pairs, "duplicates"),
            ("merge/", duplicates.show_merge, "merge"),
            ("not-duplicate/", duplicates.dismiss_pair, "not_duplicate"),
            ("<int:pk>/timeline/", timeline.show_timeline, "timeline"),
            ("<int:pk>/stop-cadence/", next_steps.stop_cadence, "stop_cadence"),
            ("<int:pk>/repeat/", next_steps.create_repeat_lead, "repeat"),
        )  # fmt: skip
        view = self.admin_site.admin_view
        own = [path(address, view(partial(show, self)), name=f"sales_lead_{name}") for address, show, name in pages]
        return [*own, *super().get_urls()]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[LeadQuerySet, bool]:
        if request.path.endswith("/autocomplete/"):
            queryset = queryset.filter(archived_at__isnull=True)
        return queryset.search(search_term), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return (*self.fieldsets, ("Progress", {"fields": (self.facts[:2], self.facts[2:5], self.facts[5:])}))
        if not policy.is_manager(get_user(request)):
            return self.fieldsets
        with_owner = (None, {"fields": (*self.fieldsets[0][1]["fields"], "assigned_to")})
        return (with_owner, *self.fieldsets[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.facts if obj is not None else ()

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return ("assigned_to",) if policy.may_search_users(get_user(request)) else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in NONZERO_FIELDS:
            kwargs["min_value"] = 1
        if db_field.name == "email":
            kwargs |= {"form_class": forms.EmailField, "error_messages": {"invalid": EMAIL_ERROR}}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def may_write(self, request: HttpRequest, obj: Lead) -> bool:
        return obj.archived_at is None and policy.may_change_lead(get_user(request), obj)

    def page_after(self, obj: Lead) -> str:
        return reverse("admin:sales_lead_change", args=[obj.pk])

    def save_by_service(self, request: HttpRequest, obj: Lead, values: dict[str, Any]) -> Lead:
        if obj.pk is not None:
            return leads.update(by=get_user(request), lead_id=obj.pk, changes=values, versions={obj.version})
        owner = values.pop("assigned_to", None)
        return leads.create(by=get_user(request), values={**values, "assigned_to": owner and owner.pk})

    def response_add(self, request: HttpRequest, obj: Lead, *args: Any, **kwargs: Any) -> HttpResponse:
        duplicates.warn_of_duplicates(request, obj)
        return super().response_add(request, obj, *args, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        lead = kwargs.get("obj")
        if lead is not None:
            context["panels"], context["hot_score"] = build_panels(lead, get_user(request)), settings.HOT_SCORE
            context["duplicates"] = find_duplicates_of_lead(get_user(request), lead)
            context["warnings"] = trip_warnings.list_warnings(vars(lead))
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    @admin.display(description="Lead", ordering="company_name")
    def name(self, lead: Lead) -> str:
        return str(lead)

    @admin.display(description="Score", ordering="score")
    def points(self, lead: Lead) -> str:
        return format_html(
            '{}<svg class="score-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
            '<rect width="100" height="4"/><rect width="{}" height="4"/></svg>',
            render_score(lead.score),
            lead.score,
        )

    @admin.display(description="Next step", ordering="next_follow_up_date", empty_value="–")
    def next_step(self, lead: Lead) -> str | None:
        due = lead.next_follow_up_date
        if due is None:
            return None
        due_date, today = timezone.localdate(due), timezone.localdate()
        state = "overdue" if due_date < today else "today" if due_date == today else "later"
        return format_html('<span class="due due-{}">{}</span>', state, format_date(due_date))

    @admin.display(description="Pickup", ordering="pickup_at", empty_value="–")
    def pickup(self, lead: Lead) -> str | None:
        return format_date(timezone.localtime(lead.pickup_at)) if lead.pickup_at else None

    @admin.display(description="Value", ordering="estimated_value", empty_value="–")
    def value(self, lead: Lead) -> str | None:
        return None if lead.estimated_value is None else format_money(lead.estimated_value)

    def has_bulk_transfer_permission(self, request: HttpRequest) -> bool:
        return policy.may_transfer_many_leads(get_user(request))

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return policy.may_merge_leads(get_user(request))

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return policy.may_archive_leads(get_user(request))
