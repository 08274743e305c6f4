"""The engine. On SQLite every transaction that may write begins as a writer. A commit has reached the disk when it
returns, unless the session was opened `hastily`.
"""

from __future__ import annotations

import enum
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

SessionMaker = sessionmaker[Session]
BUSY_SECONDS = 2.0
IMPATIENT_SECONDS = 0.1
LOOK_SECONDS = 0.0005
WAY = "arobase_way"


class Way(enum.Enum):
    """What a transaction is for, where it is not the ordinary one that writes for good."""

    READING = enum.auto()
    HASTY = enum.auto()
    IMPATIENT = enum.auto()


def make_engine(database_url: str) -> Engine:
    """Make the engine for `database_url` (``sqlite:///…`` or ``postgresql://…``).

    A lock that does not come free within two seconds is an error, so that nobody waits in front of a page
    (`sqlalchemy.exc.OperationalError`).
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _sqlite(database_url)
    engine = create_engine(
        url,
        pool_size=16,
        max_overflow=16,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=False,
        pool_recycle=1800,
        # A server that is unreachable, or a transaction that somebody left open, must not hold every thread.
        connect_args={"connect_timeout": 2, "options": f"-c lock_timeout={int(BUSY_SECONDS * 1000)}"},
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        way = connection.get_execution_options().get(WAY)
        if way in (Way.HASTY, Way.IMPATIENT):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        if way is Way.IMPATIENT:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {IMPATIENT_SECONDS * 1000:.0f}")

    return engine


def make_session_maker(engine: Engine) -> SessionMaker:
    return sessionmaker(engine, expire_on_commit=False)


def _sqlite(database_url: str) -> Engine:
    engine = create_engine(
        database_url, connect_args={"timeout": BUSY_SECONDS}, pool_size=16, max_overflow=16
    )
    turn = _Turn()

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver's own BEGIN is late and deferred; ours (below) is explicit.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A deferred BEGIN that later wants to write is told "busy" at once and cannot be retried inside the
        # transaction. A writer therefore says so first; `reading()` says that it will not write.
        way, driver = connection.get_execution_options().get(WAY), connection.connection.driver_connection
        if way is Way.READING:
            driver.execute("BEGIN")
            return
        patience = IMPATIENT_SECONDS if way is Way.IMPATIENT else BUSY_SECONDS
        turn.take(connection.info, patience)
        driver.execute(f"PRAGMA synchronous={'NORMAL' if way in (Way.HASTY, Way.IMPATIENT) else 'FULL'}")
        _begin_as_writer(driver, patience)

    @event.listens_for(engine, "checkin")
    def done(_connection: Any, record: Any) -> None:
        turn.give_back(record.info)

    return engine


def _begin_as_writer(driver: sqlite3.Connection, patience: float) -> None:
    """BEGIN IMMEDIATE, after whichever other process is writing.

    SQLite itself would look again after ever longer sleeps, so that whoever has waited long goes on waiting while
    others come and go. Few processes meet here, one thread of each: looking often is cheap, and fair enough.
    """
    deadline = time.monotonic() + patience
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
            time.sleep(LOOK_SECONDS)
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")


class _Turn:
    """One writer of this process at a time; the next one begins at once.

    The turn goes with the connection, noted in its `info`, until that is back in the pool.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self, info: dict[str, Any], patience: float) -> None:
        if info.get("arobase_turn"):
            return
        if not self._lock.acquire(timeout=patience):
            raise OperationalError("BEGIN IMMEDIATE", None, TimeoutError("another writer does not end"))
        info["arobase_turn"] = True

    def give_back(self, info: dict[str, Any]) -> None:
        if info.pop("arobase_turn", False):
            self._lock.release()


def reading(make_session: SessionMaker) -> Session:
    """Open a session that only reads, and therefore waits for no writer."""
    db = make_session()
    db.connection(execution_options={WAY: Way.READING})
    return db


def snapshot(make_session: SessionMaker) -> Session:
    """Open a session that only reads, and sees one state of the database for as long as it is open."""
    db = make_session()
    options: dict[str, Any] = {WAY: Way.READING}
    if db.get_bind().dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    db.connection(execution_options=options)
    return db


@contextmanager
def hastily(make_session: SessionMaker) -> Iterator[Session]:
    """A transaction whose commit does not wait for the disk: for counts that a power cut may forget.

    Everybody sees them at once, and nothing that is committed later can reach the disk before them.
    """
    with make_session.begin() as db:
        db.connection(execution_options={WAY: Way.HASTY})
        yield db


@contextmanager
def impatiently(make_session: SessionMaker) -> Iterator[Session]:
    """A hasty transaction that waits for nobody longer than a tenth of a second: for what may be left undone.

    Raises `sqlalchemy.exc.SQLAlchemyError` where the database is away or busy.
    """
    with make_session.begin() as db:
        db.connection(execution_options={WAY: Way.IMPATIENT})
        yield db
