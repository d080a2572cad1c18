"""The download of the leads that a list shows."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from athena.admin.requests import get_user
from sales import errors
from sales.admin.imports.imports import csv_response
from sales.models.lead import LeadQuerySet
from sales.services.imports import exports

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGING = ("p", "o", "e")  # how a list is turned and sorted, not which rows it has


def export(model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, file_format: str) -> HttpResponseBase:
    """The leads of the list at the same address, with its filters, its search and its order."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    by = get_user(request)
    if not by.has_perm(exports.PERMISSION):
        raise PermissionDenied
    back = HttpResponseRedirect(reverse("admin:sales_lead_changelist"))
    try:
        listed = model_admin.get_changelist_instance(request).get_queryset(request)
    except IncorrectLookupParameters:
        return back
    leads = cast(LeadQuerySet, listed)
    filters = {name: values for name, values in request.GET.lists() if name not in _PAGING}
    if file_format == "csv":
        return csv_response("leads.csv", exports.as_csv(by=by, leads=leads, filters=filters))
    try:
        content = exports.as_xlsx(by=by, leads=leads, filters=filters)
    except errors.Invalid as error:
        messages.error(request, error.fields["file"])
        return back
    named = {"Content-Disposition": 'attachment; filename="leads.xlsx"'}
    return HttpResponse(content, content_type=XLSX, headers=named)
