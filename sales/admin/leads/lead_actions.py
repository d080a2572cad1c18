"""What can be done with the leads selected in the list. Function names are the actions' names in the form."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from athena.admin.confirmation import is_confirmed, requires_confirmation, selection_context
from athena.admin.requests import get_user
from athena.forms import StrictForm
from sales.admin.base import act_on_each
from sales.admin.ownership.reassignment import reassign
from sales.models import Cadence, Lead
from sales.models.leads.lead import LeadQuerySet
from sales.services.follow_ups import cadences
from sales.services.leads import leads, merging, repeat_trips


class CadenceForm(StrictForm):
    cadence = forms.ModelChoiceField(Cadence.objects.filter(is_active=True), label="Cadence")


@admin.action(description="Enroll selected leads in a cadence")
def cadence_selected(page: "admin.ModelAdmin[Lead]", request: HttpRequest, rows: LeadQuerySet) -> HttpResponse | None:
    """Ask for a cadence, then enroll each lead in it."""
    form = CadenceForm(request.POST if "step" in request.POST else None)
    if form.is_valid() and is_confirmed(request, rows):
        cadence_id = form.cleaned_data["cadence"].pk
        act_on_each(
            request,
            rows,
            lambda pk: cadences.enroll(by=get_user(request), lead_id=pk, cadence_id=cadence_id),
            "{count} enrolled in the cadence.",
        )
        return None
    context = {
        **page.admin_site.each_context(request),
        "title": "Enroll in a cadence",
        "opts": page.opts,
        "form": form,
        "cadences": Cadence.objects.filter(is_active=True).prefetch_related("steps"),
        **selection_context(request, rows),
    }
    return TemplateResponse(request, "admin/sales/lead/cadence.html", context)


@admin.action(description="Call again: create repeat leads of selected won trips")
@requires_confirmation(
    "Create repeat leads of", note="Each won trip becomes a new lead with the same data.", only_whole_lists=True
)
def repeat_selected(page: "admin.ModelAdmin[Lead]", request: HttpRequest, rows: LeadQuerySet) -> None:
    """Create a repeat lead of each won trip."""
    act_on_each(
        request,
        rows,
        lambda pk: repeat_trips.repeat_trip(by=get_user(request), lead_id=pk),
        "{count} repeat leads created.",
    )


@admin.action(description="Reassign selected leads", permissions=["bulk_transfer"])
def reassign_selected(page: "admin.ModelAdmin[Lead]", request: HttpRequest, rows: LeadQuerySet) -> HttpResponse | None:
    """Ask who gets the leads, show the plan, then transfer them."""
    return reassign(page, request, rows)


@admin.action(description="Merge selected leads", permissions=["merge"])
def merge_selected(page: "admin.ModelAdmin[Lead]", request: HttpRequest, rows: LeadQuerySet) -> HttpResponse:
    """Go to the page that compares the leads and merges them."""
    query = QueryDict(mutable=True)
    ids = rows.values_list("pk", flat=True)[: merging.MAX_MERGED_LEADS + 1]  # one too many: the page says so
    query.setlist("id", [str(pk) for pk in ids])
    return HttpResponseRedirect(f"{reverse('admin:sales_lead_merge')}?{query.urlencode()}")


@admin.action(description="Archive selected leads", permissions=["archive"])
@requires_confirmation("Archive", note="They disappear from all lists, and their open follow-ups are canceled.")
def archive_selected(page: "admin.ModelAdmin[Lead]", request: HttpRequest, rows: LeadQuerySet) -> None:
    """Archive each lead."""
    act_on_each(request, rows, lambda pk: leads.archive(by=get_user(request), lead_id=pk), "{count} archived.")


@admin.action(description="Restore selected leads", permissions=["archive"])
@requires_confirmation("Restore", note="Their follow-ups stay canceled.", only_whole_lists=True)
def restore_selected(page: "admin.ModelAdmin[Lead]", request: HttpRequest, rows: LeadQuerySet) -> None:
    """Restore each archived lead."""
    act_on_each(request, rows, lambda pk: leads.restore(by=get_user(request), lead_id=pk), "{count} restored.")


ACTIONS: tuple[Any, ...] = (
    cadence_selected,
    repeat_selected,
    reassign_selected,
    merge_selected,
    archive_selected,
    restore_selected,
)
