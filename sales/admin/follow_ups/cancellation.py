"""Canceling follow-ups, after a page that names the open leads that will have none, and asks for a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from athena.admin import confirmation
from athena.admin.requests import get_user
from athena.forms import StrictForm
from sales.admin.base import act_on_each
from sales.admin.navigation import next_page
from sales.models import FollowUp, Lead
from sales.services.follow_ups import follow_ups

MAX_LISTED = 20


class CancelForm(StrictForm):
    reason = forms.CharField(max_length=200, required=False, label="Reason")


class CancelPage(admin.ModelAdmin):  # type: ignore[type-arg]
    """The part of `FollowUpAdmin` that cancels the selected follow-ups of the list, or the one of a page."""

    @admin.action(description="Cancel selected follow-ups", permissions=["delete_any"])
    def cancel_selected(self, request: HttpRequest, queryset: "QuerySet[FollowUp]") -> HttpResponse | None:
        by, is_confirmed = get_user(request), confirmation.is_confirmed(request, queryset)
        form = CancelForm(request.POST if is_confirmed else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            act_on_each(
                request,
                queryset,
                lambda pk: follow_ups.cancel(by=by, follow_up_id=pk, reason=reason),
                "{count} canceled.",
            )
            return None
        unplanned_leads = _find_leads_left_unplanned(queryset)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Cancel follow-ups",
            "opts": self.model._meta,
            "form": form,
            "follow_ups": queryset.select_related("lead")[:MAX_LISTED],
            "unplanned_leads": unplanned_leads[:MAX_LISTED],
            "unplanned_count": unplanned_leads.count(),
            **confirmation.selection_context(request, queryset),
            "back": next_page(request, request.get_full_path()),
        }
        return TemplateResponse(request, "admin/sales/followup/cancel.html", context)


def _find_leads_left_unplanned(queryset: "QuerySet[FollowUp]") -> "QuerySet[Lead]":
    """The open leads that have no open follow-up other than these."""
    canceled = queryset.filter(cancelled_at__isnull=True, completed=False).order_by()
    others = FollowUp.objects.open().filter(lead=OuterRef("pk")).exclude(pk__in=canceled.values("pk"))
    return Lead.objects.open().filter(~Exists(others), pk__in=canceled.values("lead")).order_by("pk")
