"""Edits, activities, rule changes and scoring runs at once: every score is right and every history adds up.

Each of the two protections, the version guard and the rule lock, has a control: the same race without it goes wrong.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from sales.models import Lead, LeadScoreHistory, LeadScoringRule, RuleSet, ScoringRun
from sales.scoring import rule_lock, score_writer
from sales.scoring.compiler import CompiledRule
from sales.scoring.explanations import explain_score
from sales.services import activities
from sales.services.leads import leads
from sales.services.scoring import scores, scoring_rules, scoring_runs

pytestmark = [
    pytest.mark.postgres,  # SQLite lets one transaction write at a time, so nothing can come between
    pytest.mark.django_db(transaction=True),
]
PATIENCE = 20.0


@pytest.fixture
def big_group(transactional_db) -> LeadScoringRule:
    """The only rule: 20 points for more than 50 passengers."""
    RuleSet.objects.get_or_create(pk=1)
    LeadScoringRule.objects.all().delete()
    return LeadScoringRule.objects.create(
        rule_name="Big group",
        rule_type="attribute",
        condition_field="estimated_passengers",
        condition_operator="greater_than",
        condition_value="50",
        points=20,
    )


@pytest.fixture
def others(transactional_db) -> Iterator[Callable[..., Future[Any]]]:
    """Runs a function in a thread with a connection of its own."""
    with ThreadPoolExecutor(8) as pool:

        def start(function: Callable[..., Any], *arguments: Any, **named: Any) -> Future[Any]:
            def run() -> Any:
                try:
                    return function(*arguments, **named)
                finally:
                    connection.close()

            future: Future[Any] = pool.submit(run)
            return future

        yield start


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "the condition never held"
        time.sleep(0.01)


def is_waiting_for_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = CURRENT_DATABASE() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def find_wrong_scores() -> list[tuple[int, int, int]]:
    """The leads whose score is not what the rules give: their ids, scores, and correct scores."""
    rules, now = CompiledRule.load_active(), timezone.now()
    rows = [(lead.pk, lead.score, explain_score(rules, lead.pk, now).score) for lead in Lead.objects.order_by("pk")]
    return [(pk, score, correct_score) for pk, score, correct_score in rows if score != correct_score]


def find_broken_histories() -> list[int]:
    """The ids of the leads whose score history does not add up to their score."""
    broken = []
    for lead in Lead.objects.order_by("pk"):
        score = 0
        for row in LeadScoreHistory.objects.filter(lead=lead).order_by("changed_at", "id"):
            if row.old_score != score:
                broken.append(lead.pk)
            score = row.new_score
        if score != lead.score:
            broken.append(lead.pk)
    return broken


@pytest.mark.parametrize("guarded", [True, False])
def test_a_lead_edited_during_its_batch(big_group, make_lead, others, monkeypatch, guarded):
    """The batch reads 60 passengers, waits for whoever makes them 10, and must not write the score of 60."""
    if not guarded:
        unguarded = score_writer._POSTGRESQL_WRITE.replace("leads.version = changed.version AND", "")
        assert unguarded != score_writer._POSTGRESQL_WRITE
        monkeypatch.setattr(score_writer, "_POSTGRESQL_WRITE", unguarded)
    lead = make_lead(estimated_passengers=60)
    scored, go_on = threading.Event(), threading.Event()
    rescore = scores.rescore

    def rescore_and_wait(**named):
        changed = rescore(**named)
        scored.set()
        assert go_on.wait(PATIENCE)
        return changed

    monkeypatch.setattr(scores, "rescore", rescore_and_wait)
    scoring_runs.start_run(by=None, reason="Race")
    edit = others(leads.update, by=None, lead_id=lead.pk, changes={"estimated_passengers": 10})
    assert scored.wait(PATIENCE)
    run = others(scoring_runs.process_batches)
    wait_for(is_waiting_for_lock)
    go_on.set()
    edit.result(PATIENCE)
    run.result(PATIENCE)
    lead.refresh_from_db()
    assert lead.estimated_passengers == 10
    assert (find_wrong_scores() == []) is guarded
    assert find_broken_histories() == []
    assert ScoringRun.objects.get().state == "done"


@pytest.mark.parametrize("guarded", [True, False])
def test_a_rule_changed_during_an_edit(big_group, make_lead, others, monkeypatch, guarded):
    """An edit has read the old rules; the new ones, and their whole run, must not come before it is done."""
    if not guarded:
        monkeypatch.setattr(rule_lock, "_lock", lambda function: None)
    lead = make_lead(estimated_passengers=10)
    read, go_on = threading.Event(), threading.Event()
    write_scores = score_writer.write_scores

    def wait_and_write(*arguments):
        read.set()
        assert go_on.wait(PATIENCE)
        return write_scores(*arguments)

    monkeypatch.setattr(scores, "write_scores", wait_and_write)
    edit = others(leads.update, by=None, lead_id=lead.pk, changes={"estimated_passengers": 60})
    assert read.wait(PATIENCE)

    def change_the_rule():
        scoring_rules.update_rule(by=None, rule_id=big_group.pk, changes={"points": 30})
        scoring_runs.process_batches()

    change = others(change_the_rule)
    wait_for(lambda: is_waiting_for_lock() or change.done())
    assert change.done() is not guarded
    go_on.set()
    edit.result(PATIENCE)
    change.result(PATIENCE)
    assert (find_wrong_scores() == []) is guarded
    assert find_broken_histories() == []


def test_two_workers_share_a_run(big_group, make_lead, others, monkeypatch):
    """While one is at its batch the other does all the rest, and neither waits."""
    monkeypatch.setitem(scoring_runs.BATCH_KEYS, connection.vendor, 1)
    for _ in range(4):
        make_lead(estimated_passengers=60)
    is_scoring, go_on = threading.Event(), threading.Event()
    write_scores = score_writer.write_scores

    def stop_at_the_first(*arguments):
        if not is_scoring.is_set():
            is_scoring.set()
            assert go_on.wait(PATIENCE)
        return write_scores(*arguments)

    monkeypatch.setattr(scoring_runs, "write_scores", stop_at_the_first)
    run = scoring_runs.start_run(by=None, reason="Race")
    slow = others(scoring_runs.process_batches)
    assert is_scoring.wait(PATIENCE)
    assert others(scoring_runs.process_batches).result(PATIENCE) == 3
    run.refresh_from_db()
    assert (run.state, run.processed) == ("running", 3)
    go_on.set()
    assert slow.result(PATIENCE) == 1
    run.refresh_from_db()
    assert (run.state, run.processed, run.changed) == ("done", 4, 4)


def test_a_run_that_fails_under_another_worker(big_group, make_lead, others, monkeypatch):
    """One worker's batch fails while another is at its own: the run ends as failed, the other's leads are scored."""
    monkeypatch.setitem(scoring_runs.BATCH_KEYS, connection.vendor, 1)
    for _ in range(3):
        make_lead(estimated_passengers=60)
    is_scoring, go_on = threading.Event(), threading.Event()
    write_scores = score_writer.write_scores

    def stop_at_the_first_and_break_at_the_next(*arguments):
        if is_scoring.is_set():
            raise ValueError("no such thing")
        is_scoring.set()
        assert go_on.wait(PATIENCE)
        return write_scores(*arguments)

    monkeypatch.setattr(scoring_runs, "write_scores", stop_at_the_first_and_break_at_the_next)
    run = scoring_runs.start_run(by=None, reason="Race")
    slow = others(scoring_runs.process_batches)
    assert is_scoring.wait(PATIENCE)
    failing = others(scoring_runs.process_batches)
    wait_for(is_waiting_for_lock)
    go_on.set()
    slow.result(PATIENCE)
    assert failing.result(PATIENCE) == 0
    run.refresh_from_db()
    assert (run.state, run.error, run.batches.count()) == ("failed", "ValueError: no such thing", 0)
    assert sorted(Lead.objects.values_list("score", flat=True)) == [0, 0, 20]


def test_runs_started_at_once_are_one(big_group, make_lead, others):
    make_lead()
    gate = threading.Barrier(6)

    def start():
        gate.wait(PATIENCE)
        return scoring_runs.start_run(by=None, reason="Race").pk

    started = [others(start) for _ in range(6)]
    assert len({future.result(PATIENCE) for future in started}) == 1
    assert ScoringRun.objects.count() == 1


@pytest.mark.parametrize("seed", range(int(os.environ.get("RACE_ROUNDS", "5"))))
def test_everything_at_once(big_group, make_lead, others, monkeypatch, seed):
    monkeypatch.setitem(scoring_runs.BATCH_KEYS, connection.vendor, 5)
    LeadScoringRule.objects.create(
        rule_name="Calls",
        rule_type="activity",
        condition_field="call_count",
        condition_operator="at_least",
        condition_value="2",
        points=15,
    )
    ids = [make_lead(estimated_passengers=60).pk for _ in range(15)]
    busy = threading.Barrier(4)

    def edit(chance):
        busy.wait(PATIENCE)
        for _ in range(25):
            changes = {"estimated_passengers": chance.choice([10, 60])}
            leads.update(by=None, lead_id=chance.choice(ids), changes=changes)

    def log(chance):
        busy.wait(PATIENCE)
        for _ in range(25):
            activities.log(by=None, lead_id=chance.choice(ids), activity_type="call")

    def change_rules(chance):
        busy.wait(PATIENCE)
        for _ in range(6):
            scoring_rules.update_rule(by=None, rule_id=big_group.pk, changes={"points": chance.randint(1, 50)})
            time.sleep(chance.random() / 20)

    def work():
        busy.wait(PATIENCE)
        while not all(writer.done() for writer in writers) or scoring_runs.find_unfinished_run():
            scoring_runs.process_batches()

    writers = [others(write, random.Random(f"{seed} {write.__name__}")) for write in (edit, log, change_rules)]
    worker = others(work)
    for future in (*writers, worker):
        future.result(PATIENCE * 2)
    assert find_wrong_scores() == []
    assert find_broken_histories() == []
    assert set(ScoringRun.objects.values_list("state", flat=True)) <= {"done", "stale"}
