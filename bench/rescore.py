"""Rescoring all leads, beside one hand-written SQL statement that does the same work.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.rescore [--leads N] [--rounds N]

Makes a database of its own on that server and drops it at the end. Both ways compute every lead's score by the same
rules from leads and activities, update what changed and write its history. They take turns; after each the tables are
vacuumed, and a rule's points change so that the next one has as much to do. The medians and their ratio are printed.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg2
import psycopg2.extensions

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


def server(database: str) -> str:
    """DATABASE_URL with another database."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


def administer(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def run_sql(statement: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def athena() -> int:
    from sales.models import ScoringRun
    from sales.services import scoring_runs

    scoring_runs.work()
    run = ScoringRun.objects.latest("id")
    assert run.state == ScoringRun.State.DONE, run.error
    return run.changed


def by_hand() -> int:
    from sales.models import LeadScoringRule, ScoringRun

    points = dict(LeadScoringRule.objects.values_list("rule_name", "points"))
    run = ScoringRun.objects.latest("id").pk
    return run_sql(BY_HAND.format(some=points["Some"], all=points["All"], run=run))


def measure(way: Callable[[], int], toggled: str) -> tuple[float, int]:
    """The seconds that one way takes to rescore all leads after the toggled rule's points changed."""
    from sales.models import LeadScoringRule, ScoringRun
    from sales.services import scoring_runs

    rule = LeadScoringRule.objects.get(rule_name=toggled)
    LeadScoringRule.objects.filter(pk=rule.pk).update(points=3 - rule.points)
    run_sql("VACUUM ANALYZE leads, lead_score_history")
    run_sql("CHECKPOINT")
    if way is athena:
        scoring_runs.start_run(by=None, reason="Bulk recalculation")
    else:
        ScoringRun.objects.filter(state__in=ScoringRun.UNFINISHED).delete()
    start = time.perf_counter()
    changed = way()
    return time.perf_counter() - start, changed


def compare(leads: int, rounds: int) -> None:
    from sales.services import scoring_runs

    run_sql(DATA.format(leads=leads))
    run_sql("VACUUM ANALYZE")
    scoring_runs.start_run(by=None, reason="First")
    athena()
    for toggled, share in (("Some", "10 %"), ("All", "100 %")):
        times: dict[Callable[[], int], list[float]] = {athena: [], by_hand: []}
        for _ in range(rounds):
            counts = set()
            for way, taken in times.items():
                seconds, changed = measure(way, toggled)
                taken.append(seconds)
                counts.add(changed)
            assert len(counts) == 1, f"the two ways changed different numbers of leads: {counts}"
        ours, theirs = (statistics.median(taken) for taken in times.values())
        print(
            f"{leads:,} leads, {share} changed ({counts.pop():,}): Athena {ours:.2f} s, by hand {theirs:.2f} s,"
            f" ratio {ours / theirs:.2f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.exit("Set DATABASE_URL to any database of a PostgreSQL server where you may create databases.")
    maintenance, database = os.environ["DATABASE_URL"], f"athena_bench_{os.getpid()}"
    administer(maintenance, f"CREATE DATABASE {database}")
    try:
        os.environ |= {"DATABASE_URL": server(database), "DJANGO_SETTINGS_MODULE": "athena.settings"}
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from athena.celery import app

        app.conf.update(broker_url="memory://", broker_transport_options={})
        call_command("migrate", verbosity=0)
        compare(options.leads, options.rounds)
        connection.close()
    finally:
        administer(maintenance, f"DROP DATABASE {database} WITH (FORCE)")


if __name__ == "__main__":
    main()
