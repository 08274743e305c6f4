"""Notification of commits: wait until a transaction was committed, by this process or another.

Gateways follow their feed by long poll and a guest waits for the gateway's confirmation; neither should poll the
database. On PostgreSQL one thread per process listens (``LISTEN arobase``); on SQLite one thread reads
``PRAGMA data_version``, which another connection's commit changes (sqlite.org/pragma.html#pragma_data_version), while
somebody waits: often after something was written, for a commit writes first and is seen a moment later, then more and
more seldom. Where the kernel does not tell of writes it is often all the time, and two hundred looks a second are a
fortieth of a processor. The thread ends some time after the last waiter.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from db.file_writes import Writes
from db.prepared import Prepared
from db.session import driver_of

log = logging.getLogger(__name__)

CHANNEL = "arobase"
PROOF_CHANNEL = "arobase_proof"
PROOF_SECONDS = 5.0
SQLITE_LOOK_SECONDS, SQLITE_IDLE_SECONDS = 0.004, 1.0
# How much later than it could be a commit is seen whose way to the disk took longer than some looks.
SQLITE_LATE = 0.25
LISTEN_SECONDS = 1.0
LINGER_SECONDS = 30.0


class CommitNotifier:
    """Wakes waiters after commits. One for each process; made before use, started by the first waiter."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._count = 0
        self._wanted_until = 0.0
        self._running = False
        self._waiting = 0
        # Set by a waiter: what was committed since it read its count is looked for at once.
        self._awaited = threading.Event()
        self._thread: threading.Thread | None = None
        # Of SQLite: what looks, one thread at a time, and what it saw last.
        self._looking = threading.Lock()
        self._cursor: Any = None
        self._version: tuple[int, ...] | None = None
        # What tells of its writes, where the kernel does, and of when the last one was told.
        self._writes: Writes | None = None
        self._written_at = float("-inf")

    @property
    def count(self) -> int:
        """Read this before looking at the database; give it to `wait` when the look found nothing.

        What was committed before is in it, and wakes nobody who waits with it.
        """
        self._start()
        with contextlib.suppress(sqlite3.Error):
            # The thread meets the same fault.
            self._look()
        return self._count

    def wait(self, seen: int, seconds: float) -> bool:
        """Wait until something was committed after `seen` was read, at most `seconds`; True if so."""
        self._start(seconds)
        with self._changed:
            self._waiting += 1
            self._awaited.set()
            try:
                return self._changed.wait_for(lambda: self._count != seen, timeout=max(0.0, seconds))
            finally:
                self._waiting -= 1

    def close(self) -> None:
        """End the thread, if there is one, and wait for it."""
        self._wanted_until = float("-inf")
        self._awaited.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _start(self, seconds: float = 0.0) -> None:
        self._wanted_until = max(self._wanted_until, time.monotonic() + seconds + LINGER_SECONDS)
        if self._running:
            return
        with self._changed:
            if self._running:
                return
            self._running = True
            ready = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(ready,), name="wake", daemon=True)
            self._thread.start()
        ready.wait(timeout=5)

    def _run(self, ready: threading.Event) -> None:
        try:
            if self._engine.dialect.name == "sqlite":
                self._watch_sqlite(ready)
            else:
                self._watch_postgresql(ready)
        except Exception:
            # Waiters still look again when their own time is over; the next one starts the thread anew.
            log.exception("the commit notifier's thread stopped")
        finally:
            ready.set()
            self._running = False
            self._ring()

    def _ring(self) -> None:
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    @property
    def _wanted(self) -> bool:
        return time.monotonic() < self._wanted_until

    def _watch_sqlite(self, ready: threading.Event) -> None:
        connection = self._engine.raw_connection()
        connection.detach()
        try:
            # Before the first look, so that nothing is written between the two.
            self._writes = _writes_of(self._engine)
            with self._looking:
                cursor = connection.cursor()
                self._version = cursor.execute("PRAGMA data_version").fetchone()
                self._cursor = cursor
            ready.set()
            while self._wanted:
                self._pause()
                self._look()
        finally:
            with self._looking:
                self._cursor = None
                connection.close()
            if self._writes is not None:
                self._writes.close()

    def _look(self) -> None:
        """Wake the waiters where something was committed since the last look. Of no effect on PostgreSQL."""
        with self._looking:
            if self._cursor is None:
                return
            version = self._cursor.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return
            self._version = version
        self._ring()

    def _pause(self) -> None:
        """Until the next look: while nobody waits, until somebody does."""
        if not self._waiting:
            self._awaited.wait(SQLITE_IDLE_SECONDS)
            self._awaited.clear()
        elif self._writes is None:
            time.sleep(SQLITE_LOOK_SECONDS)
        else:
            since = time.monotonic() - self._written_at
            pause = min(max(SQLITE_LOOK_SECONDS, SQLITE_LATE * since), SQLITE_IDLE_SECONDS)
            if self._writes.within(pause):
                self._written_at = time.monotonic()
                # To reach the disk takes a moment; a look at once would be in vain.
                time.sleep(SQLITE_LOOK_SECONDS / 2)

    def _watch_postgresql(self, ready: threading.Event) -> None:
        connection = self._engine.raw_connection()
        driver: Any = connection.driver_connection
        connection.detach()
        try:
            driver.autocommit = True
            driver.execute(f"LISTEN {CHANNEL}")
            ready.set()
            while self._wanted:
                for _ in driver.notifies(timeout=LISTEN_SECONDS, stop_after=1):
                    self._ring()
        finally:
            connection.close()


def _writes_of(engine: Engine) -> Writes | None:
    """What tells of writes to the files of this database, where the kernel does."""
    path = engine.url.database
    try:
        return Writes(Path(path).resolve().parent) if path and Path(path).exists() else None
    except OSError as error:
        log.warning("SQLite's file is looked at all the time: %s", error)
        return None


class DeafConnection(Exception):
    """What is told to one connection does not reach another that listens: a pooler stands in between."""


def check_notifications(engine: Engine) -> None:
    """Have one connection hear what another one says. Raises `DeafConnection`; on SQLite there is nothing to prove."""
    if engine.dialect.name != "postgresql":
        return
    listening, speaking = engine.raw_connection(), engine.raw_connection()
    try:
        ear: Any = listening.driver_connection
        mouth: Any = speaking.driver_connection
        ear.autocommit = mouth.autocommit = True
        word = secrets.token_hex(8)
        ear.execute(f"LISTEN {PROOF_CHANNEL}")
        mouth.execute("SELECT pg_notify(%s, %s)", (PROOF_CHANNEL, word))
        if not any(heard.payload == word for heard in ear.notifies(timeout=PROOF_SECONDS, stop_after=1)):
            raise DeafConnection
    finally:
        for connection in (listening, speaking):
            connection.detach()
            connection.close()


def notify(db: Session) -> None:
    """Have the commit of this transaction wake the waiters of every process."""
    if driver_of(db).writes.name == "postgresql":
        _RING.later(db)


# The same as a value, for a statement of PostgreSQL's that has an answer anyway: one round trip less.
NOTIFY = func.pg_notify(CHANNEL, "")
_RING = Prepared(select(NOTIFY))
