"""The progress of scoring runs in leads that a user may read: counts of all leads would tell about other people's."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count

from athena.accounts.models import User
from sales.models import Lead, LeadScoreHistory, ScoringRun

COUNTS = ("total", "processed", "changed")


def count_visible_progress(user: User, runs: Iterable[Mapping[str, Any]]) -> dict[int, dict[str, int]]:
    """The `total`, `processed` and `changed` leads of each run that `user` may know of, by run id.

    `runs` are mappings with `id`, `state` and the three counts of all leads. Users who read all leads get those. For
    others, the counts are of the open leads that they may read now: how many there are, how many of them the run has
    scored (estimated by its share of all leads), and how many scores it changed. At most two queries.
    """
    runs = list(runs)
    if user.reads_all_leads:
        return {run["id"]: {name: run[name] for name in COUNTS} for run in runs}
    leads = Lead.objects.visible_to(user).open().order_by()
    total = leads.count()
    history = LeadScoreHistory.objects.filter(run__in=[run["id"] for run in runs], lead__in=leads.values("pk"))
    changed = dict(history.order_by().values_list("run").annotate(Count("lead", distinct=True)))
    return {
        run["id"]: {"total": total, "processed": _estimate_processed(run, total), "changed": changed.get(run["id"], 0)}
        for run in runs
    }


def count_visible_leads(user: User, run: ScoringRun) -> int:
    """How many leads the run scores, as far as `user` may know."""
    return run.total if user.reads_all_leads else Lead.objects.visible_to(user).open().count()


def _estimate_processed(run: Mapping[str, Any], total: int) -> int:
    if run["state"] == ScoringRun.State.DONE:
        return total
    return min(total, total * int(run["processed"]) // max(int(run["total"]), 1))
