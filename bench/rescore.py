"""Rescoring all leads, beside one hand-written SQL statement that does the same work.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.rescore [--leads N] [--rounds N]

Makes databases of its own on that server and drops them at the end. Both ways compute every lead's score by the same
rules from leads and activities, update what changed and write its history. They take turns; after each the tables are
vacuumed, and a rule's points change so that the next one has as much to do. Printed are the medians of the seconds and
of the WAL, with their ratios; what two worker processes take, beside one; a worker's peak memory; and, for 5,000 leads,
a loop over leads and rules such as one would write first.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

import django

from bench.database import in_a_database, run_sql

DATA = """
INSERT INTO lead_sources (name) SELECT 'Source ' || n FROM generate_series(1, 20) AS n;
INSERT INTO leads (company_name, contact_name, email, phone, email_normalised, phone_normalised, estimated_passengers,
                   estimated_value, is_repeat, pickup_location, source_id, created_at)
SELECT 'Company ' || n, 'Contact ' || n, 'c' || n || '@example.com', '+1212' || n, 'c' || n || '@example.com',
       '+1212' || n, CASE WHEN n % 7 > 0 THEN (n::bigint * 7919) % 80 END,
       CASE WHEN n % 5 > 0 THEN (n::bigint * 104729) % 9000 END,
       n % 17 = 0, CASE WHEN n % 10 = 0 THEN 'Boston' ELSE 'New York' END, n % 20 + 1,
       NOW() - (n % 300) * INTERVAL '1 day'
FROM generate_series(1, {leads}) AS n;
INSERT INTO activities (lead_id, activity_type, direction, description, occurred_at)
SELECT (n::bigint * 31) % {leads} + (SELECT MIN(id) FROM leads),
       (ARRAY['call', 'email', 'note', 'quote_requested', 'meeting'])[n % 5 + 1],
       (ARRAY['inbound', 'outbound', NULL])[n % 3 + 1], 'What happened', NOW() - (n % 200) * INTERVAL '1 day'
FROM generate_series(1, 3 * {leads}) AS n;
INSERT INTO lead_scoring_rules (rule_name, rule_type, condition_field, condition_operator, condition_value, points)
VALUES ('Some', 'attribute', 'pickup_location', 'equals', 'Boston', 1),
       ('All', 'attribute', 'company_name', 'is_set', 'true', 1);
"""

LOOPED = 5_000
BY_HAND = """
WITH scored AS MATERIALIZED (
    SELECT id, score AS old_score, score_raw AS old_raw,
           CASE WHEN estimated_passengers > 50 THEN 20 ELSE 0 END
           + CASE WHEN estimated_passengers > 25 THEN 10 ELSE 0 END
           + CASE WHEN estimated_value > 5000 THEN 25 ELSE 0 END
           + CASE WHEN estimated_value > 2000 THEN 15 ELSE 0 END
           + CASE WHEN id IN (SELECT lead_id FROM activities WHERE activity_type = 'email' AND direction = 'inbound')
                  THEN 10 ELSE 0 END
           + CASE WHEN id IN (SELECT lead_id FROM activities WHERE activity_type = 'call' AND direction = 'inbound')
                  THEN 15 ELSE 0 END
           + CASE WHEN id IN (SELECT lead_id FROM activities WHERE activity_type = 'quote_requested')
                  THEN 20 ELSE 0 END
           + CASE WHEN is_repeat THEN 30 ELSE 0 END
           + CASE WHEN LOWER(pickup_location) = 'boston' THEN {some} ELSE 0 END
           + CASE WHEN company_name <> '' THEN {all} ELSE 0 END AS raw
    FROM leads WHERE status IN ('new', 'contacted', 'qualified', 'quoted') AND archived_at IS NULL
),
updated AS (
    UPDATE leads
    SET score = LEAST(GREATEST(raw, 0), 100), score_raw = raw, version = version + 1,
        score_updated_at = CASE WHEN LEAST(GREATEST(raw, 0), 100) = old_score THEN score_updated_at ELSE NOW() END
    FROM scored
    WHERE leads.id = scored.id AND (raw <> old_raw OR LEAST(GREATEST(raw, 0), 100) <> old_score)
    RETURNING leads.id, old_score, leads.score
)
INSERT INTO lead_score_history (lead_id, old_score, new_score, points_changed, reason, changed_at, run_id)
SELECT id, old_score, score, score - old_score, 'Bulk recalculation', NOW(), {run}
FROM updated WHERE score <> old_score
"""


def athena() -> int:
    from sales.models import ScoringRun
    from sales.services.scoring import scoring_runs

    scoring_runs.process_batches()
    run = ScoringRun.objects.latest("id")
    assert run.state == ScoringRun.State.DONE, run.error
    return run.changed


def by_hand() -> int:
    from sales.models import LeadScoringRule, ScoringRun

    points = dict(LeadScoringRule.objects.values_list("rule_name", "points"))
    run = ScoringRun.objects.latest("id").pk
    run_sql("SET work_mem = '1GB'")  # with less, a million leads make it ask each subquery again for each lead
    changed = run_sql(BY_HAND.format(some=points["Some"], all=points["All"], run=run))
    run_sql("RESET work_mem")
    return changed


def loop() -> int:
    """The simplest way: for each lead, read the rules, evaluate them one by one, and commit the change."""
    from django.utils import timezone

    from sales.models import Activity, Lead, LeadScoreHistory, LeadScoringRule

    def matches(lead: Lead, rule: LeadScoringRule) -> bool:
        if rule.rule_type != "attribute":
            asked = {
                "email_response": {"activity_type": "email", "direction": "inbound"},
                "phone_response": {"activity_type": "call", "direction": "inbound"},
                "quote_requested": {"activity_type": "quote_requested"},
            }[rule.condition_field]
            return Activity.objects.filter(lead=lead, **asked).exists()
        value = getattr(lead, rule.condition_field)
        if rule.condition_operator == "greater_than":
            return value is not None and value > float(rule.condition_value)
        if rule.condition_operator == "is_set":
            return bool(value)
        return str(value).lower() == rule.condition_value.lower()

    changed = 0
    for lead in Lead.objects.open():
        rules = LeadScoringRule.objects.filter(is_active=True)
        old, raw = lead.score, sum(rule.points for rule in rules if matches(lead, rule))
        lead.score, lead.score_raw = max(0, min(raw, 100)), raw
        if lead.score != old:
            lead.score_updated_at = timezone.now()
            lead.save()
            LeadScoreHistory.objects.create(
                lead=lead, old_score=old, new_score=lead.score, points_changed=lead.score - old, reason="Loop"
            )
            changed += 1
    return changed


def prepare(way: Callable[[], int] | None, toggled: str | None) -> None:
    """The toggled rule's points change; what is left of the round before is tidied up."""
    from sales.models import LeadScoringRule, ScoringRun
    from sales.services.scoring import scoring_runs

    if toggled:
        rule = LeadScoringRule.objects.get(rule_name=toggled)
        LeadScoringRule.objects.filter(pk=rule.pk).update(points=3 - rule.points)
    run_sql("VACUUM ANALYZE leads, lead_score_history")
    run_sql("CHECKPOINT")
    if way in (by_hand, loop):
        ScoringRun.objects.filter(state__in=ScoringRun.UNFINISHED).delete()
    else:
        scoring_runs.start_run(by=None, reason="Bulk recalculation")


