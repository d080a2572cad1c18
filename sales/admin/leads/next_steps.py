"""Buttons on a lead's page that decide what comes next: stop its cadence, and create a repeat lead of a won trip."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from athena.accounts.models import User
from athena.admin.requests import get_user
from sales import errors
from sales.admin.navigation import next_page
from sales.models import Lead
from sales.services.follow_ups import cadences
from sales.services.leads import repeat_trips


def stop_cadence(page: "admin.ModelAdmin[Lead]", request: HttpRequest, pk: int) -> HttpResponse:
    """Stop the lead's cadence and go back."""
    return _run(page, request, pk, _stop_cadence)


def create_repeat_lead(page: "admin.ModelAdmin[Lead]", request: HttpRequest, pk: int) -> HttpResponse:
    """Create a repeat lead of a won trip and open its page."""
    return _run(page, request, pk, _create_repeat_lead)


def _stop_cadence(by: User, pk: int) -> tuple[int, str]:
    enrolment = cadences.stop(by=by, lead_id=pk)
    return pk, f"The lead is no longer enrolled in “{enrolment.cadence}”. Its planned follow-ups stay."


def _create_repeat_lead(by: User, pk: int) -> tuple[int, str]:
    lead = repeat_trips.repeat_trip(by=by, lead_id=pk)
    return int(lead.pk), "This is the new lead for last year's trip. It has the same data, and a call is planned."


def _run(
    page: "admin.ModelAdmin[Lead]", request: HttpRequest, pk: int, act: Callable[[User, int], tuple[int, str]]
) -> HttpResponse:
    """Call `act` for a visible lead (POST only). It returns the id of the lead to show next, and a message."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not page.get_queryset(request).filter(pk=pk).exists():
        raise Http404
    try:
        pk, message = act(get_user(request), pk)
    except errors.NotAllowed as error:
        raise PermissionDenied from error
    except errors.SalesError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, message)
    return HttpResponseRedirect(next_page(request, reverse("admin:sales_lead_change", args=[pk])))
