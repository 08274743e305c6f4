"""Whole copies of a SQLite database, while others use it (https://sqlite.org/backup.html)."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def copy(source: Path, target: Path, *, over: bool = False) -> None:
    """Copy a database as it is at one moment. Only its owner may read the copy.

    `over` replaces what the target holds, for those who have it open as well. Raises `FileExistsError`, `OSError`,
    `sqlite3.Error`.
    """
    if not over:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as before,
        closing(sqlite3.connect(target, timeout=10)) as after,
    ):
        before.backup(after)
        after.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def is_whole(path: Path) -> bool:
    """Whether this is a database of ours, to its last page."""
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                return False
            database.execute("SELECT version_num FROM alembic_version").fetchone()
            return True
    except sqlite3.Error:
        return False
