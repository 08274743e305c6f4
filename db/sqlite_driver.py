"""SQLite as its driver has it: a transaction begins as a writer, in its turn, or as one of a group."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from db import sqlite_queue
from db.drivers import ASYNC, GROUPED, IMPATIENT_SECONDS, Row, Statement, TransactionMode
from db.sqlite_groups import Group


class SqliteDriver:
    """sqlite3's connection, whose writers take turns."""

    defers = False
    # Whom this transaction is committed with.
    group: Group | None = None

    def __init__(
        self,
        engine: Engine,
        connection: sqlite3.Connection,
        info: dict[str, Any],
        turn: sqlite_queue.WriteQueue,
    ) -> None:
        self.engine, self.writes = engine, engine.dialect
        # The one of this transaction: a group is on the connection of its first.
        self._own = self._connection = connection
        self._info, self._turn = info, turn
        self._pragmas: dict[str, str] = {}

    def begin(self, mode: TransactionMode | None) -> None:
        # A deferred BEGIN that turns into a write fails with SQLITE_BUSY at once and cannot be retried within the
        # transaction. Writers therefore begin as writers; only `reading()` defers.
        # The journal of a statement or a savepoint goes to a file above 64 kB. That of a short act, and of nothing
        # that might sort the whole log, may stay in memory.
        self._set("temp_store", "MEMORY" if mode in GROUPED else "FILE")
        if mode is TransactionMode.READING:
            self._own.execute("BEGIN")
            return
        came = sqlite_queue.now()
        is_impatient = mode is TransactionMode.BEST_EFFORT
        until = came + (IMPATIENT_SECONDS if is_impatient else sqlite_queue.PATIENCE_SECONDS)
        group = self._turn.take(self._info, mode, until=until)
        if group is None:
            # Those who queue behind a short one may need the disk.
            is_durable = mode not in ASYNC or self._turn.waiting > 0
            self._set("synchronous", "FULL" if is_durable else "NORMAL")
            self._turn.begin(self._own, came=came, until=until)
            group = Group(self._own, is_durable=is_durable) if mode in GROUPED else None
        if group is not None:
            self._connection, self.group = group.connection, group
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

    def send(self) -> None:
        pass

    def commit(self) -> None:
        if self.group is None:
            self._own.commit()
        else:
            self._leave(self.group, keep=True)

    def rollback(self) -> None:
        """Roll back. Of a group that is what this transaction did; it ends when the others have reached the disk."""
        if self.group is None:
            self._own.rollback()
        else:
            self._leave(self.group, keep=False)

    def _leave(self, group: Group, *, keep: bool) -> None:
        self._connection, self.group = self._own, None
        group.leave(keep=keep)
        ended = group.expect_end()
        if self._turn.hand_on(self._info, group):
            group.wait(ended)
        else:
            try:
                group.commit()
            finally:
                self._turn.give_back(self._info)
                group.tell()
        group.check()

    def _met(self, error: sqlite3.Error) -> None:
        if self.group is not None:
            self.group.met(error)

    def _set(self, pragma: str, value: str) -> None:
        """Between transactions; where it is not so already."""
        if self._pragmas.get(pragma) != value:
            self._own.execute(f"PRAGMA {pragma}={value}")
            self._pragmas[pragma] = value
