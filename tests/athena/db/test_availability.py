"""A wrong statement is not told as a database that is away."""

import sqlite3

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection

from athena.db.availability import is_unavailable
from sales.models import Lead


def test_a_bad_pattern_is_a_fault_of_the_statement(db, make_lead):
    make_lead()
    with pytest.raises((OperationalError, DataError)) as caught, connection.cursor():
        list(Lead.objects.filter(company_name__regex="(").values("pk"))
    assert not is_unavailable(caught.value)


@pytest.mark.parametrize(("code", "away"), [(5, True), (261, True), (14, True), (13, True), (1, False), (18, False)])
def test_sqlite_says_what_it_is_by_its_code(code, away):
    cause = sqlite3.OperationalError("whatever")
    cause.sqlite_errorcode = code
    error = OperationalError("whatever")
    error.__cause__ = cause
    assert is_unavailable(error) is away


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_a_lost_connection_has_no_code(error):
    assert is_unavailable(error)
