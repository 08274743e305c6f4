"""SQLite write queue: a FIFO write lock across threads and processes.

A lock that stays held raises an error after two seconds. While the queue moves, writers wait longer: a rush of guests
or a busy machine is no reason for an error page.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from typing import Any

from sqlalchemy.exc import OperationalError

# How long a writer waits for a lock that stays held.
BUSY_SECONDS = 2.0
# How long it waits for its turn while the queue moves.
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.0005
# After so many failed attempts in a row the lock counts as held, not as passed on from writer to writer.
ENOUGH_LOOKS = 1000
HAS_TURN = "arobase_turn"


class WriteQueue:
    """One writer of this process at a time, first in, first out.

    The turn belongs to the connection (a key in its `info`) until that goes back to the pool.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._queue: deque[threading.Lock] = deque()
        # How often in a row BEGIN IMMEDIATE found another process writing. Only the thread with the turn changes it.
        self._looks = 0

    @property
    def waiting(self) -> int:
        """How many threads are queued."""
        return len(self._queue)

    def take(self, info: dict[str, Any], *, until: float) -> None:
        """Wait for the turn until that instant (`now`).

        Raises `sqlalchemy.exc.OperationalError` when it has not come.
        """
        if info.get(HAS_TURN):
            return
        if not self._wait(until):
            raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("another writer does not end"))
        info[HAS_TURN] = True

    def give_back(self, info: dict[str, Any]) -> None:
        """Pass the turn on, if this connection has it."""
        if not info.pop(HAS_TURN, False):
            return
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
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

    def _wait(self, until: float) -> bool:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            called = threading.Lock()
            called.acquire()
            self._queue.append(called)
        if called.acquire(timeout=max(0.0, until - now())):
            return True
        with self._guard:
            if called in self._queue:
                self._queue.remove(called)
                return False
        # Called at the last moment.
        return True


def now() -> float:
    """The instant, in seconds of the monotonic clock."""
    return time.monotonic()
