"""The download of a list of leads, and the page of exports."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from athena.admin.requests import get_user
from athena.http.csv_responses import stream_csv
from sales import errors, policy
from sales.admin.base import VisibleAdmin
from sales.models import LeadExport
from sales.models.leads.lead import LeadQuerySet
from sales.services.imports import exports

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGING_PARAMS = ("p", "o", "e")  # do not change which leads the list has


def export_list(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, file_format: str) -> HttpResponseBase:
    """Download the leads of the list at this address, with its filters, search and order, as "csv" or "xlsx"."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    by = get_user(request)
    if not policy.may_export_leads(by):
        raise PermissionDenied
    to_list = HttpResponseRedirect(reverse("admin:sales_lead_changelist"))
    try:
        leads = cast(LeadQuerySet, model_admin.get_changelist_instance(request).get_queryset(request))
    except IncorrectLookupParameters:
        return to_list
    filters = {name: values for name, values in request.GET.lists() if name not in _PAGING_PARAMS}
    if file_format == "csv":
        return stream_csv("leads", exports.export_csv(by=by, leads=leads, filters=filters))
    try:
        content = exports.export_xlsx(by=by, leads=leads, filters=filters)
    except errors.Invalid as error:
        messages.error(request, error.fields["file"])
        return to_list
    headers = {"Content-Disposition": 'attachment; filename="leads.xlsx"'}
    return HttpResponse(content, content_type=XLSX_TYPE, headers=headers)


@admin.register(LeadExport)
class LeadExportAdmin(VisibleAdmin):
    list_display = ("created_at", "by", "file_format", "leads", "filters")
    list_select_related = ("by",)
    list_filter = ("file_format",)
    ordering = ("-id",)
