"""Recorded acts asked again through the bare drivers: the same statements and commits, and nothing between them.

On PostgreSQL they go through libpq in the round trips of the act; results are not read but for what later statements
need. On SQLite acts share a commit, as many as queue in one process.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import make_url

import db.base  # noqa: F401 (has SQLite's driver write instants)
from db.drivers import ASYNC, Row
from db.postgresql_driver import TruthDumper
from lab.bench.recorded import Act, Answer, Call

DONE = ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK
BEGIN, ASYNC_COMMIT, COMMIT = ENDS = ("BEGIN", "SET LOCAL synchronous_commit = off", "COMMIT")
# Of each connection, those that come before the time is taken: PostgreSQL plans a statement anew five times.
WARMING = 8


def rate(url: str, acts: Sequence[Act], *, together: int, wait: Callable[[], object]) -> float:
    """How many of these acts a second one connection asks, from when `wait` returns.

    On SQLite `together` of them share a commit.
    """
    on_sqlite = make_url(url).get_backend_name() == "sqlite"
    bare = _Sqlite(url, together) if on_sqlite else _Postgresql(url)
    with closing(bare.connection):
        bare.ready(acts[:WARMING])()
        ask = bare.ready(acts[WARMING:])
        wait()
        started = time.perf_counter()
        ask()
        return (len(acts) - WARMING) / (time.perf_counter() - started)


_begin: threading.Barrier


def begin_with(barrier: threading.Barrier) -> None:
    """In a process of its own: what all such processes wait for."""
    global _begin
    _begin = barrier


def rate_apart(url: str, acts: Sequence[Act], together: int) -> float:
    """The same there, once all are ready."""
    return rate(url, acts, together=together, wait=_begin.wait)


class _Sqlite:
    """sqlite3's connection alone."""

    def __init__(self, url: str, together: int) -> None:
        self._together = together
        file = make_url(url).database
        assert file is not None
        self.connection = sqlite3.connect(file, isolation_level=None)
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON", "temp_store=MEMORY"):
            self.connection.execute(f"PRAGMA {pragma}")

    def ready(self, acts: Sequence[Act]) -> Callable[[], None]:
        """What asks them, one after the other."""
        groups = [acts[at : at + self._together] for at in range(0, len(acts), self._together)]

        def ask() -> None:
            for group in groups:
                self._ask(group)

        return ask

    def _ask(self, group: Sequence[Act]) -> None:
        """The transactions of several acts, the first of all of them, then the second."""
        execute = self.connection.execute
        given: list[list[Row]] = [[] for _ in group]
        for place, transaction in enumerate(group[0]):
            execute(f"PRAGMA synchronous={'NORMAL' if transaction.mode in ASYNC else 'FULL'}")
            execute("BEGIN IMMEDIATE")
            for act, rows in zip(group, given, strict=True):
                for call in act[place].calls:
                    values = [rows[it.call][it.column] if type(it) is Answer else it for it in call.values]
                    found = execute(call.text, values).fetchall()
                    rows.append(found[0] if found else ())
            execute("COMMIT")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A statement by its name at the server, with its values as octets but for those that are still to come."""

    name: bytes
    octets: list[Any]
    answers: list[tuple[int, Answer]]
    # A begin and a commit give nothing that is named later.
    is_numbered: bool


class _Postgresql:
    """libpq's connection alone."""

    def __init__(self, url: str) -> None:
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.connection = psycopg.connect(address, autocommit=True)
        self.connection.adapters.register_dumper(bool, TruthDumper)
        self._pg, self._adapt = self.connection.pgconn, Transformer(self.connection)
        self._names: dict[str, bytes] = {}

    def ready(self, acts: Sequence[Act]) -> Callable[[], None]:
        """What asks them, one after the other."""
        sent = [[[self._ready(call) for call in trip] for trip in _round_trips(act)] for act in acts]

        def ask() -> None:
            for act in sent:
                results: list[PGresult] = []
                for trip in act:
                    self._ask(trip, results)

        return ask

    def _ready(self, call: Call) -> _Ready:
        if call.text not in self._names:
            self._names[call.text] = name = b"bare_%d" % len(self._names)
            assert self._pg.prepare(name, call.text.encode()).status in DONE
        answers = [(place, each) for place, each in enumerate(call.values) if type(each) is Answer]
        known = [None if type(each) is Answer else each for each in call.values]
        octets = self._adapt.dump_sequence(known, (PyFormat.TEXT,) * len(known))
        return _Ready(self._names[call.text], list(octets), answers, call.text not in ENDS)

    def _ask(self, trip: Sequence[_Ready], results: list[PGresult]) -> None:
        """Send them in one round trip, and take what comes back."""
        pg = self._pg
        for each in trip:
            for place, answer in each.answers:
                each.octets[place] = results[answer.call].get_value(0, answer.column)
        alone = len(trip) == 1
        found = [pg.exec_prepared(trip[0].name, trip[0].octets)] if alone else self._together(trip)
        for each, result in zip(trip, found, strict=True):
            if result.status not in DONE:
                raise error_from_result(result, "utf-8")
            if each.is_numbered:
                results.append(result)

    def _together(self, trip: Sequence[_Ready]) -> list[PGresult]:
        pg, found = self._pg, list[PGresult]()
        pg.enter_pipeline_mode()
        for each in trip:
            pg.send_query_prepared(each.name, each.octets)
        pg.pipeline_sync()
        for _ in trip:
            result = pg.get_result()
            assert result is not None
            found.append(result)
            pg.get_result()
        pg.get_result()
        pg.exit_pipeline_mode()
        return found


def _round_trips(act: Act) -> Iterator[list[Call]]:
    """What is sent together: a begin with the first statement, a commit with those that come right before it."""
    for transaction in act:
        sent = [Call(BEGIN, ())]
        if transaction.mode in ASYNC:
            sent.append(Call(ASYNC_COMMIT, ()))
        for call in transaction.calls:
            sent.append(call)
            if not call.later:
                yield sent
                sent = []
        yield [*sent, Call(COMMIT, ())]
