"""A selective search, beside a sequential scan for the same words.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.search [--leads N] [--rounds N]

Makes a database of its own on that server and drops it at the end. Measured is the query of a page of the API's list of
leads, newest first, as an administrator, a manager and a rep of a team ask it; beside it, the words looked for in the
rows of `lead_search` one by one (the same condition, indexes switched off), and in the four columns of `leads`. They
take turns; printed are the medians, their ratios and, with `--plans`, how PostgreSQL answers.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.rescore import in_a_database, run_sql

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
OFF = "SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off"
ON = "RESET enable_indexscan; RESET enable_bitmapscan; RESET enable_indexonlyscan"
PAGE = 51


def people() -> dict[str, Any]:
    from athena.accounts.models import User

    found = {role: User.objects.filter(role=role).order_by("pk")[0] for role in ("manager", "rep")}
    return {"administrator": User(role="admin", is_active=True), **found}


def searches(many: int) -> list[str]:
    """Words of leads here and there: a part of a name, of an address, of a number, two in another order."""
    from sales.models import Lead

    found = []
    for number in range(many):
        lead = Lead.objects.order_by("pk")[1000 + number * 37]
        words = lead.company_name.split()
        found.append(
            [words[-1], lead.email.split("@")[0][1:], lead.phone[3:], f"{lead.contact_name.split()[1]} {words[0]}"][
                number % 4
            ]
        )
    return found


def page_of(user: Any, words: str) -> Any:
    from sales.models import Lead

    return Lead.objects.visible_to(user).search(words).order_by("-created_at", "-id").values()[:PAGE]


def by_index(user: Any, words: str) -> list[Any]:
    return list(page_of(user, words))


def by_scan(user: Any, words: str) -> list[Any]:
    run_sql(OFF)
    try:
        return list(page_of(user, words))
    finally:
        run_sql(ON)


def by_columns(user: Any, words: str) -> list[Any]:
    """What one would write first: each word in each column of the lead."""
    from django.db.models import Q

    from sales.models import Lead

    found = Lead.objects.visible_to(user)
    for word in words.split():
        found = found.filter(
            Q(company_name__icontains=word)
            | Q(contact_name__icontains=word)
            | Q(email__icontains=word)
            | Q(phone__icontains=word)
        )
    return list(found.order_by("-created_at", "-id").values()[:PAGE])


def compare(leads: int, rounds: int, *, plans: bool) -> None:
    ways: tuple[Callable[[Any, str], list[Any]], ...] = (by_index, by_scan, by_columns)
    for name, user in people().items():
        taken: dict[Callable[[Any, str], list[Any]], list[float]] = {way: [] for way in ways}
        for words in searches(rounds):
            rows = []
            for way in ways:
                start = time.perf_counter()
                rows.append(way(user, words))
                taken[way].append(time.perf_counter() - start)
            assert rows[0] == rows[1] == rows[2], f"“{words}” found different leads"
        medians = [statistics.median(taken[way]) for way in ways]
        print(
            f"{leads:,} leads, {name}: index {medians[0] * 1000:.2f} ms; scan of lead_search {medians[1] * 1000:.0f} ms,"
            f" ratio {medians[1] / medians[0]:.0f}; scan of leads {medians[2] * 1000:.0f} ms,"
            f" ratio {medians[2] / medians[0]:.0f}",
            flush=True,
        )
        if plans:
            print(page_of(user, searches(1)[0]).explain(analyze=True), flush=True)


def fill(leads: int) -> None:
    run_sql(DATA.format(leads=leads, teams=TEAMS, people=PEOPLE))
    run_sql("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--plans", action="store_true")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        sys.exit("Set DATABASE_URL to any database of a PostgreSQL server where you may create databases.")
    in_a_database(lambda: (fill(options.leads), compare(options.leads, options.rounds, plans=options.plans)))


if __name__ == "__main__":
    main()
