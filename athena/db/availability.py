"""Distinguishes a database that is unavailable from a wrong SQL statement, which is a bug of ours."""

import sqlite3

from django.db import InterfaceError, OperationalError

# SQLite's primary result codes for a database that cannot be used now.
_UNAVAILABLE_CODES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


def is_unavailable(error: BaseException | None) -> bool:
    """Whether trying again later may help: there is no connection, no disk space or no lock."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _UNAVAILABLE_CODES
    return not (getattr(error.__cause__, "pgcode", None) or "").startswith("54")  # 54…: the statement exceeds a limit
