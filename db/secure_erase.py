"""What is deleted and must be gone: from the rows at once, from the database's own files soon after the commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session


def overwrite(db: Session) -> None:
    """Have this transaction's connection put zeros where rows were. PostgreSQL has no such thing: see `settle`."""
    if db.get_bind().dialect.name == "sqlite":
        db.execute(text("PRAGMA secure_delete=ON"))


def settle(engine: Engine, table: str) -> None:
    """After the commit: let go of the old pages. `table` is a name of ours, never a stranger's.

    SQLite: the log of pages goes into the file and is emptied, unless somebody is reading; the next time does it.
    PostgreSQL: the table is written anew into another file; the write-ahead log and backups keep the old rows for as
    long as those are kept themselves. For small tables: nobody reads the table meanwhile.
    """
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    connection.detach()
    try:
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            driver.autocommit = True
            driver.execute(f"VACUUM FULL {table}")
    finally:
        connection.close()
