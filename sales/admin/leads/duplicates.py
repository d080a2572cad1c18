"""Duplicates in the admin: the list of possible ones, the comparison of leads to merge, and "Not a duplicate"."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from athena.admin.requests import get_user
from athena.api.fields import MAX_ID
from athena.api.row_ids import parse_id_or_404
from athena.forms import StrictForm
from sales import errors, policy
from sales.admin.navigation import next_page
from sales.models import Lead
from sales.queries.leads import duplicates
from sales.services.leads import merging

MAX_NAMED_DUPLICATES = 5  # in the warning after a lead is created
COMPARED_FIELDS = (
    *("company_name", "contact_name", "email", "phone", "status", "assigned_to", "trip_type", "pickup_at", "return_at"),
    *("pickup_location", "dropoff_location", "estimated_passengers", "estimated_value", "source", "notes"),
    *("score", "follow_up_count", "next_follow_up_date", "last_activity_at", "created_at"),
)


class PairForm(StrictForm):
    """Two leads by their ids."""

    lead_id = forms.IntegerField(min_value=1, max_value=MAX_ID)
    other_id = forms.IntegerField(min_value=1, max_value=MAX_ID)


@dataclass(frozen=True)
class ComparedField:
    """A row of the comparison: a field with its value in each lead."""

    label: str
    values: list[Any]
    is_filled: bool  # the kept lead gets a value from a duplicate
    differs: bool


def show_pairs(page: "admin.ModelAdmin[Lead]", request: HttpRequest) -> HttpResponse:
    """The list of pairs of open leads that may be duplicates, strongest match first."""
    _check_may_merge(request)
    pairs = duplicates.list_pairs(get_user(request))
    context = {"pairs": pairs, "has_more": len(pairs) == duplicates.MAX_PAIRS}
    return _show_page(page, request, "duplicates", "Possible duplicates", context)


def show_merge(page: "admin.ModelAdmin[Lead]", request: HttpRequest) -> HttpResponse:
    """Compare the leads named by `id` side by side; a POST merges them into the lead named by `keep`."""
    _check_may_merge(request)
    params = request.POST if request.method == "POST" else request.GET
    leads = _find_leads(request, params)
    if len(leads) < 2:
        messages.info(request, "Choose two leads or more, or a pair from this list.")
        return HttpResponseRedirect(reverse("admin:sales_lead_duplicates"))
    kept = next((lead for lead in leads if str(lead.pk) == params.get("keep", "")), leads[0])
    duplicate_ids = [lead.pk for lead in leads if lead != kept]
    if request.method == "POST":
        try:
            merged = merging.merge_leads(by=get_user(request), lead_id=kept.pk, duplicate_ids=duplicate_ids)
        except errors.SalesError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{len(leads)} leads were merged into {merged}.")
            return HttpResponseRedirect(get_change_url(merged))
    filled = merging.preview_merge(by=get_user(request), lead_id=kept.pk, duplicate_ids=duplicate_ids)
    rows = [_compare_field(name, leads, is_filled=name in filled) for name in COMPARED_FIELDS]
    return _show_page(page, request, "merge", "Merge leads", {"leads": leads, "kept": kept, "rows": rows})


def dismiss_pair(page: "admin.ModelAdmin[Lead]", request: HttpRequest) -> HttpResponse:
    """Mark two leads as not duplicates (POST only) and go back."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    form = PairForm(request.POST)
    if not form.is_valid():
        raise Http404
    try:
        merging.dismiss_duplicate(by=get_user(request), **form.cleaned_data)
    except errors.NotFound:
        raise Http404 from None
    except errors.NotAllowed as error:
        raise PermissionDenied(str(error)) from error
    except errors.SalesError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "These leads will not be shown as duplicates again.")
    return HttpResponseRedirect(next_page(request, reverse("admin:sales_lead_changelist")))


def warn_of_duplicates(request: HttpRequest, lead: Lead) -> None:
    """Show a warning with links to the open leads that a new lead may duplicate."""
    matches = duplicates.find_duplicates_of_lead(get_user(request), lead)
    if matches:
        links = format_html_join(
            ", ",
            '<a href="{}">{}</a> ({})',
            (
                (get_change_url(match.lead), match.lead, ", ".join(match.labels).lower())
                for match in matches[:MAX_NAMED_DUPLICATES]
            ),
        )
        messages.warning(request, format_html("This may be the same inquiry as {}.", links))


def get_change_url(lead: Lead) -> str:
    """The address of the lead's page."""
    return reverse("admin:sales_lead_change", args=[lead.pk])


def _check_may_merge(request: HttpRequest) -> None:
    if not policy.may_merge_leads(get_user(request)):
        raise PermissionDenied


def _find_leads(request: HttpRequest, params: QueryDict) -> list[Lead]:
    """The visible leads named by `id`, oldest first. Raises `Http404` if one is missing or is no id."""
    ids = {parse_id_or_404(text) for text in params.getlist("id")[: merging.MAX_MERGED_LEADS + 1]}
    visible = Lead.objects.visible_to(get_user(request))
    leads = list(visible.filter(pk__in=ids).select_related("assigned_to", "source").order_by("pk"))
    if len(leads) != len(ids):
        raise Http404
    return leads


def _compare_field(name: str, leads: list[Lead], *, is_filled: bool) -> ComparedField:
    field = Lead._meta.get_field(name)
    values = [getattr(lead, f"get_{name}_display", lambda lead=lead: getattr(lead, name))() for lead in leads]
    label = str(getattr(field, "verbose_name", name)).capitalize()
    return ComparedField(label, values, is_filled, differs=len(set(values)) > 1)


def _show_page(
    page: "admin.ModelAdmin[Lead]", request: HttpRequest, name: str, title: str, context: dict[str, Any]
) -> HttpResponse:
    shared = {**page.admin_site.each_context(request), "title": title, "opts": page.opts}
    return TemplateResponse(request, f"admin/sales/lead/{name}.html", shared | context)
