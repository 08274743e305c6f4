"""SQLite as its driver has it: a transaction begins as a writer, in its turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from db import sqlite_queue
from db.drivers import ASYNC, IMPATIENT_SECONDS, Row, Statement, TransactionMode


class SqliteDriver:
    """sqlite3's connection, whose writers take turns."""

    def __init__(
        self,
        engine: Engine,
        connection: sqlite3.Connection,
        info: dict[str, Any],
        turn: sqlite_queue.WriteQueue,
    ) -> None:
        self.engine, self.writes = engine, engine.dialect
        self._connection, self._info, self._turn = connection, info, turn

    def begin(self, mode: TransactionMode | None) -> None:
        # A deferred BEGIN that turns into a write fails with SQLITE_BUSY at once and cannot be retried within the
        # transaction. Writers therefore begin as writers; only `reading()` defers.
        if mode is TransactionMode.READING:
            self._connection.execute("BEGIN")
            return
        came = sqlite_queue.now()
        is_impatient = mode is TransactionMode.BEST_EFFORT
        until = came + (IMPATIENT_SECONDS if is_impatient else sqlite_queue.PATIENCE_SECONDS)
        self._turn.take(self._info, until=until)
        self._connection.execute(f"PRAGMA synchronous={'NORMAL' if mode in ASYNC else 'FULL'}")
        self._turn.begin(self._connection, came=came, until=until)

    def execute(self, statement: Statement, values: Sequence[Any]) -> tuple[list[Row], int]:
        cursor = self._connection.execute(statement.text, values)
        rows = cursor.fetchall()
        return rows, cursor.rowcount

    def commit(self) -> None:
        self._connection.commit()
