"""Disk space held in reserve: on a full disk SQLite cannot even delete.

A file beside the database occupies the space. The purge removes the file, deletes rows, and makes the file again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

SIZE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reserve:
    """`size` bytes beside the database."""

    path: Path
    size: int = SIZE

    def take(self) -> bool:
        """Occupy the space, if twice as much is free; else False."""
        if self.path.exists() and self.path.stat().st_size >= self.size:
            return True
        try:
            if shutil.disk_usage(self.path.parent).free < 2 * self.size:
                return False
            with self.path.open("wb") as file:
                # Allocated: a sparse file would reserve nothing.
                os.posix_fallocate(file.fileno(), 0, self.size)
        except OSError:
            self.path.unlink(missing_ok=True)
            return False
        return True

    def give_up(self) -> bool:
        """Free the space; False where none was reserved."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True


def reserve_of(database_url: str) -> Reserve | None:
    """The reserve of a SQLite database in a file; None for any other."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Reserve(Path(url.database + ".reserve"))


def is_full(error: DBAPIError) -> bool:
    """Whether the disk below the database is full."""
    return _code(error) == sqlite3.SQLITE_FULL or getattr(error.orig, "sqlstate", None) == "53100"


def is_read_only(error: DBAPIError) -> bool:
    """Whether the database cannot be written to, or not even opened for that."""
    return _code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN) or (
        getattr(error.orig, "sqlstate", None) == "25006"
    )


def _code(error: DBAPIError) -> int | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    # The low byte is the kind, the rest says more.
    return None if code is None else int(code) & 0xFF
