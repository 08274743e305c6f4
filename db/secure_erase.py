"""Secure deletion: rows are overwritten at once, and leave the database's files soon after the commit."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session


def overwrite(db: Session) -> None:
    """Overwrite deleted rows with zeros in this transaction (SQLite). PostgreSQL cannot: see `settle`."""
    if db.get_bind().dialect.name == "sqlite":
        db.execute(text("PRAGMA secure_delete=ON"))


def settle(engine: Engine, table: str) -> None:
    """Drop the old pages, after the commit. `table` goes into the statement unquoted: never pass input.

    SQLite: checkpoints and truncates the WAL; a concurrent reader defers that to the next call.
    PostgreSQL: VACUUM FULL writes the table to a new file under an exclusive lock, so it is for small tables. WAL
    archives and backups keep the old rows until they are deleted themselves.
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
