"""Group commit on SQLite: short transactions of one process that queue become one, and reach the disk together.

Each is a savepoint of its own within the common transaction, so that one that fails takes back only what it did. Nobody
goes on before the common commit has reached the disk; if that fails, it has failed for each of them (docs/adr/0017).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from copy import copy

from sqlalchemy import PoolProxiedConnection

from db.drivers import ASYNC, GROUPED, TransactionMode

# A group ends where nobody waits who may join it, with so many, or at this age: then other processes have their turn.
MOST = 16
LONGEST_SECONDS = 0.02


class Group:
    """A transaction that is handed from thread to thread with the write turn, on the connection of the first.

    Only the thread that has the turn touches it, but for `wait`.
    """

    # The pool's view of the connection, for SQLAlchemy.
    taken: PoolProxiedConnection | None = None

    def __init__(self, connection: sqlite3.Connection, *, is_durable: bool) -> None:
        self.connection, self._is_durable = connection, is_durable
        self._until = time.monotonic() + LONGEST_SECONDS
        self._size = self._kept = 0
        self._is_committed = False
        # What went wrong for all of them.
        self._fault: sqlite3.Error | None = None
        self._waiting: list[threading.Lock] = []

    def admits(self, mode: TransactionMode | None) -> bool:
        """Whether a transaction of this mode may enter."""
        if self._fault is not None or self._size >= MOST or time.monotonic() > self._until:
            return False
        return mode in GROUPED and (self._is_durable or mode in ASYNC)

    def enter(self) -> None:
        """Begin one's own part."""
        self._size += 1
        try:
            self.connection.execute("SAVEPOINT act")
        except sqlite3.Error as error:
            self._fault = error

    def met(self, error: sqlite3.Error) -> None:
        """A statement failed. Where the disk is full or fails, SQLite may have taken back the whole transaction."""
        if not self.connection.in_transaction:
            self._fault = self._fault or error

    def leave(self, *, keep: bool) -> None:
        """End one's own part; without `keep` it is taken back."""
        try:
            if not keep:
                self.connection.execute("ROLLBACK TO act")
            self.connection.execute("RELEASE act")
            self._kept += keep
        except sqlite3.Error as error:
            # There is no transaction any more.
            self._fault = self._fault or error

    def expect_end(self) -> threading.Lock:
        """To be called before the group is handed on: what `wait` waits for."""
        ended = threading.Lock()
        ended.acquire()
        self._waiting.append(ended)
        return ended

    @staticmethod
    def wait(ended: threading.Lock) -> None:
        """Wait for the end. Others use the connection until then, whatever interrupts this thread."""
        try:
            ended.acquire()
        except BaseException:
            ended.acquire()
            raise

    def commit(self) -> None:
        """Commit for all of them."""
        try:
            if self._fault is None and self._kept:
                self.connection.execute("COMMIT")
            self._is_committed = True
        except sqlite3.Error as error:
            self._fault = error
        finally:
            if self.connection.in_transaction:
                self.connection.rollback()

    def tell(self) -> None:
        """Let those go on who wait for the end."""
        for ended in self._waiting:
            ended.release()

    def check(self) -> None:
        """Raise `sqlite3.Error` where it was not committed: to each thread an error of its own."""
        if self._fault is not None:
            raise copy(self._fault)
        if not self._is_committed:
            raise sqlite3.OperationalError("the group was not committed")
