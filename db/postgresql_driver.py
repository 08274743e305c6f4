"""PostgreSQL as libpq has it, which psycopg binds and shares.

Each statement is prepared once for a connection, under a name of its own; so a pooler must keep a server's connection
for a client's (`db.notify.check_notifications`).
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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


class _Sent(NamedTuple):
    """A statement that goes out with others: its name at the server, its values, who hears its rows."""

    name: bytes
    octets: Sequence[Buffer | None] | None = None
    hear: Callable[[list[Row]], None] | None = None


# Numbers of statements of the application begin at 1.
BEGIN, ASYNC_COMMIT, IMPATIENT, COMMIT, BY_INDEX = (
    Statement("BEGIN", 0),
    Statement("SET LOCAL synchronous_commit = off", -1),
    Statement(f"SET LOCAL statement_timeout = {int(IMPATIENT_SECONDS * 1000)}", -2),
    Statement("COMMIT", -3),
    Statement("SET LOCAL enable_seqscan = off", -4),
)


class PostgresDriver:
    """libpq's connection, which psycopg shares. Values go as text and come back in binary, both by psycopg's types.

    What need not be answered at once waits, and is sent with the next statement or the commit in one round trip
    (PostgreSQL manual, section 34.5, Pipeline Mode): a begin, and whatever was given to `later`. While a statement is
    under way other threads run, and who holds a lock meanwhile has everybody wait until it is its turn again.
    """

    writes: Dialect = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]

    defers = True
    # The server itself has commits that come together reach the disk at once.
    group = None

    def __init__(self, engine: Engine, connection: PooledConnection) -> None:
        self.engine, connection.driver = engine, self
        self._connection, self._pg = connection, connection.pgconn
        connection.adapters.register_dumper(bool, TruthDumper)
        self._adapt = Transformer(connection)
        self._prepared: dict[int, bytes] = {}
        self._waiting: list[_Sent] = []
        self._line = select.poll()
        self._line.register(connection.fileno(), select.POLLIN)
        self._room = select.poll()
        self._room.register(connection.fileno(), select.POLLOUT)

    def is_stale(self) -> bool:
        """Whether the server has ended it: otherwise one that rests has nothing to read."""
        # (poll(2), since select(2) takes no descriptor above 1,023.)
        return bool(self._line.poll(0))

    def begin(self, mode: TransactionMode | None) -> None:
        begin = [BEGIN]
        if mode in ASYNC:
            begin.append(ASYNC_COMMIT)
        if mode is TransactionMode.BEST_EFFORT:
            begin.append(IMPATIENT)
        self._waiting = [_Sent(self._name(one)) for one in begin]

    def execute(self, statement: Statement, values: Sequence[Any]) -> tuple[list[Row], int]:
        if not self._waiting and self._pg.transaction_status == TransactionStatus.IDLE:
            self._begin_as_told()
        name, octets = self._name(statement), self._octets(values)
        if self._waiting:
            return self._taken(self._send(_Sent(name, octets)))
        return self._taken(self._pg.exec_prepared(name, octets, None, Format.BINARY))

    def execute_many(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        for values in rows:
            self.execute(statement, values)

    def later(self, statement: Statement, values: Sequence[Any], hear: Callable[[list[Row]], None]) -> None:
        self._waiting.append(_Sent(self._name(statement), self._octets(values), hear))

    def look_by_index(self) -> None:
        self._waiting.append(_Sent(self._name(BY_INDEX)))

    def send(self) -> None:
        if self._waiting:
            self._send(self._waiting.pop())

    def commit(self) -> None:
        if not self._waiting:
            self._check(self._pg.exec_(b"COMMIT"))
        elif self._pg.transaction_status != TransactionStatus.IDLE or self._waiting[-1].hear is not None:
            self._send(_Sent(self._name(COMMIT)))
        else:
            # Begun, and nothing after it: the server need not know.
            self._waiting.clear()

    def rollback(self) -> None:
        """Roll back, where there is anything; psycopg's own way would have everything prepared anew."""
        self._waiting.clear()
        if self._pg.transaction_status != TransactionStatus.IDLE:
            self._check(self._pg.exec_(b"ROLLBACK"))

    def forget_prepared(self) -> None:
        """The server has no statement of ours any more."""
        self._prepared.clear()

    def _name(self, statement: Statement) -> bytes:
        return self._prepared.get(statement.number) or self._prepare(statement)

    def _octets(self, values: Sequence[Any]) -> Any:
        return self._adapt.dump_sequence(values, (PyFormat.TEXT,) * len(values))

    def _taken(self, result: PGresult) -> tuple[list[Row], int]:
        if result.status == ExecStatus.TUPLES_OK:
            self._adapt.set_pgresult(result)
            rows: list[Row] = self._adapt.load_rows(0, result.ntuples, tuple)
            return rows, result.ntuples
        self._check(result)
        return [], result.command_tuples or 0

    def _send(self, last: _Sent) -> PGresult:
        """Send what waits, and `last`; its result. After a fault the server has carried out nothing further."""
        sent, self._waiting = [*self._waiting, last], []
        pg = self._pg
        pg.enter_pipeline_mode()
        for one in sent:
            pg.send_query_prepared(one.name, one.octets, None, Format.BINARY)
        pg.pipeline_sync()
        results = self._results(len(sent))
        pg.exit_pipeline_mode()
        for one, result in zip(sent, results, strict=True):
            if one.hear is not None:
                one.hear(self._taken(result)[0])
            elif one is not last:
                self._check(result)
        return results[-1]

    def _results(self, count: int) -> list[PGresult]:
        """Those of the statements that were sent."""
        pg, results = self._pg, list[PGresult]()
        while pg.flush():
            self._room.poll()
        self._hear()
        for place in range(count):
            # The server answers all of them at once. Only of the last one there may be so much that it comes in parts.
            while place in (0, count - 1) and pg.is_busy():
                self._hear()
            result = pg.get_result()
            if result is None:
                raise psycopg.OperationalError("the connection was lost")
            results.append(result)
            pg.get_result()
        # The end of the pipeline.
        pg.get_result()
        return results

    def _hear(self) -> None:
        # Other threads run meanwhile.
        self._line.poll()
        self._pg.consume_input()

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
