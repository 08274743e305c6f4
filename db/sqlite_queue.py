"""SQLite write queue: a FIFO write lock across threads and processes.

A lock that stays held raises an error after two seconds. While the queue moves, writers wait longer: a rush of guests
or a busy machine is no reason for an error page.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import OperationalError

from db.drivers import TransactionMode

# How long a writer waits for a lock that stays held.
BUSY_SECONDS = 2.0
# How long it waits for its turn while the queue moves.
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.0005
# After so many failed attempts in a row the lock counts as held, not as passed on from writer to writer.
ENOUGH_LOOKS = 1000
# A key in the `info` of the connection that has the turn.
HAS_TURN = "arobase_turn"
# What an engine's execution options hold it by.
WRITE_QUEUE = "arobase_write_queue"


class Waiter:
    """A thread that waits for its turn, or for another to do what it would do in it.

    `mode` is of what may be done in a group; nothing of any other.
    """

    __slots__ = ("called", "mode")

    def __init__(self, mode: TransactionMode | None = None) -> None:
        self.mode = mode
        # Released once, when its turn has come or nothing is left to be waited for.
        self.called = threading.Lock()
        self.called.acquire()


class WriteQueue:
    """One writer of this process at a time, first in, first out."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._queue: deque[Waiter] = deque()
        # How often in a row BEGIN IMMEDIATE found another process writing. Only the thread with the turn changes it.
        self._looks = 0

    @property
    def waiting(self) -> int:
        """How many threads are queued."""
        return len(self._queue)

    def take(self, info: dict[str, Any], *, until: float) -> None:
        """Wait for the turn until that instant (`now`). It is this connection's until that goes back to the pool.

        Raises `sqlalchemy.exc.OperationalError` when it has not come.
        """
        if not info.get(HAS_TURN):
            self.wait(Waiter(), until)
            info[HAS_TURN] = True

    def give_back(self, info: dict[str, Any]) -> None:
        """Pass the turn on, if this connection has it."""
        if info.pop(HAS_TURN, False):
            self.release()

    def wait(self, waiter: Waiter, until: float) -> None:
        """Wait until that instant for the turn, which `release` passes on, or for whoever took it out of the queue.

        Raises `sqlalchemy.exc.OperationalError` when neither has come.
        """
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            self._queue.append(waiter)
        if waiter.called.acquire(timeout=max(0.0, until - now())):
            return
        with self._guard:
            if waiter in self._queue:
                self._queue.remove(waiter)
                raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("another writer does not end"))
        # Called at the last moment, or taken out by whoever will call.
        waiter.called.acquire()

    def following(self, admits: Callable[[TransactionMode | None], bool]) -> Waiter | None:
        """Take the next out of the queue if its mode is admitted: whoever has the turn does it, and calls."""
        with self._guard:
            return self._queue.popleft() if self._queue and admits(self._queue[0].mode) else None

    def release(self) -> None:
        """Pass the turn on."""
        with self._guard:
            if self._queue:
                self._queue.popleft().called.release()
            else:
                self._is_taken = False

    def begin(self, driver: sqlite3.Connection, *, came: float, until: float) -> None:
        """BEGIN IMMEDIATE once no other process writes. The calling thread has the turn.

        `came` is when it began to wait, `until` when it gives up (both as `now`). Raises
        `sqlalchemy.exc.OperationalError` at that time, or earlier where the lock is held.
        """
        # SQLite's own busy handler sleeps longer after each attempt, which starves the longest waiter. Only one thread
        # of each process competes here, so polling at a constant pace is cheap and fair. On a busy machine a process
        # polls seldom and may meet a different short transaction each time: only many failures in a row mean that the
        # lock is held.
        driver.execute("PRAGMA busy_timeout=0")
        try:
            while True:
                try:
                    driver.execute("BEGIN IMMEDIATE")
                    self._looks = 0
                    return
                except sqlite3.OperationalError as error:
                    self._looks += 1
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or self._is_in_vain(came, until):
                        raise OperationalError("BEGIN IMMEDIATE", None, error) from error
                time.sleep(LOOK_SECONDS)
        finally:
            driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")

    def _is_in_vain(self, came: float, until: float) -> bool:
        at = now()
        return at > until or (at > came + BUSY_SECONDS and self._looks >= ENOUGH_LOOKS)


def now() -> float:
    """The instant, in seconds of the monotonic clock."""
    return time.monotonic()
