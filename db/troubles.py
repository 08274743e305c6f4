"""Why the database does not serve, from the driver's error."""

from __future__ import annotations

import enum
import sqlite3

from sqlalchemy.exc import DBAPIError

from db.disk_reserve import is_full, is_read_only


class Trouble(enum.StrEnum):
    """Why nothing can be written or read, in the words of the log and of ``/healthz``."""

    FULL = "the disk is full"
    READ_ONLY = "it cannot be written to"
    DISK = "the disk fails"
    AWAY = "it is away"


def trouble_of(error: BaseException) -> Trouble | None:
    """What is wrong with the database; None where it is only busy, or the fault is another."""
    if not isinstance(error, DBAPIError):
        return None
    if is_full(error):
        return Trouble.FULL
    if is_read_only(error):
        return Trouble.READ_ONLY
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return Trouble.DISK if code & 0xFF in _OF_THE_DISK else None
    return Trouble.AWAY if error.connection_invalidated or _is_away(error) else None


# sqlite.org/rescode.html: IOERR, CORRUPT, NOTADB.
_OF_THE_DISK = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _is_away(error: DBAPIError) -> bool:
    """PostgreSQL is shutting down, starting or unreachable (its SQLSTATE classes 57P and 08; none: no connection)."""
    state = getattr(error.orig, "sqlstate", "")
    return state is None or str(state).startswith(("57P", "08"))