def measure(way: Callable[[], int], toggled: str | None) -> tuple[float, float, int]:
    """Rescore all leads in one way. Returns seconds, megabytes of WAL, and the number of changed scores."""
    from django.db import connection

    prepare(way, toggled)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        before = cursor.fetchone()[0]
        start = time.perf_counter()
        changed = way()
        seconds = time.perf_counter() - start
        cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), %s)", [before])
        written = float(cursor.fetchone()[0]) / 1e6
    return seconds, written, changed


def fill(leads: int) -> None:
    from sales.services.scoring import scoring_runs

    run_sql(DATA.format(leads=leads))
    run_sql("VACUUM ANALYZE")
    scoring_runs.start_run(by=None, reason="First")
    athena()


def compare(leads: int, rounds: int, *ways: Callable[[], int]) -> None:
    """Print seconds and WAL of each way, and their ratios to the last way."""
    for toggled, share in (("Some", "10 %"), ("All", "100 %"), (None, "nothing")):
        results: dict[Callable[[], int], list[tuple[float, float, int]]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, taken in results.items():
                taken.append(measure(way, toggled))
        counts = {changed for taken in results.values() for _, _, changed in taken}
        assert len(counts) == 1, f"the ways changed different numbers of leads: {counts}"
        print(f"{leads:,} leads, {share} changed ({counts.pop():,}):", flush=True)
        medians = {way: [*map(statistics.median, zip(*taken, strict=True))] for way, taken in results.items()}
        floor = medians[ways[-1]]
        for way, (seconds, written, _) in medians.items():
            print(
                f"    {way.__name__:8} {seconds:8.2f} s, ratio {seconds / floor[0]:7.2f};"
                f" {written:7.1f} MB of WAL, ratio {written / floor[1]:.2f}",
                flush=True,
            )


def workers(leads: int, rounds: int) -> None:
    """Print how long one and two workers take for a run that changes every lead, and how much memory a worker uses."""
    times: dict[int, list[float]] = {1: [], 2: []}
    peaks = []
    for _ in range(rounds):
        for count, taken in times.items():
            prepare(None, "All")
            with ExitStack() as started:
                running = [started.enter_context(Worker()) for _ in range(count)]
                start = time.perf_counter()
                for worker in running:  # all of them, before the first is waited for
                    worker.go()
                peaks += [int(worker.answer()) for worker in running]
                taken.append(time.perf_counter() - start)
    one, two = (statistics.median(taken) for taken in times.values())
    print(
        f"{leads:,} leads, 100 % changed: one worker {one:.2f} s, two {two:.2f} s, ratio {two / one:.2f};"
        f" a worker's peak memory {max(peaks) / 1024:.0f} MB",
        flush=True,
    )


class Worker:
    """A process that is ready to `work`."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.rescore", "--work"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.answer() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


def work() -> None:
    """A worker: says that it is ready, waits for a word, works, and says what memory it took (kilobytes)."""
    django.setup()
    from django.db import connection

    from sales.services.scoring import scoring_runs

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    scoring_runs.process_batches()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work()
        sys.exit()
    in_a_database(
        lambda: fill(options.leads),
        lambda: compare(options.leads, options.rounds, athena, by_hand),
        lambda: workers(options.leads, options.rounds),
    )
    in_a_database(lambda: fill(LOOPED), lambda: compare(LOOPED, 1, loop, athena, by_hand))


if __name__ == "__main__":
    main()
