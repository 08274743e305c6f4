"""Turns at writing, on SQLite: one writer at a time, among the threads of this process and among processes.

A lock that somebody holds is refused after two seconds. One that only passes from hand to hand is waited for longer:
a rush of people, or a machine with little time for us, is no reason for an error page.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from typing import Any

from sqlalchemy.exc import OperationalError

# How long somebody waits for a lock that does not come free.
BUSY_SECONDS = 2.0
# How long for their turn, while others have theirs.
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.0005
# So many looks in a row at a lock that was never free: it is held, and not passed on among others.
ENOUGH_LOOKS = 1000
HAS_TURN = "arobase_turn"


class WriteQueue:
    """One writer of this process at a time, first come, first served; the next one begins at once.

    The turn goes with the connection, noted in its `info`, until that is back in the pool.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._queue: deque[threading.Lock] = deque()
        # How often in a row this process has found another one writing. Only whoever has the turn touches it.
        self._looks = 0

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
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
        """Let the next one begin, if this connection has the turn."""
        if not info.pop(HAS_TURN, False):
            return
        with self._guard:
            if self._queue:
                self._queue.popleft().release()
            else:
                self._is_taken = False

    def begin(self, driver: sqlite3.Connection, *, came: float, until: float) -> None:
        """BEGIN IMMEDIATE, after whichever other process is writing, for somebody who `came` at that instant and
        waits `until` that one. Whoever calls has the turn.

        SQLite itself would look again after ever longer sleeps, so that whoever has waited long goes on waiting while
        others come and go. Few processes meet here, one thread of each: looking often is cheap, and fair enough. On a
        busy machine a process looks seldom, and may meet one short transaction after another for two seconds: only
        many looks in a row tell a lock that is held.

        Raises `sqlalchemy.exc.OperationalError` when it has waited in vain.
        """
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
