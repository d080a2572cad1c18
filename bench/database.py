"""Creates a database for one benchmark on the server in DATABASE_URL, and drops it at the end."""

import os
import sys
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import django

from tests.servers import administer


def in_a_database(*steps: Callable[[], object]) -> None:
    """Create a database, migrate it, take the steps in it, and drop it."""
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
        connection.settings_dict["NAME"] = database  # Django has read its settings already
        call_command("migrate", verbosity=0)
        for step in steps:
            step()
        connection.close()
    finally:
        os.environ["DATABASE_URL"] = maintenance
        administer(maintenance, f"DROP DATABASE {database} WITH (FORCE)")


def server(database: str) -> str:
    """DATABASE_URL with the name of another database."""
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


def run_sql(statement: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
