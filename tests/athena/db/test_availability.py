"""An invalid statement does not count as an unavailable database."""

import sqlite3

import pytest
from django.db import DataError, InterfaceError, OperationalError, connection

from athena.db.availability import is_unavailable
from sales.models import Lead


def test_an_invalid_pattern_is_an_error_of_the_statement(db, make_lead):
    make_lead()
    with pytest.raises((OperationalError, DataError)) as raised, connection.cursor():
        list(Lead.objects.filter(company_name__regex="(").values("pk"))
    assert not is_unavailable(raised.value)


@pytest.mark.parametrize(("code", "is_away"), [(5, True), (261, True), (14, True), (13, True), (1, False), (18, False)])
def test_the_error_code_of_sqlite_decides(code, is_away):
    cause = sqlite3.OperationalError("whatever")
    cause.sqlite_errorcode = code
    error = OperationalError("whatever")
    error.__cause__ = cause
    assert is_unavailable(error) is is_away


@pytest.mark.parametrize("error", [OperationalError("server closed the connection"), InterfaceError("closed")])
def test_an_error_without_a_code_is_a_lost_connection(error):
    assert is_unavailable(error)
