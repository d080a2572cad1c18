"""What reading costs: Athena's routes beside bare views that run the same SQL.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.reads [--leads N] [--rounds N]

Makes a database of its own on that server and drops it at the end: a million leads, three million follow-ups, five
million activities (`--leads 100000` for a quick look). A bare view has the same authentication, runs the statements
that the route has run through a cursor, and dumps the rows as JSON: no serializer, no pages, no rights. Both are called
in this process with a real token, by turns; printed are the medians and their ratio, with what is promised.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bench.database import in_a_database, run_sql

ACTIVITIES_OF_ONE = 20_000
SECONDS = 30  # the longest time to measure one route, after its minimum number of rounds
LEAST_ROUNDS = 5
DATA = """
INSERT INTO teams (name) SELECT 'Team ' || n FROM generate_series(1, 10) AS n;
INSERT INTO users (email, full_name, password, role, team_id)
SELECT 'rep' || n || '@example.com', 'Rep ' || n, '!', 'rep', (SELECT MIN(id) FROM teams) + n % 10
FROM generate_series(1, 100) AS n;
INSERT INTO users (email, full_name, password, role) VALUES ('boss@example.com', 'Boss', '!', 'manager');
INSERT INTO lead_sources (name, channel, cost_model, unit_cost)
SELECT 'Source ' || n, (ARRAY['ads', 'directory', 'partner'])[n % 3 + 1],
       (ARRAY['monthly', 'per_lead', 'commission'])[n % 3 + 1], n FROM generate_series(1, 20) AS n;
INSERT INTO source_spend (source_id, campaign, month, amount)
SELECT s.id, 'campaign ' || c, DATE_TRUNC('month', NOW())::date - m * INTERVAL '1 month', 100 + s.id
FROM lead_sources AS s, generate_series(1, 5) AS c, generate_series(0, 23) AS m;
INSERT INTO leads (company_name, contact_name, email, phone, email_normalised, phone_normalised, estimated_passengers,
                   estimated_value, source_id, campaign, status, lost_reason, booked_value, score, assigned_to,
                   created_at, first_contacted_at, qualified_at, quoted_at, won_at, closed_at, next_follow_up_date)
SELECT 'Company ' || n, 'Contact ' || n, 'c' || n || '@example.com', '+1212' || n, 'c' || n || '@example.com',
       '+1212' || n, n % 80, (n::bigint * 104729) % 9000, (SELECT MIN(id) FROM lead_sources) + n % 20,
       CASE WHEN n % 3 > 0 THEN 'campaign ' || n % 5 + 1 ELSE '' END, s.status,
       CASE WHEN s.status = 'lost' THEN 'price' END, CASE WHEN s.status = 'won' THEN (n::bigint * 7919) % 9000 END,
       (n::bigint * 31) % 101, (SELECT MIN(id) FROM users) + n % 100, s.at, s.at + n % 72 * INTERVAL '1 hour',
       CASE WHEN n % 10 > 3 THEN s.at + INTERVAL '3 days' END, CASE WHEN n % 10 > 4 THEN s.at + INTERVAL '5 days' END,
       CASE WHEN s.status = 'won' THEN s.at + n % 90 * INTERVAL '1 day' END,
       CASE WHEN s.status IN ('won', 'lost') THEN s.at + n % 90 * INTERVAL '1 day' END, NOW()
FROM (SELECT n, (ARRAY['new', 'contacted', 'qualified', 'quoted', 'lost', 'lost', 'lost', 'won', 'won', 'lost'])
                [n % 10 + 1] AS status, NOW() - (n::bigint * 7919) % 63072000 * INTERVAL '1 second' AS at
      FROM generate_series(1, {leads}) AS n) AS s;
INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, first_scheduled_date, due_at, completed, completed_at,
                        completed_by, outcome, notes, assigned_to, created_by, reminder_sent, created_at)
SELECT l.id, (ARRAY['call', 'email', 'meeting'])[f], t.at::date, t.at::date, t.at, t.done,
       CASE WHEN t.done THEN t.at END, CASE WHEN t.done THEN l.assigned_to END,
       CASE WHEN t.done THEN 'successful' END, 'Ask about the trip', l.assigned_to, l.assigned_to, TRUE, l.created_at
