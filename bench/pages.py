"""What the admin's pages cost: those that people live in, beside a stock changelist.

    DATABASE_URL=postgres://user@host/any_database .venv/bin/python -m bench.pages [--leads N] [--rounds N]

Makes a database of its own on that server, with the demo of 100,000 leads, and drops it at the end. The floor is a
stock changelist of Django's own: the first fifty of the same leads, eight plain columns, no filters. All are asked for
through the whole stack, logged in, in this process, by turns; printed are the medians and their ratio to the floor, the
number of queries, and the size of the page.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.database import run_sql
from bench.reads import compare, report, run

MOST_TIMES, MOST_QUERIES, MOST_BYTES, MOST_OWN_BYTES = 4, 25, 150_000, 100_000
PAGES = {
    "home of a salesperson": ("maria", "/admin/"),
    "home of a manager": ("manager", "/admin/"),
    "leads of a salesperson": ("maria", "/admin/sales/lead/"),
    "leads of a manager": ("manager", "/admin/sales/lead/"),
    "a view: unplanned": ("manager", "/admin/sales/lead/?view=unplanned"),
    "a lead, its owner": ("maria", "/admin/sales/lead/{own}/change/"),
    "a lead, a manager": ("manager", "/admin/sales/lead/{own}/change/"),
}
STOCK = "/admin/sales/plainlead/"


def stock_page() -> None:
    """Make the floor: the same leads, fifty a page, eight of their columns as they are, in Django's own changelist."""
    from django.contrib import admin

    from sales.models import Lead

    class PlainLead(Lead):
        class Meta:
            proxy, app_label = True, "sales"

    class Plain(admin.ModelAdmin):
        list_display = (
            *("company_name", "contact_name", "status", "score", "email", "phone", "estimated_value", "created_at"),
        )
        list_per_page = 50
        ordering = ("-id",)

        def has_view_permission(self, request: Any, obj: Any = None) -> bool:
            return True

    admin.site.register(PlainLead, Plain)


def visitor(name: str) -> Any:
    from django.test import Client

    from athena.accounts.models import User

    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.get(email=f"{name}@example.com"))
    return client


def asking(client: Any, path: str) -> Callable[[], bytes]:
    def call() -> bytes:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return bytes(answer.content)

    return call


def measure(leads: int, rounds: int) -> bool:
    """Fill the database, measure every page, and say whether all kept to what is promised."""
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from athena.accounts.models import User
    from sales.models import Lead

    start = time.perf_counter()
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("load_demo", leads=leads, verbosity=0)
    stock_page()
    run_sql("VACUUM ANALYZE")
    logging.disable()  # a line for each request
    print(f"{leads:,} leads, filled in {time.perf_counter() - start:.0f} s; page, floor, ratio:", flush=True)
    own = Lead.objects.open().filter(assigned_to=User.objects.get(email="maria@example.com")).order_by("-score")[0].pk
    floor = asking(visitor("admin"), STOCK)
    kept = []
    for name, (who, path) in PAGES.items():
        page = asking(visitor(who), path.format(own=own))
        page()
        with CaptureQueriesContext(connection) as asked:
            size = len(page())
        queries = len(asked)  # now: the next request clears them
        kept.append(report(name, *compare(rounds, page, floor), MOST_TIMES))
        small = queries <= MOST_QUERIES and size <= MOST_BYTES
        print(f"{'':28} {queries} queries, {size / 1000:.0f} KB{'' if small else '  TOO MUCH'}", flush=True)
        kept.append(small)
    own_files = sum(file.stat().st_size for file in Path("athena/static/athena").rglob("*") if file.is_file())
    print(f"own CSS and JavaScript: {own_files / 1000:.0f} KB", flush=True)
    return all(kept) and own_files <= MOST_OWN_BYTES


if __name__ == "__main__":
    run(__doc__, measure, leads=100_000, rounds=51)
