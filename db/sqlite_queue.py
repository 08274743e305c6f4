"""SQLite write queue: a FIFO write lock across threads and processes.

A lock that stays held raises an error after two seconds. While the queue moves, writers wait longer: a rush of guests
or a busy machine is no reason for an error page.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import OperationalError

from db.drivers import TransactionMode
from db.sqlite_groups import Group

# How long a writer waits for a lock that stays held.
BUSY_SECONDS = 2.0
# How long it waits for its turn while the queue moves.
PATIENCE_SECONDS = 15.0
LOOK_SECONDS = 0.0005
# After so many failed attempts in a row the lock counts as held, not as passed on from writer to writer.
ENOUGH_LOOKS = 1000
HAS_TURN = "arobase_turn"


def _taken() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Waiter:
    """A thread that waits for its turn, and the group that it is handed with it."""

    mode: TransactionMode | None
    called: threading.Lock = field(default_factory=_taken)
    group: Group | None = None


class WriteQueue:
    """One writer of this process at a time, first in, first out.

    The turn belongs to the connection (a key in its `info`) until that goes back to the pool.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._is_taken = False
        self._queue: deque[_Waiter] = deque()
        # How often in a row BEGIN IMMEDIATE found another process writing. Only the thread with the turn changes it.
        self._looks = 0

    @property
    def waiting(self) -> int:
        """How many threads are queued."""
        return len(self._queue)

    def take(
        self, info: dict[str, Any], mode: TransactionMode | None = None, *, until: float
    ) -> Group | None:
        """Wait for the turn until that instant (`now`). With it comes an open group, where one is there to be joined.

        Raises `sqlalchemy.exc.OperationalError` when it has not come.
        """
        if info.get(HAS_TURN):
            return None
        waiter = _Waiter(mode)
        if not self._wait(waiter, until):
            raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("another writer does not end"))
        info[HAS_TURN] = True
        return waiter.group

    def hand_on(self, info: dict[str, Any], group: Group) -> bool:
        """Pass the turn on with the open group, if it admits the next in the queue."""
        with self._guard:
            if not (self._queue and group.admits(self._queue[0].mode)):
                return False
            following = self._queue.popleft()
        del info[HAS_TURN]
        following.group = group
        following.called.release()
        return True

    def give_back(self, info: dict[str, Any]) -> None:
        """Pass the turn on, if this connection has it."""
        if not info.pop(HAS_TURN, False):
            return
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

    def _wait(self, waiter: _Waiter, until: float) -> bool:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return True
            self._queue.append(waiter)
        if waiter.called.acquire(timeout=max(0.0, until - now())):
            return True
        with self._guard:
            if waiter in self._queue:
                self._queue.remove(waiter)
                return False
        # Called at the last moment.
        return True


def now() -> float:
    """The instant, in seconds of the monotonic clock."""
    return time.monotonic()
