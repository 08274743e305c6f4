"""PostgreSQL as libpq has it, which psycopg binds and shares.

Each statement is prepared once for a connection, under a name of its own; so a pooler must keep a server's connection
for a client's (`db.notify.check_notifications`).
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import Dumper, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.postgres import types
from psycopg.pq import ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Dialect, Engine
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from db.drivers import ASYNC, IMPATIENT_SECONDS, Row, Statement, TransactionMode


class TruthDumper(Dumper):
    """A truth value as PostgreSQL reads it for a boolean and for an integer alike (manual, section 8.6): True is an
    int in Python, and a count may be given one.
    """

    oid = types["bool"].oid

    def dump(self, obj: bool) -> Buffer:
        return b"1" if obj else b"0"


class PooledConnection(psycopg.Connection[Any]):
    """psycopg's connection. It deallocates everything after some of its own statements: then ours are gone too."""

    driver: PostgresDriver | None = None

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        if name is None and self.driver is not None:
            self.driver.forget_prepared()
        return super()._deallocate(name)


class PostgresDriver:
    """libpq's connection, which psycopg shares. Values go as text and come back in binary, both by psycopg's types."""

    writes: Dialect = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

    # The server itself has commits that come together reach the disk at once.
    group = None

    def __init__(self, engine: Engine, connection: PooledConnection) -> None:
        self.engine, connection.driver = engine, self
        self._connection, self._pg = connection, connection.pgconn
        connection.adapters.register_dumper(bool, TruthDumper)
        self._adapt = Transformer(connection)
        self._prepared: dict[int, bytes] = {}
        self._line = select.poll()
        self._line.register(connection.fileno(), select.POLLIN)

    def is_stale(self) -> bool:
        """Whether the server has ended it: otherwise one that rests has nothing to read."""
        # (poll(2), since select(2) takes no descriptor above 1,023.)
        return bool(self._line.poll(0))

    def begin(self, mode: TransactionMode | None) -> None:
        begin = b"BEGIN"
        if mode in ASYNC:
            begin += b"; SET LOCAL synchronous_commit = off"
        if mode is TransactionMode.BEST_EFFORT:
            begin += b"; SET LOCAL statement_timeout = %d" % (IMPATIENT_SECONDS * 1000)
        self._check(self._pg.exec_(begin))

    def execute(self, statement: Statement, values: Sequence[Any]) -> tuple[list[Row], int]:
        if self._pg.transaction_status == TransactionStatus.IDLE:
            self._begin_as_told()
        name = self._prepared.get(statement.number) or self._prepare(statement)
        octets: Any = self._adapt.dump_sequence(values, (PyFormat.TEXT,) * len(values))
        result = self._pg.exec_prepared(name, octets, None, Format.BINARY)
        if result.status == ExecStatus.TUPLES_OK:
            self._adapt.set_pgresult(result)
            rows: list[Row] = self._adapt.load_rows(0, result.ntuples, tuple)
            return rows, result.ntuples
        self._check(result)
        return [], result.command_tuples or 0

    def commit(self) -> None:
        self._check(self._pg.exec_(b"COMMIT"))

    def rollback(self) -> None:
        """Roll back, where there is anything; psycopg's own way would have everything prepared anew."""
        if self._pg.transaction_status != TransactionStatus.IDLE:
            self._check(self._pg.exec_(b"ROLLBACK"))

    def forget_prepared(self) -> None:
        """The server has no statement of ours any more."""
        self._prepared.clear()

    def _prepare(self, statement: Statement) -> bytes:
        name = b"arobase_%d" % statement.number
        self._check(self._pg.prepare(name, statement.text.encode()))
        self._prepared[statement.number] = name
        return name

    def _begin_as_told(self) -> None:
        """psycopg begins with its first statement, as SQLAlchemy has told it; this one does not pass through it."""
        if self._connection.autocommit:
            return
        if self._connection.isolation_level is None:
            self.begin(None)
        else:
            self._connection.execute("")

    def _check(self, result: PGresult) -> None:
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY):
            raise error_from_result(result, self._adapt.encoding)
