"""SQLite as its driver has it: a transaction begins as a writer, in its turn, or as one of a group."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from db import sqlite_queue
from db.drivers import ASYNC, IMPATIENT_SECONDS, Row, Statement, TransactionMode
from db.sqlite_groups import Group


class SqliteDriver:
    """sqlite3's connection, whose writers take turns."""

    defers = False
    # In which the act under way is done.
    group: Group | None = None

    def __init__(
        self,
        engine: Engine,
        connection: sqlite3.Connection,
        info: dict[str, Any],
        turn: sqlite_queue.WriteQueue,
    ) -> None:
        self.engine, self.writes = engine, engine.dialect
        self._connection = connection
        self._info, self._turn = info, turn
        self._pragmas: dict[str, str] = {}

    def begin(self, mode: TransactionMode | None) -> None:
        # A deferred BEGIN that turns into a write fails with SQLITE_BUSY at once and cannot be retried within the
        # transaction. Writers therefore begin as writers; only `reading()` defers.
        # The journal of a statement or a savepoint goes to a file above 64 kB.
        self._set("temp_store", "FILE")
        if mode is TransactionMode.READING:
            self._connection.execute("BEGIN")
            return
        came = sqlite_queue.now()
        is_impatient = mode is TransactionMode.BEST_EFFORT
        until = came + (IMPATIENT_SECONDS if is_impatient else sqlite_queue.PATIENCE_SECONDS)
        self._turn.take(self._info, until=until)
        self._set("synchronous", "NORMAL" if mode in ASYNC else "FULL")
        self._turn.begin(self._connection, came=came, until=until)

    def begin_group(self, mode: TransactionMode | None, *, came: float, until: float) -> Group:
        """Begin a transaction for acts, the first of this mode. Whoever calls this has the turn."""
        # Those who queue behind one that may be lost may need the disk.
        is_durable = mode not in ASYNC or self._turn.waiting > 0
        # The journal of a short act, and of nothing that might sort the whole log, may stay in memory.
        self._set("temp_store", "MEMORY")
        self._set("synchronous", "FULL" if is_durable else "NORMAL")
        self._turn.begin(self._connection, came=came, until=until)
        return Group(self._connection, is_durable=is_durable)

    def enter(self, group: Group) -> None:
        """Begin the part of an act."""
        self.group = group
        group.enter()

    def execute(self, statement: Statement, values: Sequence[Any]) -> tuple[list[Row], int]:
        try:
            cursor = self._connection.execute(statement.text, values)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            self._met(error)
            raise
        return rows, cursor.rowcount

    def execute_many(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(statement.text, rows)
        except sqlite3.Error as error:
            self._met(error)
            raise

    def look_by_index(self) -> None:
        pass

    def send(self) -> None:
        pass

    def commit(self) -> None:
        if self.group is None:
            self._connection.commit()
        else:
            self._leave(self.group, keep=True)

    def rollback(self) -> None:
        """Roll back; in a group what its act did."""
        if self.group is None:
            self._connection.rollback()
        else:
            self._leave(self.group, keep=False)

    def _leave(self, group: Group, *, keep: bool) -> None:
        self.group = None
        group.leave(keep=keep)

    def _met(self, error: sqlite3.Error) -> None:
        if self.group is not None:
            self.group.met(error)

    def _set(self, pragma: str, value: str) -> None:
        """Between transactions; where it is not so already."""
        if self._pragmas.get(pragma) != value:
            self._connection.execute(f"PRAGMA {pragma}={value}")
            self._pragmas[pragma] = value
