"""The admin of follow-ups: the list by day, and the pages to plan, change, snooze and subscribe to them."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from athena.accounts import services as accounts
from athena.admin.requests import get_user
from athena.api.row_ids import parse_id
from athena.formatting import format_datetime
from sales import errors, policy
from sales.admin.base import ServiceAdmin
from sales.admin.follow_ups import follow_up_columns as columns
from sales.admin.follow_ups.cancellation import CancelPage
from sales.admin.follow_ups.completion import CompletionPage, show_warnings
from sales.admin.follow_ups.follow_up_filters import (
    AssigneeFilter,
    DayFilter,
    StateFilter,
    filter_by_assignee,
    get_state,
)
from sales.admin.navigation import next_page
from sales.models import FollowUp
from sales.models.follow_ups.follow_up import DUE_ORDER
from sales.queries.home.follow_up_days import DayConditions
from sales.services.follow_ups import follow_ups, reminders

SNOOZE_MINUTES = ("30", "120", "1440")  # the choices on the page


@admin.register(FollowUp)
class FollowUpAdmin(CompletionPage, CancelPage, ServiceAdmin):
    rank = 2
    list_display_links = None  # the columns link to the follow-up, its lead and its completion
    list_display = (columns.due, columns.task, columns.score, columns.phone, "assigned_to", columns.state)
    list_select_related = ("lead", "assigned_to")
    list_filter = (DayFilter, AssigneeFilter, StateFilter, "follow_up_type", "outcome")
    search_fields = ("lead__company_name", "lead__contact_name")
    ordering = DUE_ORDER
    actions = ("cancel_selected",)
    change_form_template = "admin/sales/followup/change_form.html"
    change_list_template = "admin/sales/followup/change_list.html"
    autocomplete_fields = ("lead",)
    closing_fields = (
        "completed_at",
        "completed_by",
        "outcome",
        "outcome_notes",
        "no_next_reason",
        "cancelled_at",
        "cancel_reason",
    )

    def get_queryset(self, request: HttpRequest) -> "QuerySet[FollowUp]":
        rows = FollowUp.objects.visible_to(get_user(request)).with_overdue()
        return self.ordered(rows)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return columns.FollowUpChangeList

    def get_ordering(self, request: HttpRequest) -> Any:
        """Open follow-ups: those due first. Others: the latest first."""
        return self.ordering if get_state(request) in ("open", "overdue") else ("-scheduled_date", "-id")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the number of open follow-ups by day."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            user, selected_day, assignee = get_user(request), request.GET.get("day"), request.GET.get("whose")
            rows = filter_by_assignee(FollowUp.objects.visible_to(user), assignee, user)
            response.context_data |= {
                "day_counts": DayConditions(user).count_by_day(rows, selected_day),
                "selected_day": selected_day,
                "assignee": assignee,
            }
        return response

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["lead", "follow_up_type", "scheduled_date", "scheduled_time", "notes"]
        if policy.is_manager(get_user(request)) or obj is not None:
            fields.append("assigned_to")
        return [*fields, *self.closing_fields] if obj is not None and not obj.is_open else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return (
            ("lead", *self.closing_fields)
            if policy.is_manager(get_user(request))
            else ("lead", "assigned_to", *self.closing_fields)
        )

    def get_autocomplete_fields(self, request: HttpRequest) -> Any:
        return ("lead", "assigned_to") if policy.may_search_users(get_user(request)) else ("lead",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "assigned_to" in form.base_fields and obj is None:
            form.base_fields["assigned_to"].required = False
            form.base_fields["assigned_to"].help_text = "Default: yourself."
        return form

    def may_write(self, request: HttpRequest, obj: FollowUp) -> bool:
        """Whether the page has fields. A POST to a follow-up that was completed meanwhile is refused by the service."""
        may = policy.may_change_follow_up(get_user(request), obj)
        return may and (obj.is_open or request.method == "POST")

    def page_after(self, obj: FollowUp) -> str:
        return reverse("admin:sales_lead_change", args=[obj.lead_id])

    def save_by_service(self, request: HttpRequest, obj: FollowUp, values: dict[str, Any]) -> FollowUp:
        by = get_user(request)
        if "assigned_to" in values:
            values["assigned_to"] = values["assigned_to"].pk
        if obj.pk is not None:
            saved = follow_ups.update(by=by, follow_up_id=obj.pk, changes=values, versions={obj.version})
        else:
            saved = follow_ups.create(by=by, lead_id=values.pop("lead").pk, **values)
        show_warnings(request, saved)
        return saved

    def has_delete_any_permission(self, request: HttpRequest) -> bool:
        return policy.may_cancel_many_follow_ups(get_user(request))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("calendar/", view(self.calendar_view), name="sales_followup_calendar"),
            path("<int:pk>/snooze/", view(self.snooze_view), name="sales_followup_snooze"),
            *super().get_urls(),
        ]

    def snooze_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Snooze a follow-up for so many `minutes` (POST)."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.get_queryset(request).filter(pk=pk).exists():
            raise Http404
        minutes = request.POST.get("minutes", "")
        until = timezone.now() + timedelta(minutes=int(minutes) if minutes in SNOOZE_MINUTES else 0)
        try:
            snoozed = follow_ups.snooze(by=get_user(request), follow_up_id=pk, until=until)
        except errors.NotAllowed as error:
            raise PermissionDenied from error
        except errors.SalesError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{snoozed.assigned_to} is reminded on {format_datetime(until)}.")
        return HttpResponseRedirect(next_page(request, reverse("admin:sales_followup_change", args=[pk])))

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        """Show the secret address of the user's calendar; POST creates a new one."""
        user = get_user(request)
        if request.method == "POST":
            user = accounts.renew_calendar_token(by=user)
            messages.success(request, "This is your new address. The old one no longer works.")
        context = {
            **self.admin_site.each_context(request),
            "title": "Your calendar",
            "opts": self.model._meta,
            "feed": accounts.calendar_url(user),
        }
        return TemplateResponse(request, "admin/sales/followup/calendar.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of a follow-up, with its reminders and their deliveries."""
        follow_up = self.get_queryset(request).filter(pk=parse_id(object_id) or 0).first()
        rows = reminders.find_reminders(follow_up) if follow_up is not None else None
        return super().change_view(request, object_id, form_url, {"reminders": rows} | (extra_context or {}))
