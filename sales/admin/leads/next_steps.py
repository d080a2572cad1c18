"""What comes next for leads: putting them on a cadence, taking them off it, calling again about last year's trip."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from athena.admin.confirmation import is_confirmed, requires_confirmation, selection_context
from athena.admin.requests import get_user
from athena.forms import StrictForm
from sales import errors
from sales.admin.base import act_on_each
from sales.admin.navigation import next_page
from sales.models import Cadence
from sales.services.follow_ups import cadences
from sales.services.leads import repeat_trips


class CadenceForm(StrictForm):
    cadence = forms.ModelChoiceField(Cadence.objects.filter(is_active=True), label="Cadence")


class LeadSteps(admin.ModelAdmin):  # type: ignore[type-arg]
    """The pages and actions of leads that say what comes next."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/stop-cadence/", view(self.stop_cadence_view), name="sales_lead_stop_cadence"),
            path("<int:pk>/repeat/", view(self.repeat_view), name="sales_lead_repeat"),
            *super().get_urls(),
        ]

    def stop_cadence_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the lead off its cadence."""
        return self._write(request, pk, self._stop)

    def repeat_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a new lead of a won trip, and open that."""
        return self._write(request, pk, self._repeat)

    def _write(self, request: HttpRequest, pk: int, act: Any) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.get_queryset(request).filter(pk=pk).exists():
            raise Http404
        try:
            pk = act(request, pk)
        except errors.NotAllowed as error:
            raise PermissionDenied from error
        except errors.SalesError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(next_page(request, reverse("admin:sales_lead_change", args=[pk])))

    def _stop(self, request: HttpRequest, pk: int) -> int:
        stopped = cadences.stop(by=get_user(request), lead_id=pk)
        messages.success(request, f"The lead is off “{stopped.cadence}”. What is planned stays planned.")
        return pk

    def _repeat(self, request: HttpRequest, pk: int) -> int:
        lead = repeat_trips.repeat_trip(by=get_user(request), lead_id=pk)
        messages.success(request, "This is the new lead of last year's trip, with its data and a call to make.")
        return int(lead.pk)

    @admin.action(description="Put selected leads on a cadence")
    def cadence_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        form = CadenceForm(request.POST if "step" in request.POST else None)
        if form.is_valid() and is_confirmed(request, queryset):
            cadence = form.cleaned_data["cadence"]
            act_on_each(
                request,
                queryset,
                lambda pk: cadences.enroll(by=get_user(request), lead_id=pk, cadence_id=cadence.pk),
                "{count} put on the cadence.",
            )
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Put on a cadence",
            "opts": self.model._meta,
            "form": form,
            "cadences": Cadence.objects.filter(is_active=True).prefetch_related("steps"),
            **selection_context(request, queryset),
        }
        return TemplateResponse(request, "admin/sales/lead/cadence.html", context)

    @admin.action(description="Call again: new leads of selected won trips")
    @requires_confirmation(
        "Make new leads of", note="Each won trip becomes a lead with its data again.", only_whole_lists=True
    )
    def repeat_selected(self, request: HttpRequest, queryset: Any) -> None:
        act_on_each(
            request,
            queryset,
            lambda pk: repeat_trips.repeat_trip(by=get_user(request), lead_id=pk),
            "{count} new leads made.",
        )
