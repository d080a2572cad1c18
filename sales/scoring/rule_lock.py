"""The lock that keeps the scoring rules unchanged while they are read and applied.

Whoever scores leads shares the lock until commit; whoever changes a rule holds it exclusively. So no score mixes rules
from before and after a change. Read the rules in a statement of their own after taking the lock. SQLite needs no lock:
a transaction that writes is alone from its first statement.
"""

from django.db import connection

_KEY = 0x617468656E61  # "athena": any number that nothing else in this database locks


def share() -> None:
    """Take the lock for scoring, together with others that score. It lasts until the transaction ends."""
    _lock("pg_advisory_xact_lock_shared")


def take() -> None:
    """Take the lock for changing a rule, alone. It lasts until the transaction ends."""
    _lock("pg_advisory_xact_lock")


def _lock(function: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_KEY])
