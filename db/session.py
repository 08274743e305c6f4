"""Sessions whose prepared statements go straight to the driver, and transactions that begin and end there too.

In a transaction of `SessionMaker.begin` a session takes a connection at its first statement. As long as only prepared
statements follow (`db.prepared`), SQLAlchemy's own transaction is not needed. The first question for an object joins it
to the same connection; then it is SQLAlchemy that commits.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, PoolProxiedConnection, orm
from sqlalchemy.exc import DBAPIError

from db.drivers import DRIVER, Driver, TransactionMode

# What an engine's `begin` listener finds among a connection's options.
TRANSACTION_MODE = "arobase_way"
HAS_BEGUN = "arobase_has_begun"
# What a fault names in place of a statement.
WAITING = "what waited for the next statement"


class Session(orm.Session):
    """SQLAlchemy's session. Those of one transaction end with it and are not used again."""

    # Of one transaction: where it takes its connection, and how it begins there.
    _source: Engine | None = None
    _mode: TransactionMode | None = None
    # The connection it has taken, its driver, and SQLAlchemy's view of it.
    taken: PoolProxiedConnection | None = None
    _driver: Driver | None = None
    # Whether the connection is somebody else's to give back.
    _is_lent = False
    _joined: Connection | None = None

    def limit_to_one_transaction(self, mode: TransactionMode | None) -> None:
        """Begin at the first statement, and end with `end` or `close`."""
        assert isinstance(self.bind, Engine)
        self._source, self._mode = self.bind, mode

    def lend(self, driver: Driver, taken: PoolProxiedConnection) -> None:
        """Have its one transaction on a connection that somebody else has taken, where it has begun.

        One that was closed and `is_apart` can be lent again: it has loaded nothing.
        """
        self.limit_to_one_transaction(None)
        self._driver, self.taken, self._is_lent = driver, taken, True

    @property
    def driver(self) -> Driver:
        """The driver of this transaction's connection."""
        if self.in_nested_transaction():
            # SQLAlchemy sets the savepoint when it is asked for the connection.
            return _driver_of(self.connection())
        if self._driver is None:
            return _driver_of(self.connection()) if self._source is None else self._begin()
        return self._driver

    def is_apart(self) -> bool:
        """Whether this transaction is the driver's alone so far."""
        return self._source is not None and self._joined is None

    def _begin(self) -> Driver:
        if self._driver is None:
            assert self._source is not None
            try:
                self.taken = self._source.raw_connection()
                driver: Driver = self.taken.info[DRIVER]
                driver.begin(self._mode)
            except self._source.dialect.loaded_dbapi.Error as error:
                raise explained(self._source.dialect, self.taken, error, "BEGIN") from error
            self._driver = driver
        return self._driver

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        """SQLAlchemy asks for this whenever it would go to the database."""
        if self.is_apart():
            driver = self._begin()
            try:
                driver.send()
            except driver.engine.dialect.loaded_dbapi.Error as error:
                raise explained(driver.engine.dialect, self.taken, error, WAITING) from error
            assert self._source is not None and self.taken is not None
            joined = Connection(self._source, self.taken).execution_options(**{HAS_BEGUN: True})
            joined.begin()
            if driver.group is not None:
                # The transaction belongs to others too: SQLAlchemy ends a savepoint.
                joined.begin_nested()
            self._joined = self.bind = joined
        return super().get_bind(*args, **kwargs)

    def in_transaction(self) -> bool:
        return self._driver is not None or super().in_transaction()

    def end(self) -> None:
        """Commit."""
        is_joined = super().in_transaction()
        if is_joined:
            self.commit()
        driver = self._driver
        if driver is None or (is_joined and driver.group is None):
            return
        for listener in driver.engine.dispatch.commit:
            listener(None)
        self._ask(driver.engine.dialect, driver.commit)

    def close(self) -> None:
        try:
            # A transaction that was the driver's alone has loaded nothing, and nothing was added to it.
            if not self.is_apart() or super().in_transaction():
                super().close()
        finally:
            driver, self._driver = self._driver, None
            try:
                if driver is not None and driver.group is not None:
                    self._ask(driver.engine.dialect, driver.rollback)
            finally:
                taken, self.taken = self.taken, None
                if taken is not None and not self._is_lent:
                    # The pool rolls back what was not committed.
                    taken.close()

    def _ask(self, dialect: Dialect, end: Callable[[], None]) -> None:
        try:
            end()
        except dialect.loaded_dbapi.Error as error:
            raise explained(dialect, self.taken, error, "COMMIT") from error


class OneTransaction:
    """``with``: a session, committed at the end of the block and closed."""

    __slots__ = ("_db",)

    def __init__(self, db: Session) -> None:
        self._db = db

    def __enter__(self) -> Session:
        return self._db

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._db.end()
        finally:
            self._db.close()


class SessionMaker(orm.sessionmaker[Session]):
    """Makes sessions of one engine."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(
            engine, class_=Session, expire_on_commit=False, join_transaction_mode="control_fully"
        )

    def begin(self, mode: TransactionMode | None = None) -> OneTransaction:
        """``with make_session.begin() as db``: one transaction, committed at the end of the block."""
        return OneTransaction(self.once(mode))

    def lent(self, driver: Driver, taken: PoolProxiedConnection) -> Session:
        """A session of a transaction that has begun on a connection that somebody else has taken."""
        db = self.class_(**self.kw)
        db.lend(driver, taken)
        return db

    def once(self, mode: TransactionMode | None) -> Session:
        """A session of one transaction, which `close` rolls back."""
        db = self.class_(**self.kw)
        db.limit_to_one_transaction(mode)
        return db


def driver_of(db: orm.Session) -> Driver:
    """The driver of the connection that this session's transaction has, or takes now."""
    return db.driver if isinstance(db, Session) else _driver_of(db.connection())


def send(db: orm.Session) -> None:
    """Have the database carry out what waits for the next statement."""
    driver = driver_of(db)
    try:
        driver.send()
    except driver.engine.dialect.loaded_dbapi.Error as error:
        raise fault_of(db, error, WAITING, None) from error


def fault_of(db: orm.Session, error: Any, text: str, values: Any) -> Exception:
    """A fault of the driver's as SQLAlchemy would raise it; a connection that is broken is not used again."""
    dialect = driver_of(db).engine.dialect
    if isinstance(db, Session) and db.taken is not None:
        return explained(dialect, db.taken, error, text, values)
    return explained(dialect, db.connection(), error, text, values)


def explained(
    dialect: Dialect,
    taken: PoolProxiedConnection | Connection | None,
    error: Any,
    text: str,
    values: Any = None,
) -> Exception:
    """The same for a connection that was taken, or where none could be."""
    pooled = taken.connection if isinstance(taken, Connection) else taken
    is_gone = pooled is None or dialect.is_disconnect(error, pooled.dbapi_connection, None)
    if is_gone and taken is not None:
        taken.invalidate(error)
    fault: Exception = DBAPIError.instance(
        text, values, error, dialect.loaded_dbapi.Error, connection_invalidated=is_gone, dialect=dialect
    )
    return fault


def _driver_of(connection: Connection) -> Driver:
    driver: Driver = connection.connection.info[DRIVER]
    return driver
