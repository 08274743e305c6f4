"""The engine. On SQLite every transaction that may write begins as a writer. A commit has reached the disk when it
returns, unless the session was opened `async_commit`.
"""

from __future__ import annotations

import enum
import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from db import sqlite_queue

SessionMaker = sessionmaker[Session]
IMPATIENT_SECONDS = 0.1
TRANSACTION_MODE = "arobase_way"


class TransactionMode(enum.Enum):
    """What a transaction is for, where it is not the ordinary one that writes for good."""

    READING = enum.auto()
    ASYNC_COMMIT = enum.auto()
    BEST_EFFORT = enum.auto()


def make_engine(database_url: str) -> Engine:
    """Make the engine for `database_url` (``sqlite:///…`` or ``postgresql://…``).

    A lock that somebody holds for two seconds is an error, so that nobody waits in front of a page
    (`sqlalchemy.exc.OperationalError`). SQLite's writers queue, and wait longer while the queue moves
    (`db.sqlite_queue`).
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _sqlite(database_url)
    engine = create_engine(
        url,
        pool_size=16,
        max_overflow=16,
        pool_timeout=sqlite_queue.BUSY_SECONDS,
        # Whether a connection has gone stale is seen without asking the server: see below.
        pool_pre_ping=False,
        pool_recycle=1800,
        # A server that is unreachable must not hold every thread.
        connect_args={"connect_timeout": 2},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # Nor must a transaction that somebody left open. Not as an option of the start: poolers refuse those.
        connection.execute(f"SET lock_timeout = {int(sqlite_queue.BUSY_SECONDS * 1000)}")
        connection.commit()

    @event.listens_for(engine, "checkout")
    def refuse_stale(connection: Any, _record: object, _proxy: object) -> None:
        # Nothing is owed to a connection that rests: what waits there is the server's farewell.
        # (poll(2) and not select(2), which knows no descriptor above 1,023.)
        line = select.poll()
        line.register(connection.fileno(), select.POLLIN)
        if line.poll(0):
            raise InvalidatePoolError("the server has ended this connection")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        way = connection.get_execution_options().get(TRANSACTION_MODE)
        if way in (TransactionMode.ASYNC_COMMIT, TransactionMode.BEST_EFFORT):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        if way is TransactionMode.BEST_EFFORT:
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {IMPATIENT_SECONDS * 1000:.0f}")

    return engine


def make_session_maker(engine: Engine) -> SessionMaker:
    return sessionmaker(engine, expire_on_commit=False)


def _sqlite(database_url: str) -> Engine:
    engine = create_engine(
        database_url, connect_args={"timeout": sqlite_queue.BUSY_SECONDS}, pool_size=16, max_overflow=16
    )
    turn = sqlite_queue.WriteQueue()

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
        way, driver = (
            connection.get_execution_options().get(TRANSACTION_MODE),
            connection.connection.driver_connection,
        )
        if way is TransactionMode.READING:
            driver.execute("BEGIN")
            return
        came, patience = (
            sqlite_queue.now(),
            IMPATIENT_SECONDS if way is TransactionMode.BEST_EFFORT else sqlite_queue.PATIENCE_SECONDS,
        )
        turn.take(connection.info, until=came + patience)
        is_async = way in (TransactionMode.ASYNC_COMMIT, TransactionMode.BEST_EFFORT)
        driver.execute(f"PRAGMA synchronous={'NORMAL' if is_async else 'FULL'}")
        turn.begin(driver, came=came, until=came + patience)

    @event.listens_for(engine, "checkin")
    def done(_connection: Any, record: Any) -> None:
        turn.give_back(record.info)

    return engine


def was_kept_waiting(error: OperationalError) -> bool:
    """Whether PostgreSQL gave up waiting for a lock (its SQLSTATE 55P03, lock_not_available)."""
    return getattr(error.orig, "sqlstate", None) == "55P03"


def is_busy(error: Exception) -> bool:
    """Whether others had the database for longer than this transaction would wait."""
    if not isinstance(error, OperationalError):
        return isinstance(error, PoolTimeout)
    if isinstance(error.orig, TimeoutError) or was_kept_waiting(error):
        return True
    # QueryCanceled: its own statement_timeout. sqlite.org/rescode.html: BUSY, LOCKED.
    code = getattr(error.orig, "sqlite_errorcode", None)
    return getattr(error.orig, "sqlstate", None) == "57014" or (code is not None and code & 0xFF in (5, 6))


def reading(make_session: SessionMaker) -> Session:
    """Open a session that only reads, and therefore waits for no writer."""
    db = make_session()
    db.connection(execution_options={TRANSACTION_MODE: TransactionMode.READING})
    return db


def snapshot(make_session: SessionMaker) -> Session:
    """Open a session that only reads, and sees one state of the database for as long as it is open."""
    db = make_session()
    options: dict[str, Any] = {TRANSACTION_MODE: TransactionMode.READING}
    if db.get_bind().dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    db.connection(execution_options=options)
    return db


def checkpoint_wal(engine: Engine) -> None:
    """Bring SQLite's journal home and cut it off: what was deleted is overwritten, and the journal's room is free.

    Somebody who reads just then keeps it from being complete; the next time makes it so. Elsewhere this does nothing.
    """
    if engine.dialect.name != "sqlite":
        return
    # No transaction may be open, so the driver is asked itself.
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


@contextmanager
def async_commit(make_session: SessionMaker) -> Iterator[Session]:
    """A transaction whose commit does not wait for the disk: for counts that a power cut may forget.

    Everybody sees them at once, and nothing that is committed later can reach the disk before them.
    """
    with make_session.begin() as db:
        db.connection(execution_options={TRANSACTION_MODE: TransactionMode.ASYNC_COMMIT})
        yield db


@contextmanager
def best_effort(make_session: SessionMaker) -> Iterator[Session]:
    """A hasty transaction that waits for nobody longer than a tenth of a second: for what may be left undone.

    Raises `sqlalchemy.exc.SQLAlchemyError` where the database is away or busy.
    """
    with make_session.begin() as db:
        db.connection(execution_options={TRANSACTION_MODE: TransactionMode.BEST_EFFORT})
        yield db
