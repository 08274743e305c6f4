"""The engine. On SQLite every transaction that may write begins as a writer. A commit has reached the disk when it
returns, unless the session was opened `async_commit`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine, PoolResetState, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from db import session, sqlite_queue
from db.drivers import DRIVER, TransactionMode
from db.session import HAS_BEGUN, TRANSACTION_MODE, OneTransaction
from db.sqlite_driver import SqliteDriver
from db.sqlite_groups import commit_together

SessionMaker = session.SessionMaker
Result = TypeVar("Result")


def make_engine(database_url: str) -> Engine:
    """Make the engine for `database_url` (``sqlite:///…`` or ``postgresql://…``).

    A lock that is held for two seconds raises `sqlalchemy.exc.OperationalError`, so that a page never hangs on it.
    SQLite's writers queue, and wait longer while the queue moves (`db.sqlite_queue`).

    The connection that was used last is used next: it knows the statements already, and what they read is at hand.
    """
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return _sqlite(database_url)
    # Where there is no PostgreSQL, nothing waits for its driver.
    from db.postgresql_driver import PooledConnection, PostgresDriver

    engine = create_engine(
        url,
        pool_size=16,
        max_overflow=16,
        pool_use_lifo=True,
        pool_timeout=sqlite_queue.BUSY_SECONDS,
        # `refuse_stale` below finds stale connections without a round trip to the server.
        pool_pre_ping=False,
        pool_recycle=1800,
        # `reset` below rolls back.
        pool_reset_on_return=None,
        # A server that is unreachable must not hold every thread.
        connect_args={"connect_timeout": 2},
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, given: Any, named: Any) -> PooledConnection:
        return PooledConnection.connect(*given, **named)

    @event.listens_for(engine, "reset")
    def reset(_connection: object, record: Any, state: PoolResetState) -> None:
        if not state.terminate_only:
            record.info[DRIVER].rollback()

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        # Nor may a transaction that was left open. Set by a statement: poolers refuse it as a start-up option.
        # To compile the figures of a day takes PostgreSQL ten times as long as to count them, and pages gain nothing.
        connection.execute(
            f"SET lock_timeout = {int(sqlite_queue.BUSY_SECONDS * 1000)}; SET jit = off",
        )
        connection.commit()
        record.info[DRIVER] = PostgresDriver(engine, connection)

    @event.listens_for(engine, "checkout")
    def refuse_stale(_connection: Any, record: Any, _proxy: object) -> None:
        if record.info[DRIVER].is_stale():
            raise InvalidatePoolError("the server has ended this connection")

    return engine


def make_session_maker(engine: Engine) -> SessionMaker:
    return SessionMaker(engine)


def _sqlite(database_url: str) -> Engine:
    turn = sqlite_queue.WriteQueue()
    engine = create_engine(
        database_url,
        execution_options={sqlite_queue.WRITE_QUEUE: turn},
        connect_args={"timeout": sqlite_queue.BUSY_SECONDS},
        pool_size=16,
        max_overflow=16,
        pool_use_lifo=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        # The driver's own BEGIN is late and deferred; ours (below) is explicit.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        record.info[DRIVER] = SqliteDriver(engine, connection, record.info, turn)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        options = connection.get_execution_options()
        if not options.get(HAS_BEGUN):
            connection.info[DRIVER].begin(options.get(TRANSACTION_MODE))

    @event.listens_for(engine, "checkin")
    def done(_connection: Any, record: Any) -> None:
        turn.give_back(record.info)

    return engine


def was_kept_waiting(error: OperationalError) -> bool:
    """Whether PostgreSQL gave up waiting for a lock (its SQLSTATE 55P03, lock_not_available)."""
    return getattr(error.orig, "sqlstate", None) == "55P03"


def was_taken(error: IntegrityError) -> bool:
    """Whether PostgreSQL found what must be there once (its SQLSTATE 23505, unique_violation)."""
    return getattr(error.orig, "sqlstate", None) == "23505"


def is_busy(error: Exception) -> bool:
    """Whether a lock or a connection was not free within the time that this transaction may wait."""
    if not isinstance(error, OperationalError):
        return isinstance(error, PoolTimeout)
    if isinstance(error.orig, TimeoutError) or was_kept_waiting(error):
        return True
    # QueryCanceled: its own statement_timeout. sqlite.org/rescode.html: BUSY, LOCKED.
    code = getattr(error.orig, "sqlite_errorcode", None)
    return getattr(error.orig, "sqlstate", None) == "57014" or (code is not None and code & 0xFF in (5, 6))


def reading(make_session: SessionMaker) -> Session:
    """Open a read-only session: it waits for no writer."""
    return make_session.once(TransactionMode.READING)


def snapshot(make_session: SessionMaker) -> Session:
    """Open a read-only session that sees one snapshot of the database until it is closed."""
    db = make_session()
    options: dict[str, Any] = {TRANSACTION_MODE: TransactionMode.READING}
    if db.get_bind().dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    db.connection(execution_options=options)
    return db


def checkpoint_wal(engine: Engine) -> None:
    """Checkpoint and truncate SQLite's WAL, so that securely deleted pages leave the log too and its space is freed.

    A concurrent reader keeps the checkpoint from completing; the next call completes it. No effect on PostgreSQL.
    """
    if engine.dialect.name != "sqlite":
        return
    # A checkpoint needs to run outside a transaction, hence on the driver's connection.
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def group_commit(make_session: SessionMaker, work: Callable[[Session], Result]) -> Result:
    """Do `work` in a short transaction, which SQLite may commit together with others of this process that queue with
    it; what it gave, once the commit has reached the disk.

    Another thread may do it: it is given all that it needs, and waits for nothing but the database. Whoever calls this
    holds no lock that another such transaction takes.
    """
    return _short(make_session, TransactionMode.GROUP_COMMIT, work)


def async_commit(make_session: SessionMaker, work: Callable[[Session], Result]) -> Result:
    """The same, but that the commit does not wait for the disk: for counts that may be lost in a power cut.

    Other transactions see it at once, and no later commit can reach the disk before it.
    """
    return _short(make_session, TransactionMode.ASYNC_COMMIT, work)


def _short(make_session: SessionMaker, mode: TransactionMode, work: Callable[[Session], Result]) -> Result:
    queue: sqlite_queue.WriteQueue | None = (
        make_session.kw["bind"].get_execution_options().get(sqlite_queue.WRITE_QUEUE)
    )
    if queue is not None:
        return commit_together(make_session, queue, mode, work)
    with make_session.begin(mode) as db:
        return work(db)


def best_effort(make_session: SessionMaker) -> OneTransaction:
    """One whose commit does not wait for the disk either, and that waits at most a tenth of a second for a lock: for
    work that may be skipped.

    Raises `sqlalchemy.exc.SQLAlchemyError` where the database is away or busy.
    """
    return make_session.begin(TransactionMode.BEST_EFFORT)
