"""Cancelling follow-ups: first say which open leads would be left without a next step, and ask why."""

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

SHOWN = 20


class CancelForm(StrictForm):
    reason = forms.CharField(max_length=200, required=False, label="Why?")


class CancelPage(admin.ModelAdmin):  # type: ignore[type-arg]
    """The action of the list of follow-ups, which a follow-up's own page calls for itself."""

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
                "{count} cancelled.",
            )
            return None
        left = _left_without(queryset)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Cancel follow-ups",
            "opts": self.model._meta,
            "form": form,
            "follow_ups": queryset.select_related("lead")[:SHOWN],
            "left": left[:SHOWN],
            "left_count": left.count(),
            **confirmation.selection_context(request, queryset),
            "back": next_page(request, request.get_full_path()),
        }
        return TemplateResponse(request, "admin/sales/followup/cancel.html", context)


def _left_without(queryset: "QuerySet[FollowUp]") -> "QuerySet[Lead]":
    """The open leads whose every open follow-up is among these."""
    those = queryset.filter(cancelled_at__isnull=True, completed=False).order_by()
    others = FollowUp.objects.open().filter(lead=OuterRef("pk")).exclude(pk__in=those.values("pk"))
    return Lead.objects.open().filter(~Exists(others), pk__in=those.values("lead")).order_by("pk")
