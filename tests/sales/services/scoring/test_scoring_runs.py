"""Scoring runs process all open leads in batches, even if workers die or rules change in between."""

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.models import Notification
from sales import errors
from sales.models import Lead, LeadScoreHistory, LeadScoringRule, ScoringBatch, ScoringRun
from sales.scoring.score_writer import WriteResult, write_scores
from sales.services.scoring import scoring_rules, scoring_runs


@pytest.fixture
def five_leads(make_lead, monkeypatch) -> list[Lead]:
    """Five leads that score 30 points each, in three batches of at most two leads."""
    monkeypatch.setitem(scoring_runs.BATCH_KEYS, connection.vendor, 2)
    return [make_lead(pk=pk, is_repeat=True) for pk in range(1000, 1005)]


def list_scores() -> list[int]:
    return list(Lead.objects.order_by("pk").values_list("score", flat=True))


def read_progress(run: ScoringRun) -> tuple[str, int, int, int]:
    """State, processed leads, all leads, and leads with a changed score."""
    run.refresh_from_db()
    return (run.state, run.processed, run.total, run.changed)


def get_repeat_client_rule() -> LeadScoringRule:
    return LeadScoringRule.objects.get(rule_name="Repeat Client")


def test_a_run_scores_every_open_lead(make_lead, manager):
    leads = [make_lead(is_repeat=True), make_lead(), make_lead(is_repeat=True)]
    make_lead(is_repeat=True, status="won")
    make_lead(is_repeat=True, archived_at=timezone.now())
    run = scoring_runs.start_run(by=manager, reason="Because")

    assert read_progress(run) == ("queued", 0, 3, 0)
    assert scoring_runs.process_batches() == 1
    assert read_progress(run) == ("done", 3, 3, 2)
    assert list_scores() == [30, 0, 30, 0, 0]
    assert run.started_by == manager
    assert run.reason == "Because"
    assert run.error == ""
    assert run.rule_set_version == 1
    assert run.started_at is not None
    assert run.finished_at is not None
    assert run.created_at <= run.started_at <= run.finished_at
    assert list(LeadScoreHistory.objects.order_by("lead").values_list("lead", "reason", "run", "user")) == [
        (lead.pk, "Because", run.pk, manager.pk) for lead in (leads[0], leads[2])
    ]
    assert ScoringBatch.objects.count() == 0


def test_one_run_at_a_time(make_lead, manager, admin):
    make_lead()
    first = scoring_runs.start_run(by=manager, reason="First")
    assert scoring_runs.start_run(by=admin, reason="Second") == first

    scoring_runs.process_batches(max_batches=1)
    assert read_progress(first)[0] == "running"
    assert scoring_runs.start_run(by=None, reason="Third") == first

    scoring_runs.process_batches()
    assert scoring_runs.start_run(by=None, reason="Fourth") != first


def test_only_managers_start_runs(rep):
    with pytest.raises(errors.NotAllowed):
        scoring_runs.start_run(by=rep, reason="Mine")
    assert ScoringRun.objects.count() == 0


def test_a_run_without_leads_is_done_at_once(db):
    assert scoring_runs.process_batches() == 0
    run = scoring_runs.start_run(by=None, reason="Empty")
    assert scoring_runs.process_batches() == 0
    assert read_progress(run) == ("done", 0, 0, 0)


def test_a_run_goes_on_batch_by_batch(five_leads):
    run = scoring_runs.start_run(by=None, reason="Because")
    assert scoring_runs.process_batches(max_batches=1) == 1
    assert read_progress(run) == ("running", 2, 5, 2)
    assert list_scores() == [30, 30, 0, 0, 0]
    assert list(run.batches.order_by("pk").values_list("first_lead", "last_lead", "leads")) == [
        (five_leads[2].pk, five_leads[3].pk, 2),
        (five_leads[4].pk, five_leads[4].pk, 1),
    ]
    assert scoring_runs.process_batches() == 2
    assert read_progress(run) == ("done", 5, 5, 5)
    assert list_scores() == [30] * 5


class Killed(BaseException):
    """An exception that nothing in Athena catches; for a transaction it is like `kill -9`."""


