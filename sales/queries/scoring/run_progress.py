"""How far scoring runs are, in leads that somebody may read: counts of all leads would tell what others' leads are."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count

from athena.accounts.models import User
from sales.models import Lead, LeadScoreHistory, ScoringRun

COUNTS = ("total", "processed", "changed")


def count_visible_progress(user: User, runs: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, int]]:
    """By the id of each run, its `total`, `processed` and `changed`, as `user` may know them. Two queries at most.

    Whoever reads all leads gets the counts that the run kept. Others get those of the open leads that they may read
    now: how many there are, how many of them the run has gone over (by its share of all), and whose score it changed.
    Each of `runs` has `id`, `state` and the three counts.
    """
    runs = list(runs)
    if user.reads_all_leads:
        return {run["id"]: {name: run[name] for name in COUNTS} for run in runs}
    leads = Lead.objects.visible_to(user).open().order_by()
    total = leads.count()
    history = LeadScoreHistory.objects.filter(run__in=[run["id"] for run in runs], lead__in=leads.values("pk"))
    changed = dict(history.order_by().values_list("run").annotate(Count("lead", distinct=True)))
    return {
        run["id"]: {"total": total, "processed": _share(run, total), "changed": changed.get(run["id"], 0)}
        for run in runs
    }


def count_visible_leads(user: User, run: ScoringRun) -> int:
    """How many leads a run goes over, as `user` may know it."""
    return run.total if user.reads_all_leads else Lead.objects.visible_to(user).open().count()


def _share(run: Mapping[str, Any], total: int) -> int:
    if run["state"] == ScoringRun.State.DONE:
        return total
    return min(total, total * int(run["processed"]) // max(int(run["total"]), 1))
