"""The lock that keeps rules still while they are read and applied.

Whoever scores shares it until commit, whoever changes a rule has it alone; so no score mixes rules from before and
after a change. Rules must be read by a statement of their own after the lock is held. On SQLite a transaction that
writes is alone from its first statement, so there is nothing to take.
"""

from django.db import connection

_KEY = 0x617468656E61  # "athena": any number that nothing else in this database locks


def share() -> None:
    _lock("pg_advisory_xact_lock_shared")


def take() -> None:
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_KEY])
