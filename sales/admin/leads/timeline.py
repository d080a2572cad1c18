"""A lead's story: the newest of it on the lead's page, and all of it on a page of its own."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from sales.models import Lead
from sales.queries.timeline.timeline import ARMS, KINDS, Story

NEWEST, PAGE = 25, 100
_SALT = "sales.admin.timeline"  # stays as it is, like that of cursors


def newest(lead: Lead) -> list[dict[str, Any]]:
    """What happened last."""
    return _labelled(Story(lead.pk).read(NEWEST))


class TimelinePages(admin.ModelAdmin):  # type: ignore[type-arg]
    """For the admin of leads."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.timeline_view)
        return [path("<int:pk>/timeline/", view, name="sales_lead_timeline"), *super().get_urls()]

    def timeline_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The lead's whole story, newest first, page by page; of some kinds where `kind` says which."""
        lead = self.get_queryset(request).filter(pk=pk).first()
        if lead is None:
            raise Http404
        kinds = [kind for kind in KINDS if kind in request.GET.getlist("kind")]
        story = Story(lead.pk, kinds)
        items = story.read(PAGE + 1, _place(request.GET.get("before", "")))
        older = ""
        if len(items) > PAGE:
            place = signing.dumps(story.get_position(items[PAGE - 1]), salt=_SALT)
            older = urlencode([("kind", kind) for kind in kinds] + [("before", place)])
        context = {
            **self.admin_site.each_context(request),
            "title": f"Timeline: {lead}",
            "opts": self.model._meta,
            "lead": lead,
            "items": _labelled(items[:PAGE]),
            "kinds": [(kind, arm.label, kind in kinds) for kind, arm in ARMS.items()],
            "older": older,
            "is_first": "before" not in request.GET,
        }
        return TemplateResponse(request, "admin/sales/lead/timeline.html", context)


def _labelled(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**item, "label": ARMS[item["kind"]].label} for item in items]


def _place(text: str) -> list[Any] | None:
    """Where the page begins; at the start where the address does not say, or was made up."""
    try:
        place: list[Any] = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return place
