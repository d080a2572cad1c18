"""Duplicates in the admin: the managers' queue, two or more leads side by side, and making them one."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from athena.admin.requests import get_user
from athena.api.fields import MAX_ID
from athena.api.row_ids import parse_id_or_404
from athena.forms import StrictForm
from sales import errors
from sales.admin.navigation import next_page
from sales.models import Lead
from sales.queries.leads import duplicates
from sales.services.leads import merging

QUEUE, MERGE = "admin:sales_lead_duplicates", "admin:sales_lead_merge"
# What is laid side by side.
COMPARED = (
    *("company_name", "contact_name", "email", "phone", "status", "assigned_to", "trip_type", "pickup_at", "return_at"),
    *("pickup_location", "dropoff_location", "estimated_passengers", "estimated_value", "source", "notes"),
    *("score", "follow_up_count", "next_follow_up_date", "last_activity_at", "created_at"),
)


class PairForm(StrictForm):
    """Two leads by their ids."""

    lead_id = forms.IntegerField(min_value=1, max_value=MAX_ID)
    other_id = forms.IntegerField(min_value=1, max_value=MAX_ID)


class DuplicatePages(admin.ModelAdmin):  # type: ignore[type-arg]
    """What the pages of leads can do about the same inquiry twice."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("duplicates/", view(self.duplicates_view), name="sales_lead_duplicates"),
            path("merge/", view(self.merge_view), name="sales_lead_merge"),
            path("not-duplicate/", view(self.not_duplicate_view), name="sales_lead_not_duplicate"),
            *super().get_urls(),
        ]

    def duplicates_view(self, request: HttpRequest) -> HttpResponse:
        """Pairs of open leads that may be one, the surest first."""
        self._require_manager(request)
        pairs = duplicates.list_pairs(get_user(request))
        return self._page(request, "duplicates", "Possible duplicates", pairs=pairs, most=duplicates.MAX_PAIRS)

    def merge_view(self, request: HttpRequest) -> HttpResponse:
        """The leads named by `id`, side by side: choose the one that stays, look at what it gets, confirm."""
        self._require_manager(request)
        by, asked = get_user(request), request.POST if request.method == "POST" else request.GET
        ids = _ids(asked)
        leads = list(Lead.objects.visible_to(by).filter(pk__in=ids).select_related("assigned_to", "source"))
        if len(leads) != len(ids):
            raise Http404
        if len(leads) < 2:
            messages.info(request, "Choose two leads or more, or a pair of this list.")
            return HttpResponseRedirect(reverse(QUEUE))
        leads.sort(key=lambda lead: lead.pk)
        keep = asked.get("keep", "")
        kept = next((lead for lead in leads if str(lead.pk) == keep), leads[0])
        others = [lead.pk for lead in leads if lead != kept]
        if request.method == "POST":
            try:
                merged = merging.merge_leads(by=by, lead_id=kept.pk, duplicate_ids=others)
            except errors.SalesError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"{len(leads)} leads are one: {merged}.")
                return HttpResponseRedirect(reverse("admin:sales_lead_change", args=[merged.pk]))
        filled = merging.preview_merge(by=by, lead_id=kept.pk, duplicate_ids=others)
        rows = [_compared(name, leads, name in filled) for name in COMPARED]
        return self._page(request, "merge", "Make one lead of these", leads=leads, kept=kept, rows=rows)

    def not_duplicate_view(self, request: HttpRequest) -> HttpResponse:
        """Remember that two leads are two."""
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
            messages.success(request, "They will not be shown as duplicates again.")
        return HttpResponseRedirect(next_page(request, reverse("admin:sales_lead_changelist")))

    def warn_of_duplicates(self, request: HttpRequest, lead: Lead) -> None:
        """Say, once a lead is saved, which open ones it may repeat."""
        found = duplicates.find_duplicates_of_lead(get_user(request), lead)
        if found:
            links = format_html_join(
                ", ",
                '<a href="{}">{}</a> ({})',
                ((change_url(each.lead), each.lead, ", ".join(each.labels).lower()) for each in found[:5]),
            )
            messages.warning(request, format_html("This may be the same inquiry as {}.", links))

    def _require_manager(self, request: HttpRequest) -> None:
        if not request.user.has_perm("sales.merge_lead"):
            raise PermissionDenied

    def _page(self, request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, f"admin/sales/lead/{name}.html", shared | context)


def change_url(lead: Lead) -> str:
    return reverse("admin:sales_lead_change", args=[lead.pk])


def merge_selected(request: HttpRequest, ids: list[int]) -> HttpResponse:
    """From the list's action to the page."""
    query = QueryDict(mutable=True)
    query.setlist("id", [str(pk) for pk in ids])
    return HttpResponseRedirect(f"{reverse(MERGE)}?{query.urlencode()}")


def _ids(asked: QueryDict) -> set[int]:
    """The leads that the request is about. Raises `Http404` for what no lead can be."""
    return {parse_id_or_404(text) for text in asked.getlist("id")[: merging.MAX_MERGED_LEADS + 1]}


def _compared(name: str, leads: list[Lead], is_filled: bool) -> dict[str, Any]:
    field = Lead._meta.get_field(name)
    values = [getattr(lead, f"get_{name}_display", lambda lead=lead: getattr(lead, name))() for lead in leads]
    return {
        "label": str(getattr(field, "verbose_name", name)).capitalize(),
        "values": values,
        "filled": is_filled,
        "differs": len(set(values)) > 1,
    }