FROM leads AS l CROSS JOIN generate_series(1, 3) AS f
CROSS JOIN LATERAL (SELECT l.created_at + f * 5 * INTERVAL '1 day' AS at, l.id * 7919 % 211 > 0 AS done) AS t;
INSERT INTO activities (lead_id, activity_type, direction, description, notes, user_id, occurred_at)
SELECT l.id, (ARRAY['call', 'email', 'note', 'quote_requested', 'meeting'])[a],
       (ARRAY['inbound', 'outbound', NULL])[a % 3 + 1], 'What happened', 'And what was said about it', l.assigned_to,
       l.created_at + a * INTERVAL '2 days'
FROM leads AS l CROSS JOIN generate_series(1, 5) AS a;
INSERT INTO activities (lead_id, activity_type, direction, description, notes, user_id, occurred_at)
SELECT {busy}, 'note', NULL, 'What happened', 'And what was said about it', (SELECT MIN(id) FROM users),
       NOW() - a * INTERVAL '10 minutes' FROM generate_series(1, {activities}) AS a;
INSERT INTO lead_score_history (lead_id, old_score, new_score, points_changed, reason, changed_at)
SELECT l.id, 10 * h, 10 * h + 10, 10, 'Activity: call', l.created_at + h * INTERVAL '3 days'
FROM leads AS l CROSS JOIN generate_series(1, 2) AS h;
INSERT INTO field_changes (lead_id, field, old, new, by_id, at)
SELECT l.id, (ARRAY['status', 'estimated_value'])[c], (ARRAY['"new"', '10'])[c]::jsonb,
       (ARRAY['"contacted"', '20'])[c]::jsonb, l.assigned_to, l.created_at + c * INTERVAL '1 day'
FROM leads AS l CROSS JOIN generate_series(1, 2) AS c;
INSERT INTO transfer_batches (reason) VALUES ('Load balancing');
INSERT INTO lead_transfers (lead_id, batch_id, from_user_id, to_user_id, transfer_reason, transferred_at)
SELECT id, (SELECT MIN(id) FROM transfer_batches), NULL, assigned_to, 'Load balancing', created_at
FROM leads WHERE id % 2 = 0;
"""
SALES = "/api/v1/sales"
PERIOD = "start_date=2025-06-10&end_date=2026-05-20"
ROUTES = {  # name: (user, path, largest ratio to the bare view)
    "my-tasks": ("rep1", f"{SALES}/follow-ups/my-tasks?view=all", 2.0),
    "high-score": ("rep1", f"{SALES}/leads/high-score", 2.0),
    "leads": ("rep1", f"{SALES}/leads", 2.0),
    "leads, all": ("boss", f"{SALES}/leads", 2.0),
    "leads of a status": ("boss", f"{SALES}/leads?status=new&ordering=-created_at", 2.0),
    "follow-ups": ("rep1", f"{SALES}/follow-ups?state=open", 3.0),
    "follow-ups of a lead": ("boss", f"{SALES}/follow-ups/lead/{{lead}}", 3.0),
    "a lead": ("boss", f"{SALES}/leads/{{lead}}", 3.0),
    "activities": ("boss", f"{SALES}/leads/{{lead}}/activities", 3.0),
    "score-history": ("boss", f"{SALES}/leads/{{lead}}/score-history", 3.0),
    "transfer-history": ("boss", f"{SALES}/leads/{{lead}}/transfer-history", 3.0),
    "timeline": ("boss", f"{SALES}/leads/{{lead}}/timeline", 3.0),
    "timeline of many": ("boss", f"{SALES}/leads/{{busy}}/timeline", 3.0),
    "performance": ("rep1", f"{SALES}/reports/follow-up-performance?{PERIOD}", 3.0),
    "performance, all": ("boss", f"{SALES}/reports/follow-up-performance?{PERIOD}", 3.0),
    "source-roi": ("boss", f"{SALES}/reports/source-roi?{PERIOD}", 3.0),
    "speed": ("boss", f"{SALES}/reports/speed?{PERIOD}", 3.0),
    "losses": ("boss", f"{SALES}/reports/losses?{PERIOD}", 3.0),
}
Call = Callable[[], Any]


def call_of(path: str, token: str, view: Any = None) -> Call:
    """A function that asks this path (its own view, or `view`) and gives the rendered answer."""
    from django.urls import resolve
    from rest_framework.test import APIRequestFactory

    match = resolve(urlsplit(path).path)
    factory = APIRequestFactory()

    def call() -> Any:
        request = factory.get(path, HTTP_AUTHORIZATION=f"Bearer {token}", HTTP_HOST="localhost")
        answer = view(request) if view else match.func(request, *match.args, **match.kwargs)
        if hasattr(answer, "render"):
            answer.render()
        assert answer.status_code == 200, answer.content
        return answer

    return call


def bare_view(statements: list[str]) -> Any:
    """A view with Athena's authentication that runs these statements and returns their rows as JSON."""
    from django.db import connection
    from django.http import HttpResponse
    from rest_framework.views import APIView

    class Bare(APIView):
        def get(self, request: Any) -> HttpResponse:
            results = []
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                    columns = [column[0] for column in cursor.description]
                    results.append([dict(zip(columns, row, strict=True)) for row in cursor.fetchall()])
            return HttpResponse(json.dumps(results, default=str), content_type="application/json")

    return Bare.as_view()


