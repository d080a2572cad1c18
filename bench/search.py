"""A selective search, beside a sequential scan for the same words.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.search [--leads N] [--rounds N]

Makes a database of its own on that server and drops it at the end. Measured is the query of a page of the API's list of
leads, newest first, as an administrator, a manager and a rep of a team ask it; beside it, the words looked for in the
rows of `lead_search` one by one (the same condition without the index), and in the four columns of `leads`. They
take turns; printed are the medians, their ratios and, with `--plans`, how PostgreSQL answers.
"""

import argparse
import re
import statistics
import time
from typing import Any

from bench.database import in_a_database, run_sql

TEAMS, PEOPLE = 5, 50
DATA = """
INSERT INTO teams (name) SELECT 'Team ' || n FROM generate_series(1, {teams}) AS n;
INSERT INTO users (email, full_name, password, role, team_id, time_zone, settled_zone, is_active)
SELECT 'p' || n || '@example.com', 'Person ' || n, '!', CASE n % 10 WHEN 0 THEN 'manager' ELSE 'rep' END,
       n % {teams} + (SELECT MIN(id) FROM teams), 'UTC', 'UTC', TRUE
FROM generate_series(1, {people}) AS n;
INSERT INTO leads (company_name, contact_name, email, phone, email_normalised, phone_normalised, assigned_to, status,
                   created_at)
SELECT company, contact, mail, phone, mail, phone,
       CASE WHEN n % 10 > 0 THEN n % {people} + (SELECT MIN(id) FROM users) END,
       (ARRAY['new', 'contacted', 'quoted', 'won'])[n % 4 + 1], NOW() - (n % 1000000) * INTERVAL '1 minute'
FROM (
    SELECT n,
           (ARRAY['Lincoln', 'Harbor', 'Mill Creek', 'Saint Mary', 'Northside', 'Riverdale', 'Oak Hill'])[n % 7 + 1]
           || ' ' || (ARRAY['High School', 'Church', 'College', 'Tours', 'Wedding', 'Rotary Club'])[n / 7 % 6 + 1]
           || ' ' || SUBSTR(MD5(n::text), 1, 6) AS company,
           (ARRAY['Dana', 'Carla', 'Tom', 'Maria', 'Otto', 'Lucy'])[n % 6 + 1] || ' ' || SUBSTR(MD5('c' || n), 1, 8)
           AS contact,
           SUBSTR(MD5('m' || n), 1, 10) || '@example' || n % 100 || '.org' AS mail,
           '+1617' || LPAD(((n::bigint * 7919) % 10000000)::text, 7, '0') AS phone
    FROM generate_series(1, {leads}) AS n
) AS made;
INSERT INTO lead_search (lead_id, text, company)
SELECT id, LOWER(company_name || ' ' || contact_name || ' ' || email || ' ' || phone) || ' ' || SUBSTR(phone, 2),
       LOWER(company_name)
FROM leads;
INSERT INTO follow_ups (lead_id, follow_up_type, scheduled_date, assigned_to)
SELECT id, 'call', CURRENT_DATE, id % {people} + (SELECT MIN(id) FROM users) FROM leads WHERE id % 3 = 0;
"""
PAGE = 51


def people() -> dict[str, Any]:
    from athena.accounts.models import User

    users = {role: User.objects.filter(role=role).order_by("pk")[0] for role in ("manager", "rep")}
    return {"administrator": User(role="admin", is_active=True), **users}


def choose_words(count: int) -> list[str]:
    """Words of various leads: part of a name, of an email address, of a phone number, two words in reverse order."""
    from sales.models import Lead

    searches = []
    for number in range(count):
        lead = Lead.objects.order_by("pk")[1000 + number * 37]
        words = lead.company_name.split()
        searches.append(
            [words[-1], lead.email.split("@")[0][1:], lead.phone[3:], f"{lead.contact_name.split()[1]} {words[0]}"][
                number % 4
            ]
        )
    return searches


def page_of(user: Any, words: str) -> Any:
    from sales.models import Lead

    return Lead.objects.visible_to(user).search(words).order_by("-created_at", "-id").values()[:PAGE]


def columns_of(user: Any, words: str) -> Any:
    """The simplest way: look for each word in each column of the lead."""
    from django.db.models import Q

    from sales.models import Lead

    leads = Lead.objects.visible_to(user)
    for word in words.split():
        leads = leads.filter(
            Q(company_name__icontains=word)
            | Q(contact_name__icontains=word)
            | Q(email__icontains=word)
            | Q(phone__icontains=word)
        )
    return leads.order_by("-created_at", "-id").values()[:PAGE]


def run(query: Any) -> tuple[float, list[Any]]:
    return run_statement(*query.query.sql_with_params())


def run_statement(sql: str, parameters: Any) -> tuple[float, list[Any]]:
    """Plan and run the statement. Returns the seconds and all rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
        return time.perf_counter() - start, rows


def by_index(user: Any, words: str) -> tuple[float, list[Any]]:
    return run(page_of(user, words))


def by_scan(user: Any, words: str) -> tuple[float, list[Any]]:
    """The same condition on the same rows, written so that PostgreSQL cannot use the index of the text."""
    query = page_of(user, words)
    sql, parameters = query.query.sql_with_params()
    return run_statement(re.sub(r'("?U0"?\."text")::text', r"(\1 || '')", sql), parameters)


def by_columns(user: Any, words: str) -> tuple[float, list[Any]]:
    return run(columns_of(user, words))


def compare(leads: int, rounds: int, *, plans: bool) -> None:
    ways = {"index": by_index, "scan of lead_search": by_scan, "scan of leads": by_columns}
    for name, user in people().items():
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for words in choose_words(rounds):
            results = []
            for way, ask in ways.items():
                seconds, rows = ask(user, words)
                taken[way].append(seconds)
                results.append(rows)
            assert results[0] == results[1] == results[2], f"“{words}” found different leads"
        index, *others = (statistics.median(times) for times in taken.values())
        comparisons = [
            f"{way} {took * 1000:.0f} ms, ratio {took / index:.0f}"
            for way, took in zip(list(ways)[1:], others, strict=True)
        ]
        print(f"{leads:,} leads, {name}: index {index * 1000:.2f} ms; {'; '.join(comparisons)}", flush=True)
        if plans:
            print(page_of(user, choose_words(1)[0]).explain(analyze=True), flush=True)


def fill(leads: int) -> None:
    run_sql(DATA.format(leads=leads, teams=TEAMS, people=PEOPLE))
    run_sql("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--plans", action="store_true")
    options = parser.parse_args()
    in_a_database(lambda: fill(options.leads), lambda: compare(options.leads, options.rounds, plans=options.plans))


if __name__ == "__main__":
    main()
