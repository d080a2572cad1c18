"""A worker killed with -9 again and again during a run: the run ends by itself, with nothing wrong and nothing twice.

A short round has few leads, small batches, and a pause in each, so that the kills come in the middle of one. The long
form has none of that:

    FAULT_LEADS=100000 .venv/bin/python -m pytest -n0 tests/faults/test_scoring_run.py
"""

import json
import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.faults.processes import INSTALL_SCHEDULES, WORKER, celery, run_code
from tests.live import prepared_engine, wait_for

pytestmark = pytest.mark.live

LEADS = int(os.environ.get("FAULT_LEADS", "0"))
KILLS = 10 if LEADS else 3
SETUP = 'import os, time, django\nos.environ["DJANGO_SETTINGS_MODULE"] = "athena.settings"\ndjango.setup()\n'
SMALL = """
from sales.services.scoring import scoring_runs as runs
runs.BATCH_KEYS = dict.fromkeys(runs.BATCH_KEYS, 60)
write = runs.write_scores
runs.write_scores = lambda *arguments: (write(*arguments), time.sleep(0.3))[0]
"""
# The control: a batch is taken for good before it is scored, as from a queue.
AS_FROM_A_QUEUE = """
from django.db import transaction
from django.db.models import F
def take(run):
    batch = run.batches.order_by("pk").first()
    if batch is None:
        return False
    runs.ScoringBatch.objects.filter(pk=batch.pk).delete()
    with transaction.atomic():
        changed = runs._score_leads(run, batch)
    done = {"processed": F("processed") + batch.leads, "changed": F("changed") + changed}
    runs.ScoringRun.objects.filter(pk=run.pk).update(**done)
    return True
runs._score_batch = take
"""
# The second batch of each process waits in its transaction for the kill.
WAITING = """
import itertools, pathlib
numbers = itertools.count(1)
def wait_in_the_second(*arguments):
    written = write(*arguments)
    if next(numbers) == 2:
        pathlib.Path(os.environ["VAR_DIR"], "waiting").touch()
        time.sleep(600)
    return written
runs.write_scores = wait_in_the_second
"""
START = """
from sales.models import LeadScoringRule
from sales.services.scoring import scoring_rules
rule = LeadScoringRule.objects.get(rule_name="Medium Group Size")
scoring_rules.update_rule(by=None, rule_id=rule.pk, changes={"points": 11})
"""
LOAD_DEMO = f'from django.core.management import call_command\ncall_command("load_demo", leads={LEADS or 600})\n'
FOUND = """
import json
from collections import Counter
from django.db.models import Count, F, Sum
from sales.models import Lead, LeadScoreHistory, ScoringRun
from sales.queries.scoring.scoring_preview import preview_rules
from athena.accounts.models import User
from sales.models import LeadScoringRule
run = ScoringRun.objects.latest("id")
wrong = preview_rules(User.objects.get(pk=1), LeadScoringRule.objects.all()).changed
history = LeadScoreHistory.objects.filter(run=run)
sums = Lead.objects.annotate(sum=Sum("score_history__points_changed"))
print(json.dumps({
    "state": run.state, "processed": run.processed, "total": run.total, "changed": run.changed, "wrong": wrong,
    "rows": history.count(), "leads": history.values("lead").distinct().count(), "open": Lead.objects.open().count(),
    "broken": sums.exclude(score=F("sum")).filter(score__gt=0).count(),
}))
"""


@pytest.fixture
def environment(tmp_path) -> Iterator[dict[str, str]]:
    """Of an Athena with demo data, all scored, whose beat ticks."""
    with prepared_engine(tmp_path) as engine:
        own = {"VAR_DIR": str(tmp_path), "TICK_SECONDS": "5" if LEADS else "2", "LOG_LEVEL": "INFO"}
        found = os.environ | own | engine
        run_code(found, INSTALL_SCHEDULES + LOAD_DEMO)
        with celery(found, "beat"):
            yield found


def found(environment: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = json.loads(run_code(environment, FOUND))
    return values


def kill_again_and_again(environment: Mapping[str, str], altered: str, times: int) -> None:
    chance = random.Random(7)
    for _ in range(times):
        before = found(environment)["processed"]
        with celery(environment, *WORKER, altered=altered):
            wait_for(lambda before=before: _goes_on(environment, before), "a worker at the run")  # type: ignore[misc]
            time.sleep(chance.random() / 2)


def _goes_on(environment: Mapping[str, str], before: object) -> bool:
    now = found(environment)
    return now["processed"] != before or now["state"] not in ("queued", "running")


def test_a_run_survives_its_workers(environment: dict[str, str]) -> None:
    altered = "" if LEADS else SETUP + SMALL
    run_code(environment, START)
    kill_again_and_again(environment, altered, KILLS)
    with celery(environment, *WORKER, altered=altered):
        wait_for(lambda: found(environment)["state"] not in ("queued", "running"), "the end of the run")
    end = found(environment)
    assert (end["state"], end["wrong"], end["broken"]) == ("done", 0, 0)
    assert end["processed"] == end["total"] == end["open"]
    assert end["changed"] == end["rows"] == end["leads"] != 0


def test_control_batches_that_are_taken_for_good_are_lost(environment: dict[str, str]) -> None:
    altered, waiting = SETUP + SMALL + AS_FROM_A_QUEUE, Path(environment["VAR_DIR"], "waiting")
    run_code(environment, START)
    with celery(environment, *WORKER, altered=altered + WAITING):
        wait_for(waiting.exists, "a batch that waits")
    with celery(environment, *WORKER, altered=altered):
        wait_for(lambda: found(environment)["state"] not in ("queued", "running"), "the end of the run")
    end = found(environment)
    assert end["wrong"] != 0
    assert end["processed"] != end["total"]
