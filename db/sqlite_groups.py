"""Group commit on SQLite: short transactions of one process that queue become one, and reach the disk together.

Whoever has the write turn does what it came for, and then what those came for who queue behind it: they only wait, and
no thread has to be woken in between. Each is a savepoint of its own within the common transaction, so that one that
fails takes back only what it did. Nobody goes on before the common commit has reached the disk; if that fails, it has
failed for each of them (docs/adr/0017).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from copy import copy
from typing import Any, Generic, TypeVar

from sqlalchemy import Engine, PoolProxiedConnection

from db import sqlite_queue
from db.drivers import ASYNC, DRIVER, GROUPED, TransactionMode
from db.session import Session, SessionMaker, explained
from db.sqlite_queue import Waiter, WriteQueue

# A group ends where nobody waits who may join it, with so many, or at this age: then other processes have their turn.
MOST = 16
LONGEST_SECONDS = 0.02
Result = TypeVar("Result")


class Group:
    """A transaction in which several acts are done, one after the other."""

    def __init__(self, connection: sqlite3.Connection, *, is_durable: bool) -> None:
        self._connection, self._is_durable = connection, is_durable
        self._until = time.monotonic() + LONGEST_SECONDS
        self._size = self._kept = 0
        # What went wrong for all of them.
        self.fault: sqlite3.Error | None = None

    def admits(self, mode: TransactionMode | None) -> bool:
        """Whether an act of this mode may enter."""
        if self.fault is not None or self._size >= MOST or time.monotonic() > self._until:
            return False
        return mode in GROUPED and (self._is_durable or mode in ASYNC)

    def enter(self) -> None:
        """Begin an act's own part. Raises `sqlite3.Error`: nothing may be done then."""
        self._size += 1
        self._connection.execute("SAVEPOINT act")

    def met(self, error: sqlite3.Error) -> None:
        """A statement failed. Where the disk is full or fails, SQLite may have taken back the whole transaction."""
        if not self._connection.in_transaction:
            self.fault = self.fault or error

    def leave(self, *, keep: bool) -> None:
        """End an act's own part; without `keep` it is taken back."""
        try:
            if not keep:
                self._connection.execute("ROLLBACK TO act")
            self._connection.execute("RELEASE act")
            self._kept += keep
        except sqlite3.Error as error:
            # There is no transaction any more.
            self.fault = self.fault or error

    def commit(self) -> None:
        """Commit for all of them. Raises `sqlite3.Error` where nothing of it is kept."""
        try:
            if self.fault is None and self._kept:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.fault = error
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()
        if self.fault is not None:
            raise self.fault


class _Act(Waiter, Generic[Result]):
    """What somebody came for, and what came of it."""

    __slots__ = ("_answer", "_fault", "_work", "is_over")

    def __init__(self, mode: TransactionMode, work: Callable[[Session], Result]) -> None:
        super().__init__(mode)
        self._work = work
        self._answer: Result
        self._fault: BaseException | None = None
        # Whether its transaction has ended.
        self.is_over = False

    def run(self, db: Session) -> None:
        """Do it, and end its part. What it meets is for whoever came for it."""
        try:
            try:
                self._answer = self._work(db)
                db.end()
            finally:
                db.close()
        except BaseException as fault:
            self._fault = fault

    def end(self, fault: BaseException | None) -> None:
        """Its transaction is over: kept, or taken back for this fault. Whoever waits for it may go on."""
        self._fault = fault or self._fault
        self.is_over = True
        self.called.release()

    def result(self) -> Result:
        """What it gave. Raises what it met."""
        if self._fault is not None:
            raise self._fault
        return self._answer


def commit_together(
    make_session: SessionMaker, queue: WriteQueue, mode: TransactionMode, work: Callable[[Session], Result]
) -> Result:
    """Have `work` done by whoever has the turn, and wait for the disk; what it gave.

    Raises what it raised, and `sqlalchemy.exc.DBAPIError` where nothing of it is kept.
    """
    came, act = sqlite_queue.now(), _Act(mode, work)
    until = came + sqlite_queue.PATIENCE_SECONDS
    queue.wait(act, until)
    if not act.is_over:
        _lead(make_session, queue, act, came=came, until=until)
    return act.result()


def _lead(
    make_session: SessionMaker, queue: WriteQueue, first: _Act[Any], *, came: float, until: float
) -> None:
    """Do the first and those that queue behind it, commit, and call them. Whoever calls this has the turn."""
    engine: Engine = make_session.kw["bind"]
    acts: list[_Act[Any]] = [first]
    taken: PoolProxiedConnection | None = None
    fault: BaseException | None = None
    try:
        taken = engine.raw_connection()
        # A `db.sqlite_driver.SqliteDriver`.
        driver: Any = taken.info[DRIVER]
        group = driver.begin_group(first.mode, came=came, until=until)
        following: Waiter | None = first
        db: Session | None = None
        while following is not None:
            driver.enter(group)
            # A session that has seen no object is as good as a new one.
            if db is not None and db.is_apart():
                db.lend(driver, taken)
            else:
                db = make_session.lent(driver, taken)
            acts[-1].run(db)
            following = queue.following(group.admits)
            if isinstance(following, _Act):
                acts.append(following)
        group.commit()
    except BaseException as error:
        fault = error
    faults = [_as_told(engine, taken, fault) for _ in acts]
    queue.release()
    if taken is not None:
        taken.close()
    for act, its_fault in zip(acts, faults, strict=True):
        act.end(its_fault)


def _as_told(
    engine: Engine, taken: PoolProxiedConnection | None, fault: BaseException | None
) -> BaseException | None:
    """What has failed for all, as one of them is told of it."""
    if isinstance(fault, sqlite3.Error):
        return explained(engine.dialect, taken, copy(fault), "COMMIT")
    return fault
