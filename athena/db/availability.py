"""Whether an error means that the database can't be used now, or that a statement was wrong, which is our fault."""

import sqlite3

from django.db import InterfaceError, OperationalError

# Of SQLite's primary result codes: busy, locked, read-only, input or output failed, full, can't be opened.
_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
}


def is_unavailable(error: BaseException | None) -> bool:
    """Whether trying again later may help: no connection, no room, a lock that was not given; not a bad pattern."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _AWAY
    return not (getattr(error.__cause__, "pgcode", None) or "").startswith("54")  # a statement beyond a limit
