"""A lead's timeline: its newest entries for the lead's page, and all entries on a page of its own."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from sales.models import Lead
from sales.queries.timeline.entry_kinds import ENTRY_KINDS, KINDS
from sales.queries.timeline.timeline import Timeline, TimelineEntry

PANEL_SIZE, PAGE_SIZE = 25, 100
_SALT = "sales.admin.timeline"  # must not change: links signed before an upgrade stay valid


@dataclass(frozen=True)
class KindChoice:
    """A check box above the timeline."""

    kind: str
    label: str
    is_chosen: bool


def read_newest_entries(lead: Lead) -> list[TimelineEntry]:
    """The entries that the lead's page shows."""
    return Timeline(lead.pk).read_entries(PANEL_SIZE)


def show_timeline(page: "admin.ModelAdmin[Lead]", request: HttpRequest, pk: int) -> HttpResponse:
    """A page of the timeline, newest entries first. `kind` selects kinds; `before` is where the page starts."""
    lead = page.get_queryset(request).filter(pk=pk).first()
    if lead is None:
        raise Http404
    kinds = [kind for kind in KINDS if kind in request.GET.getlist("kind")]
    entries = Timeline(lead.pk, kinds).read_entries(PAGE_SIZE + 1, _read_position(request.GET.get("before", "")))
    older_query = ""
    if len(entries) > PAGE_SIZE:
        position = signing.dumps(entries[PAGE_SIZE - 1].position, salt=_SALT)
        older_query = urlencode([("kind", kind) for kind in kinds] + [("before", position)])
    context = {
        **page.admin_site.each_context(request),
        "title": f"Timeline: {lead}",
        "opts": page.opts,
        "lead": lead,
        "entries": entries[:PAGE_SIZE],
        "kinds": [KindChoice(name, kind.label, name in kinds) for name, kind in ENTRY_KINDS.items()],
        "older_query": older_query,
        "is_first_page": "before" not in request.GET,
    }
    return TemplateResponse(request, "admin/sales/lead/timeline.html", context)


def _read_position(text: str) -> list[Any] | None:
    """The position that a link carries; None if there is none, or if it was not signed by Athena."""
    try:
        position: list[Any] = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return position