def test_the_run_of_a_killed_worker_goes_on_after_its_last_batch(five_leads, monkeypatch):
    run = scoring_runs.start_run(by=None, reason="Because")
    calls = []

    def die_in_the_second_batch(*arguments):
        calls.append(write_scores(*arguments))
        if len(calls) == 2:
            raise Killed
        return calls[-1]

    monkeypatch.setattr(scoring_runs, "write_scores", die_in_the_second_batch)
    with pytest.raises(Killed):
        scoring_runs.process_batches()
    assert read_progress(run) == ("running", 2, 5, 2)
    assert list_scores() == [30, 30, 0, 0, 0]
    assert scoring_runs.process_batches() == 2
    assert read_progress(run) == ("done", 5, 5, 5)
    assert list_scores() == [30] * 5
    assert LeadScoreHistory.objects.count() == 5


def test_a_worker_killed_before_it_could_finish_the_run(five_leads, monkeypatch):
    run = scoring_runs.start_run(by=None, reason="Because")
    assert scoring_runs.process_batches(max_batches=3) == 3
    assert read_progress(run) == ("running", 5, 5, 5)
    assert scoring_runs.process_batches() == 0
    assert read_progress(run) == ("done", 5, 5, 5)


def test_a_lost_database_connection_does_not_end_the_run(five_leads, monkeypatch):
    run = scoring_runs.start_run(by=None, reason="Because")

    def lose_connection(*arguments):
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patched:
        patched.setattr(scoring_runs, "write_scores", lose_connection)
        with pytest.raises(OperationalError):
            scoring_runs.process_batches()
    assert read_progress(run) == ("running", 0, 5, 0)
    scoring_runs.process_batches()
    assert read_progress(run) == ("done", 5, 5, 5)


@pytest.mark.parametrize("starter_name", ["manager", None])
def test_any_other_error_ends_the_run_with_a_notification(five_leads, monkeypatch, manager, admin, starter_name):
    starter = manager if starter_name else None
    run = scoring_runs.start_run(by=starter, reason="Because")

    def fail(*arguments):
        raise ValueError("no such thing")

    with monkeypatch.context() as patched:
        patched.setattr(scoring_runs, "write_scores", fail)
        assert scoring_runs.process_batches() == 0
    assert read_progress(run) == ("failed", 0, 5, 0)
    assert run.error == "ValueError: no such thing"
    assert run.finished_at is not None
    assert ScoringBatch.objects.count() == 0
    notification = Notification.objects.get()
    assert notification.kind == "run_failed"
    assert notification.recipient == (starter or admin)
    assert notification.dedupe_key == f"run_failed:{run.pk}:{notification.recipient_id}"
    assert notification.context == {"run_id": run.pk, "reason": "Because", "error": "ValueError: no such thing"}
    scoring_runs.start_run(by=None, reason="Again")
    scoring_runs.process_batches()
    assert list_scores() == [30] * 5


def test_invalid_sql_ends_the_run_on_both_databases(five_leads, monkeypatch):
    run = scoring_runs.start_run(by=None, reason="Because")
    monkeypatch.setattr(scoring_runs, "write_scores", lambda *_: connection.cursor().execute("SELECT nonsense"))
    scoring_runs.process_batches()
    assert read_progress(run) == ("failed", 0, 5, 0)


def test_a_rule_change_replaces_the_run(five_leads, manager):
    old = scoring_runs.start_run(by=None, reason="Old rules")
    scoring_runs.process_batches(max_batches=1)
    scoring_rules.update_rule(by=manager, rule_id=get_repeat_client_rule().pk, changes={"points": 40})
    new = ScoringRun.objects.latest("id")

    assert read_progress(old) == ("stale", 2, 5, 2)
    assert read_progress(new) == ("queued", 0, 5, 0)
    assert old.finished_at is not None

    scoring_runs.process_batches()
    assert read_progress(old) == ("stale", 2, 5, 2)
    assert read_progress(new) == ("done", 5, 5, 5)
    assert old.rule_set_version == 1
    assert new.rule_set_version == 2
    assert list_scores() == [40] * 5


def test_a_queued_run_uses_the_rules_as_they_are_when_it_starts(five_leads, manager):
    run = scoring_runs.start_run(by=None, reason="Nightly")
    for points in (40, 50):
        scoring_rules.update_rule(by=manager, rule_id=get_repeat_client_rule().pk, changes={"points": points})
    scoring_runs.process_batches()

    assert ScoringRun.objects.count() == 1
    assert read_progress(run) == ("done", 5, 5, 5)
    assert run.rule_set_version == 3
    assert list_scores() == [50] * 5


