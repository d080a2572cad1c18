"""Leads: the list, the page with everything that belongs to a lead, reassigning and archiving."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import dateformat, timezone
from django.utils.html import format_html

from athena.accounts.models import User
from sales import policy
from sales.admin.base import ServiceAdmin, act_on_each, person
from sales.admin.lead_steps import LeadSteps
from sales.admin.reassign import reassign
from sales.models import Activity, CadenceEnrolment, FollowUp, Lead, LeadScoreHistory, LeadTransfer
from sales.models.lead import LeadQuerySet
from sales.scoring.compile import Compiled
from sales.scoring.explain import explain
from sales.services import leads

SHOWN = 20  # rows of each kind on a lead's page


class OwnerFilter(admin.SimpleListFilter):
    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        user = person(request)
        owns = Exists(Lead.objects.filter(assigned_to=OuterRef("pk")))
        helped = Lead.objects.filter(follow_ups__assigned_to=user.pk).order_by().values("assigned_to")
        people = User.objects.filter(Q(policy.people_in_reach_of(user), owns) | Q(pk__in=helped))
        names = people.values_list("pk", "full_name")
        return [("me", "Me"), ("none", "Nobody"), *((str(pk), name) for pk, name in names)]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        value = self.value()
        if value is None:
            return None
        if value == "none":
            return queryset.filter(assigned_to__isnull=True)
        owner = request.user.pk if value == "me" else value
        return queryset.filter(assigned_to=owner) if str(owner).isdigit() else queryset.none()


class PlanFilter(admin.SimpleListFilter):
    title, parameter_name = "next step", "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        unplanned = Lead.objects.visible_to(person(request)).unplanned().count()
        return [
            ("unplanned", f"Unplanned ({unplanned})"),
            ("overdue", "Overdue"),
            ("planned", "Planned"),
            ("trip_passed", "The trip has passed: close"),
            ("call_again", "Last year's trips: call again"),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "unplanned":
            return queryset.filter(pk__in=Lead.objects.unplanned().order_by().values("pk"))
        if self.value() == "overdue":
            return queryset.filter(pk__in=FollowUp.objects.overdue().order_by().values("lead"))
        if self.value() == "planned":
            return queryset.filter(pk__in=FollowUp.objects.open().order_by().values("lead"))
        if self.value() == "trip_passed":
            return queryset.filter(pk__in=Lead.objects.trip_passed().order_by().values("pk"))
        if self.value() == "call_again":
            return queryset.filter(pk__in=Lead.objects.call_again().order_by().values("pk"))
        return None


class ScoreFilter(admin.SimpleListFilter):
    title, parameter_name = "score", "score_band"
    bands = {
        "hot": (settings.HOT_SCORE, 100),
        "warm": (settings.HOT_SCORE // 2, settings.HOT_SCORE - 1),
        "cold": (0, settings.HOT_SCORE // 2 - 1),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"{name.title()} ({low} to {high})") for name, (low, high) in self.bands.items()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        band = self.bands.get(self.value() or "")
        return queryset.filter(score__range=band) if band else None


class ArchivedFilter(admin.SimpleListFilter):
    title, parameter_name = "archive", "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived")] if policy.is_manager(person(request)) else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(archived_at__isnull=self.value() != "yes")


@admin.register(Lead)
class LeadAdmin(LeadSteps, ServiceAdmin):
    list_display = ("name", "status", "score", "assigned_to", "next_step", "pickup", "value", "source")
    list_select_related = ("assigned_to", "source")
    list_filter = ("status", PlanFilter, ScoreFilter, OwnerFilter, "source", "trip_type", ArchivedFilter)
    search_fields = ("company_name", "contact_name", "email", "phone")
    search_help_text = "Company, contact, e-mail or phone; parts, in any order"
    ordering = ("-created_at", "-id")
    actions = ("cadence_selected", "repeat_selected", "reassign_selected", "archive_selected", "restore_selected")
    change_form_template = "admin/sales/lead/change_form.html"
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
        user = person(request)
        rows = Lead.objects.in_scope_of(user) if policy.is_manager(user) else Lead.objects.visible_to(user)
        return self.ordered(rows)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[LeadQuerySet, bool]:
        if request.path.endswith("/autocomplete/"):
            queryset = queryset.filter(archived_at__isnull=True)
        return queryset.search(search_term), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return (*self.fieldsets, ("So far", {"fields": (self.facts[:2], self.facts[2:5], self.facts[5:])}))
        first = (None, {"fields": (*self.fieldsets[0][1]["fields"], "assigned_to")})
        return (first if policy.is_manager(person(request)) else self.fieldsets[0], *self.fieldsets[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.facts if obj is not None else ()

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return ("assigned_to",) if request.user.has_perm("accounts.view_user") else ()

    def may_write(self, request: HttpRequest, obj: Lead) -> bool:
        return obj.archived_at is None and policy.may_write_lead(person(request), obj)

    def save_by_service(self, request: HttpRequest, obj: Lead, values: dict[str, Any]) -> Lead:
        if obj.pk is not None:
            return leads.update(by=person(request), lead_id=obj.pk, changes=values)
        owner = values.pop("assigned_to", None)
        return leads.create(by=person(request), values={**values, "assigned_to": owner and owner.pk})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        lead = kwargs.get("obj")
        if lead is not None:
            context["panels"] = _panels(lead)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="Lead", ordering="company_name")
    def name(self, lead: Lead) -> str:
        return str(lead)

    @admin.display(description="Next step", ordering="next_follow_up_date", empty_value="–")
    def next_step(self, lead: Lead) -> str | None:
        due = lead.next_follow_up_date
        if due is None:
            return None
        local = timezone.localtime(due)
        day = dateformat.format(local, "j M")
        return format_html('<span class="overdue">{}</span>', day) if local.date() < timezone.localdate() else day

    @admin.display(description="Pickup", ordering="pickup_at", empty_value="–")
    def pickup(self, lead: Lead) -> str | None:
        return dateformat.format(timezone.localtime(lead.pickup_at), "j M Y") if lead.pickup_at else None

    @admin.display(description="Value", ordering="estimated_value", empty_value="–")
    def value(self, lead: Lead) -> str | None:
        return None if lead.estimated_value is None else f"{lead.estimated_value:,.0f}"

    @admin.action(description="Reassign selected leads", permissions=["bulk_transfer"])
    def reassign_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return reassign(self, request, queryset)

    @admin.action(description="Archive selected leads", permissions=["archive"])
    def archive_selected(self, request: HttpRequest, queryset: Any) -> None:
        act_on_each(request, queryset, lambda pk: leads.archive(by=person(request), lead_id=pk), "{count} archived.")

    @admin.action(description="Restore selected leads", permissions=["archive"])
    def restore_selected(self, request: HttpRequest, queryset: Any) -> None:
        act_on_each(request, queryset, lambda pk: leads.restore(by=person(request), lead_id=pk), "{count} restored.")

    def has_bulk_transfer_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.bulk_transfer_lead")

    def has_archive_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("sales.delete_lead")


def _panels(lead: Lead) -> dict[str, Any]:
    """What belongs to a lead, the newest of each kind: one query each, whatever there is."""
    repeated_by = Lead.objects.filter(repeat_of=lead).first()
    return {
        "follow_ups": FollowUp.objects.filter(lead=lead)
        .select_related("assigned_to")
        .with_overdue()
        .order_by("completed", "-scheduled_date", "-id")[:SHOWN],
        "cadences": CadenceEnrolment.objects.filter(lead=lead).select_related("cadence").order_by("-id")[:SHOWN],
        "repeated_by": repeated_by,
        "may_be_repeated": lead.status == Lead.Status.WON and repeated_by is None and _has_begun(lead),
        "activities": Activity.objects.filter(lead=lead).select_related("user").order_by("-occurred_at", "-id")[:SHOWN],
        "why": explain(Compiled.active(), lead.pk, timezone.now()),
        "transfers": LeadTransfer.objects.filter(lead=lead)
        .select_related("from_user", "to_user", "transferred_by")
        .order_by("-transferred_at", "-id")[:SHOWN],
        "scores": LeadScoreHistory.objects.filter(lead=lead)
        .select_related("user")
        .order_by("-changed_at", "-id")[:SHOWN],
    }


def _has_begun(lead: Lead) -> bool:
    return lead.pickup_at is not None and lead.pickup_at < timezone.now()
