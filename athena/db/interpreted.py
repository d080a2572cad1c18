"""Queries of many parts, each of which does little."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def interpreted() -> Iterator[None]:
    """PostgreSQL does not compile (JIT) the reads within, which would take longer than they do. SQLite never does."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('jit', 'off', true)")  # until the transaction ends
        yield
