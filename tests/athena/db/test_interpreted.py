"""Reads that PostgreSQL is not to compile."""

import pytest
from django.db import connection

from athena.db.interpreted import interpreted


def jit():
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres  # the setting is PostgreSQL's
def test_only_those_within():
    before = jit()
    with interpreted():
        assert jit() == "off"
    assert (jit(), before) == ("on", "on")
