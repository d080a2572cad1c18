"""Scoring runs and what they changed."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from sales.admin.base import VisibleAdmin, person
from sales.models import LeadScoreHistory, ScoringRun
from sales.services import scoring_runs


@admin.register(ScoringRun)
class ScoringRunAdmin(VisibleAdmin):
    list_display = ("id", "state", "progress", "changed", "reason", "started_by", "started_at", "finished_at")
    list_select_related = ("started_by",)
    list_filter = ("state",)
    ordering = ("-id",)
    change_list_template = "admin/sales/scoringrun/change_list.html"

    @admin.display(description="Leads")
    def progress(self, run: ScoringRun) -> str:
        bar = '<progress max="{}" value="{}" aria-label="Leads scored"></progress> {} of {}'
        return format_html(bar, run.total or 1, run.processed if run.total else 1, run.processed, run.total)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "unfinished": scoring_runs.unfinished()})

    def get_urls(self) -> list[URLPattern]:
        start = path("start/", self.admin_site.admin_view(self.start_view), name="sales_scoringrun_start")
        return [start, *super().get_urls()]

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Start a run over all open leads, or join the one that is under way."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not person(request).has_perm("sales.add_scoringrun"):
            raise PermissionDenied
        run = scoring_runs.start_run(by=person(request), reason="Recalculated by hand")
        messages.success(request, f"{run} is under way.")
        return HttpResponseRedirect(reverse("admin:sales_scoringrun_changelist"))


@admin.register(LeadScoreHistory)
class ScoreHistoryAdmin(VisibleAdmin):
    list_display = ("changed_at", "lead", "old_score", "new_score", "points_changed", "reason", "user")
    list_select_related = ("lead", "user")
    ordering = ("-changed_at", "-id")
