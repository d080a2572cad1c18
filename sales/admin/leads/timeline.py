"""The timeline of a lead: its newest entries for the lead's page, and all of it on a page of its own."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from sales.models import Lead
from sales.queries.timeline.timeline import ARMS, KINDS, Story

NEWEST_ENTRIES = 25  # on the lead's page
ENTRIES_PER_PAGE = 100
_SALT = "sales.admin.timeline"  # never change it: addresses that people keep are signed with it


def read_newest_entries(lead: Lead) -> list[dict[str, Any]]:
    """The newest entries of the lead's timeline, newest first."""
    return _add_labels(Story(lead.pk).read(NEWEST_ENTRIES))


def show_timeline(page: "admin.ModelAdmin[Lead]", request: HttpRequest, pk: int) -> HttpResponse:
    """The page of the whole timeline, newest first; `kind` filters it, and `before` continues an earlier page."""
    lead = page.get_queryset(request).filter(pk=pk).first()
    if lead is None:
        raise Http404
    kinds = [kind for kind in KINDS if kind in request.GET.getlist("kind")]
    story = Story(lead.pk, kinds)
    entries = story.read(ENTRIES_PER_PAGE + 1, _read_cursor(request.GET.get("before", "")))
    older = ""
    if len(entries) > ENTRIES_PER_PAGE:
        cursor = signing.dumps(story.place_of(entries[ENTRIES_PER_PAGE - 1]), salt=_SALT)
        older = urlencode([*(("kind", kind) for kind in kinds), ("before", cursor)])
    context = {
        **page.admin_site.each_context(request),
        "title": f"Timeline: {lead}",
        "opts": page.opts,
        "lead": lead,
        "items": _add_labels(entries[:ENTRIES_PER_PAGE]),
        "kinds": [(kind, arm.label, kind in kinds) for kind, arm in ARMS.items()],
        "older": older,
        "is_first": "before" not in request.GET,
    }
    return TemplateResponse(request, "admin/sales/lead/timeline.html", context)


def _add_labels(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**entry, "label": ARMS[entry["kind"]].label} for entry in entries]


def _read_cursor(text: str) -> list[Any] | None:
    """The place after which the page starts; None, the beginning, if the address has no valid one."""
    try:
        place: list[Any] = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return place
