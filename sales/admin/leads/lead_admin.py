"""Leads: the list, the page with everything that belongs to a lead, reassigning and archiving."""

from functools import partial
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import dateformat, timezone
from django.utils.html import format_html

from athena.accounts.models import User
from athena.admin.confirmation import requires_confirmation
from athena.admin.requests import get_user
from athena.api.fields import EMAIL_ERROR
from athena.formatting import format_date, format_money
from sales import policy
from sales.admin.base import ServiceAdmin, ServiceForm, act_on_each, render_score
from sales.admin.imports.exports import export
from sales.admin.leads.duplicates import DuplicatePages, merge_selected
from sales.admin.leads.lead_filters import ArchivedFilter, OwnerFilter, PlanFilter, ScoreFilter, ViewFilter
from sales.admin.leads.next_steps import LeadSteps
from sales.admin.leads.timeline import TimelinePages, newest
from sales.admin.ownership.reassignment import reassign
from sales.forms import get_suggested_value, require_confirmed_value
from sales.models import CadenceEnrolment, FollowUp, Lead
from sales.models.lead import LeadQuerySet
from sales.queries.leads import duplicates, trip_warnings
from sales.scoring.compiler import CompiledRule
from sales.scoring.explanations import explain_score
from sales.services.leads import leads, merging

SHOWN = 20  # follow-ups on a lead's page


class LeadForm(ServiceForm):
    """A person confirms what a won lead was booked for: the quote or the estimate is only proposed."""

    def clean(self) -> dict[str, Any] | None:
        lead = cast(Lead, self.instance)
        was_won, was_booked = lead.status == Lead.Status.WON, lead.booked_value is not None
        values = super().clean() or {}
        wins = not was_won or was_booked
        if values.get("status") == Lead.Status.WON and wins and values.get("booked_value", 0) is None:
            require_confirmed_value(
                self, get_suggested_value(values.get("quote_amount"), values.get("estimated_value"))
            )
        return values


NOT_ZERO = ("estimated_passengers", "vehicles_needed")  # by hand: what is not known yet is left empty


@admin.register(Lead)
class LeadAdmin(LeadSteps, TimelinePages, DuplicatePages, ServiceAdmin):
    rank = 1
    form = LeadForm
    list_display = ("name", "status", "points", "assigned_to", "next_step", "pickup", "value", "source")
    list_filter = (ViewFilter, "status", PlanFilter, ScoreFilter, OwnerFilter, "source", "trip_type", ArchivedFilter)
    search_fields = ("company_name", "contact_name", "email", "phone")
    search_help_text = "Company, contact, e-mail or phone; parts, in any order"
    ordering = ("-created_at", "-id")
    actions = (
        *("cadence_selected", "repeat_selected", "reassign_selected", "merge_selected"),
        *("archive_selected", "restore_selected"),
    )
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
        ("Where it comes from", {"classes": ("collapse",), "fields": (
            ("source", "campaign"), ("utm_source", "utm_medium", "utm_campaign"), ("utm_term", "utm_content"),
        )}),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Lead]":
        """Archived leads too, for managers: the list hides them unless asked, and only it restores them."""
        user = get_user(request)
        rows = Lead.objects.in_scope_of(user) if policy.is_manager(user) else Lead.objects.visible_to(user)
        return self.ordered(rows.select_related("assigned_to", "source"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        exports = [
            path(f"export/{name}/", view(partial(export, self, file_format=name)), name=f"sales_lead_export_{name}")
            for name in ("csv", "xlsx")
        ]
        return [*exports, *super().get_urls()]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[LeadQuerySet, bool]:
        if request.path.endswith("/autocomplete/"):
            queryset = queryset.filter(archived_at__isnull=True)
        return queryset.search(search_term), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return (*self.fieldsets, ("So far", {"fields": (self.facts[:2], self.facts[2:5], self.facts[5:])}))
        first = (None, {"fields": (*self.fieldsets[0][1]["fields"], "assigned_to")})
        return (first if policy.is_manager(get_user(request)) else self.fieldsets[0], *self.fieldsets[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.facts if obj is not None else ()

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return ("assigned_to",) if request.user.has_perm("accounts.view_user") else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in NOT_ZERO:
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
        self.warn_of_duplicates(request, obj)
        return super().response_add(request, obj, *args, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        lead = kwargs.get("obj")
        if lead is not None:
            context["panels"], context["hot_score"] = _panels(lead, get_user(request)), settings.HOT_SCORE
            context["duplicates"] = duplicates.find_duplicates_of_lead(get_user(request), lead)
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
        local, today = timezone.localtime(due), timezone.localdate()
        state = "overdue" if local.date() < today else "today" if local.date() == today else "later"
        return format_html('<span class="due due-{}">{}</span>', state, dateformat.format(local, "j M"))

    @admin.display(description="Pickup", ordering="pickup_at", empty_value="–")
    def pickup(self, lead: Lead) -> str | None:
        return format_date(timezone.localtime(lead.pickup_at)) if lead.pickup_at else None

    @admin.display(description="Value", ordering="estimated_value", empty_value="–")
    def value(self, lead: Lead) -> str | None:
        return None if lead.estimated_value is None else format_money(lead.estimated_value)

    @admin.action(description="Reassign selected leads", permissions=["bulk_transfer"])
    def reassign_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return reassign(self, request, queryset)

    @admin.action(description="Merge selected leads", permissions=["merge"])
    def merge_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return merge_selected(request, list(queryset.values_list("pk", flat=True)[: merging.MAX_MERGED_LEADS + 1]))

    @admin.action(description="Archive selected leads", permissions=["archive"])
    @requires_confirmation("Archive", note="They leave all lists, and their open follow-ups are cancelled.")
    def archive_selected(self, request: HttpRequest, queryset: Any) -> None:
        act_on_each(request, queryset, lambda pk: leads.archive(by=get_user(request), lead_id=pk), "{count} archived.")

    @admin.action(description="Restore selected leads", permissions=["archive"])
    @requires_confirmation("Restore", note="Their follow-ups stay cancelled.", only_whole_lists=True)
    def restore_selected(self, request: HttpRequest, queryset: Any) -> None:
        act_on_each(request, queryset, lambda pk: leads.restore(by=get_user(request), lead_id=pk), "{count} restored.")

    def has_bulk_transfer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.bulk_transfer_lead")

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.merge_lead")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.delete_lead")


def _panels(lead: Lead, user: User) -> dict[str, Any]:
    """What belongs to a lead: its follow-ups, why it has its score, and the newest of its story. One query each."""
    theirs = FollowUp.objects.filter(lead=lead).select_related("assigned_to").with_overdue()
    repeats = Lead.objects.filter(repeat_of=lead)
    return {
        "next": theirs.open().order_by("due_at", "id").first(),
        "follow_ups": theirs.order_by("completed", "-scheduled_date", "-id")[:SHOWN],
        "cadences": CadenceEnrolment.objects.filter(lead=lead).select_related("cadence").order_by("-id")[:SHOWN],
        "repeated_by": repeats.visible_to(user).first(),
        "may_be_repeated": lead.status == Lead.Status.WON and _has_begun(lead) and not repeats.exists(),
        "why": explain_score(CompiledRule.load_active(), lead.pk, timezone.now()),
        "timeline": newest(lead),
    }


def _has_begun(lead: Lead) -> bool:
    return lead.pickup_at is not None and lead.pickup_at < timezone.now()