def bare(path: str, token: str) -> Call:
    """The bare view of a route: it runs the statements that the route runs after authentication."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as login:
        call_of(path, token, bare_view([]))()
    with CaptureQueriesContext(connection) as route:
        call_of(path, token)()
    return call_of(path, token, bare_view([query["sql"] for query in route.captured_queries[len(login) :]]))


def compare(rounds: int, one: Call, other: Call) -> tuple[float, float]:
    """Make two calls by turns and return the median seconds of each."""
    calls = (one, other)
    for call in calls:
        call()
    taken: list[list[float]] = [[] for _ in calls]
    end = time.perf_counter() + SECONDS
    while len(taken[0]) < rounds and (len(taken[0]) < LEAST_ROUNDS or time.perf_counter() < end):
        for call, times in zip(calls, taken, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    first, second = (statistics.median(times) for times in taken)
    return first, second


def report(name: str, one: float, other: float, max_ratio: float) -> bool:
    """Print both times in seconds and their ratio. Returns whether the ratio is small enough."""
    ratio = one / other
    print(f"{name:28} {one * 1000:10.2f} ms {other * 1000:10.2f} ms {ratio:6.2f}  at most {max_ratio}"
          f"{'' if ratio <= max_ratio else '  TOO MUCH'}", flush=True)  # fmt: skip
    return ratio <= max_ratio


def deep_page(token: str) -> str:
    """The address of a page in the middle of the list of all leads."""
    from sales.models import Lead

    keys = Lead.objects.order_by("-created_at", "-id").values_list("created_at", flat=True)
    middle = keys[Lead.objects.count() // 2]
    query = urlencode({"created_before": middle.isoformat()})
    link = urlsplit(call_of(f"{SALES}/leads?{query}", token)().data["next"])
    return f"{link.path}?{urlencode([(name, value) for name, value in parse_qsl(link.query) if name == 'cursor'])}"


def measure(leads: int, rounds: int) -> bool:
    """Fill the database, measure everything, and say whether all kept to what is promised."""
    from athena.accounts import services
    from athena.accounts.models import User
    from sales.models import Lead

    busy = leads // 2
    start = time.perf_counter()
    run_sql(DATA.format(leads=leads, busy=busy, activities=ACTIVITIES_OF_ONE))
    run_sql("VACUUM ANALYZE")
    print(f"{leads:,} leads, filled in {time.perf_counter() - start:.0f} s; Athena, bare, ratio:", flush=True)
    who = {name: User.objects.get(email=f"{name}@example.com") for name in ("rep1", "boss")}
    names = {"lead": Lead.objects.order_by("pk")[busy + 7].pk, "busy": busy}

    def token(name: str) -> str:
        # It is valid for ten minutes, so each comparison gets its own.
        return services.start_session(user=who[name]).access_token

    kept = []
    for name, (user, path, max_ratio) in ROUTES.items():
        path = path.format(**names)
        kept.append(report(name, *compare(rounds, call_of(path, token(user)), bare(path, token(user))), max_ratio))
    pages = [f"{SALES}/leads", deep_page(token("boss"))]
    first, deep = compare(rounds, *(call_of(page, token("boss")) for page in pages))
    kept.append(report("a deep page, to the first", deep, first, 1.2))
    stories = (f"{SALES}/leads/{names[name]}/timeline" for name in ("lead", "busy"))
    normal, long = compare(rounds, *(call_of(story, token("boss")) for story in stories))
    kept.append(report("20,000 activities, to few", long, normal, 1.5))
    return all(kept)


def run(about: str | None, measure: Callable[[int, int], bool], leads: int, rounds: int) -> None:
    """Measure in a database of its own; exit with status 1 if a ratio is too large."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=leads)
    parser.add_argument("--rounds", type=int, default=rounds)
    options = parser.parse_args()
    kept: list[bool] = []
    in_a_database(lambda: kept.append(measure(options.leads, options.rounds)))
    sys.exit(not all(kept))


if __name__ == "__main__":
    run(__doc__, measure, leads=1_000_000, rounds=101)