def list_history_reasons() -> set[tuple[str, int | None]]:
    return set(LeadScoreHistory.objects.values_list("reason", "user"))


def test_two_rules_saved_in_a_row_are_both_the_reason(five_leads, manager, admin):
    for by, points in ((admin, 40), (manager, 50), (manager, 60)):
        scoring_rules.update_rule(by=by, rule_id=get_repeat_client_rule().pk, changes={"points": points})
    wheelchairs = LeadScoringRule.objects.exclude(pk=get_repeat_client_rule().pk).order_by("pk")[0]
    scoring_rules.delete_rule(by=manager, rule_id=wheelchairs.pk)
    scoring_runs.process_batches()
    reason = f"Rule deleted: {wheelchairs.rule_name}; Rule changed: Repeat Client"

    assert list_history_reasons() == {(reason, manager.pk)}


def test_a_rule_saved_during_a_run_adds_its_reason_to_the_next_run(five_leads, manager):
    scoring_rules.update_rule(by=manager, rule_id=get_repeat_client_rule().pk, changes={"points": 40})
    scoring_runs.process_batches(max_batches=1)
    other = LeadScoringRule.objects.exclude(pk=get_repeat_client_rule().pk).order_by("pk")[0]
    scoring_rules.delete_rule(by=manager, rule_id=other.pk)
    scoring_runs.process_batches()
    changed, both = "Rule changed: Repeat Client", f"Rule deleted: {other.rule_name}; Rule changed: Repeat Client"
    reasons = LeadScoreHistory.objects.order_by("lead_id").values_list("reason", flat=True)

    assert list(reasons) == [changed, changed, both, both, both]


def test_more_reasons_than_the_column_holds(manager):
    for number in range(9):
        scoring_runs.restart_run(by=manager, reason=f"Rule changed: {number} {'x' * 40}")
    reasons = ScoringRun.objects.get().reason.split("; ")
    assert [reason.split()[2] for reason in reasons] == ["8", "7", "6", "5"]
    assert all(reason.endswith("x" * 40) for reason in reasons)


def test_an_invalid_rule_does_not_stop_a_run(five_leads):
    LeadScoringRule.objects.exclude(rule_name="Repeat Client").update(condition_value="?")
    run = scoring_runs.start_run(by=None, reason="Because")
    scoring_runs.process_batches()
    assert read_progress(run) == ("done", 5, 5, 5)


def test_leads_that_keep_changing_are_tried_again_and_then_locked(five_leads, monkeypatch):
    results = [WriteResult(1, 1), WriteResult(0, 1), WriteResult(0, 1), WriteResult(1, 0)]
    monkeypatch.setattr(scoring_runs, "write_scores", lambda *arguments: results.pop(0))
    run = scoring_runs.start_run(by=None, reason="Because")

    assert scoring_runs.process_batches(max_batches=1) == 1
    assert read_progress(run) == ("running", 2, 5, 2)
    assert results == []


def test_a_run_takes_the_same_statements_for_one_lead_and_for_fifty(db):
    counts = set()
    for leads in (1, 50):
        Lead.objects.bulk_create(Lead(contact_name="A", is_repeat=True) for _ in range(leads))
        scoring_runs.start_run(by=None, reason="Because")
        with CaptureQueriesContext(connection) as captured:
            scoring_runs.process_batches()
        counts.add(len(captured))
    assert len(counts) == 1
    assert set(list_scores()) == {30}


def test_a_run_that_another_worker_has_planned_is_not_planned_again(five_leads, monkeypatch):
    """A worker reads the queued run; before it plans the run's batches, another one does, and scores a batch."""
    find_unfinished_run = scoring_runs.find_unfinished_run

    def find_run_that_is_planned_meanwhile():
        queued = find_unfinished_run()
        monkeypatch.setattr(scoring_runs, "find_unfinished_run", find_unfinished_run)
        assert scoring_runs.process_batches(max_batches=1) == 1
        return queued

    run = scoring_runs.start_run(by=None, reason="Race")
    monkeypatch.setattr(scoring_runs, "find_unfinished_run", find_run_that_is_planned_meanwhile)

    assert scoring_runs.process_batches() == 2  # of three

    assert read_progress(run) == ("done", 5, 5, 5)
