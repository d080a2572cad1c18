"""Scoring runs, and the history of scores."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from athena.accounts.models import User
from athena.admin.requests import get_user
from sales import policy
from sales.admin.base import VisibleAdmin
from sales.models import LeadScoreHistory, ScoringRun
from sales.queries.scoring import run_progress
from sales.services.scoring import scoring_runs


@admin.register(ScoringRun)
class ScoringRunAdmin(VisibleAdmin):
    list_display = ("id", "state", "progress", "changed_leads", "reason", "started_by", "started_at", "finished_at")
    list_select_related = ("started_by",)
    list_filter = ("state",)
    ordering = ("-id",)
    change_list_template = "admin/sales/scoringrun/change_list.html"
    exclude = run_progress.COUNTS
    readonly_fields = ("progress", "changed_leads")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Counts of all leads can't be filtered by, either: filters would reveal them."""
        return lookup.split("__")[0] not in run_progress.COUNTS and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        page = super().get_changelist_instance(request)
        _set_visible_counts(get_user(request), page.result_list)
        return page

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ScoringRun | None:
        run: ScoringRun | None = super().get_object(request, object_id, from_field)
        if run is not None:
            _set_visible_counts(get_user(request), [run])
        return run

    @admin.display(description="Changed")
    def changed_leads(self, run: ScoringRun) -> int:
        return run.changed

    @admin.display(description="Leads")
    def progress(self, run: ScoringRun) -> str:
        bar = '<progress max="{}" value="{}" aria-label="Leads scored"></progress> {} of {}'
        return format_html(bar, run.total or 1, run.processed if run.total else 1, run.processed, run.total)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        unfinished_run = scoring_runs.find_unfinished_run()
        return super().changelist_view(request, {**(extra_context or {}), "unfinished_run": unfinished_run})

    def get_urls(self) -> list[URLPattern]:
        start = path("start/", self.admin_site.admin_view(self.start_view), name="sales_scoringrun_start")
        return [start, *super().get_urls()]

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Have all open leads scored again: start a run, unless one is under way already."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not policy.may_start_scoring_run(get_user(request)):
            raise PermissionDenied
        run = scoring_runs.start_run(by=get_user(request), reason="Recalculated by hand")
        messages.success(request, f"{run} is under way.")
        return HttpResponseRedirect(reverse("admin:sales_scoringrun_changelist"))


def _set_visible_counts(user: User, runs: Iterable[ScoringRun]) -> None:
    """Replace the counts of these runs, which are only displayed, by those that the user may know."""
    runs = list(runs)
    counts = run_progress.count_visible_progress(user, map(vars, runs))
    for run in runs:
        run.total, run.processed, run.changed = (counts[run.pk][name] for name in run_progress.COUNTS)


@admin.register(LeadScoreHistory)
class ScoreHistoryAdmin(VisibleAdmin):
    list_display = ("changed_at", "lead", "old_score", "new_score", "points_changed", "reason", "user")
    list_select_related = ("lead", "user")
    ordering = ("-changed_at", "-id")
