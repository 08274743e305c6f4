"""Short transactions of one process that queue on SQLite are committed together, and mean what they meant alone."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from auth.models import Attempt
from db import sqlite_groups, sqlite_queue
from db.base import Base
from db.disk_reserve import is_full
from db.drivers import TransactionMode
from db.engine import (
    SessionMaker,
    async_commit,
    best_effort,
    group_commit,
    make_engine,
    make_session_maker,
    reading,
)
from db.prepared import Prepared
from db.sqlite_groups import Group
from db.sqlite_queue import WRITE_QUEUE, Waiter, WriteQueue
from db.statements import table_of
from tests.clock import NOON
from tests.db.test_session import ADD, CHILD

KEYS = Prepared(select(table_of(Attempt).c.key))
Deed = Callable[[Session], None]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(sqlite_groups, "LONGEST_SECONDS", 60.0)
    engine = make_engine(f"sqlite:///{tmp_path / 'town.sqlite3'}")
    with engine.begin() as connection:
        Base.metadata.create_all(connection, tables=[table_of(Attempt)])
        connection.execute(text("CREATE TABLE parents (id INTEGER PRIMARY KEY)"))
        connection.execute(
            text("CREATE TABLE children (p INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)")
        )
    yield engine
    engine.dispose()


@pytest.fixture
def ends(engine: Engine) -> list[str]:
    """The transactions that the file saw end."""
    seen: list[str] = []

    def hear(statement: str) -> None:
        if statement in ("COMMIT", "ROLLBACK"):
            seen.append(statement)

    engine.dispose()
    event.listen(engine, "connect", lambda connection, _record: connection.set_trace_callback(hear))
    return seen


def turn_of(engine: Engine) -> WriteQueue:
    queue: WriteQueue = engine.get_execution_options()[WRITE_QUEUE]
    return queue


def together(
    make_session: SessionMaker, *deeds: Deed, do: Callable[[SessionMaker, Deed], None] = group_commit
) -> list[BaseException | None]:
    """Do all of them in the order given, when all of them have queued; what each of them met."""
    met: list[BaseException | None] = [None] * len(deeds)

    def act(place: int) -> None:
        try:
            do(make_session, deeds[place])
        except Exception as error:
            met[place] = error

    threads = [threading.Thread(target=act, args=(place,), daemon=True) for place in range(len(deeds))]
    turn = turn_of(make_session.kw["bind"])
    with make_session.begin() as holder:
        KEYS.all(holder)
        for place, each in enumerate(threads):
            each.start()
            while turn.waiting == place:
                each.join(0.001)
    for each in threads:
        each.join(60)
    assert not any(each.is_alive() for each in threads)
    return met


def add(key: str) -> Deed:
    def run(db: Session) -> None:
        ADD.run(db, key=key, count=1, last_at=NOON)

    return run


def add_object(key: str) -> Deed:
    return lambda db: db.add(Attempt(key=key, count=1, last_at=NOON))


def then_fail(*deeds: Deed) -> Deed:
    def fail(db: Session) -> None:
        for deed in deeds:
            deed(db)
        raise LookupError

    return fail


def keys(make_session: SessionMaker) -> list[str]:
    with reading(make_session) as db:
        return sorted(key for (key,) in KEYS.all(db))


def test_those_that_queue_are_committed_once(make_session: SessionMaker, ends: list[str]) -> None:
    assert together(make_session, add("a"), add("b"), add_object("c")) == [None, None, None]
    assert keys(make_session) == ["a", "b", "c"]
    # That of the one they queued behind, and theirs.
    assert ends.count("COMMIT") == 2


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("make", [add, add_object])
def test_one_that_fails_takes_back_only_its_own(
    make_session: SessionMaker, ends: list[str], place: int, make: Callable[[str], Deed]
) -> None:
    deeds = [add("a"), add_object("b")]
    deeds.insert(place, then_fail(make("x"), lambda db: db.flush()))
    met = together(make_session, *deeds)
    assert isinstance(met.pop(place), LookupError)
    assert met == [None, None]
    assert keys(make_session) == ["a", "b"]
    assert ends.count("COMMIT") == 2


def test_acts_share_a_session_until_one_has_seen_an_object(make_session: SessionMaker) -> None:
    seen: list[Session] = []

    def seeing(deed: Deed) -> Deed:
        def run(db: Session) -> None:
            seen.append(db)
            deed(db)

        return run

    met = together(make_session, *map(seeing, [add("a"), add("b"), add_object("c"), add("d"), add("e")]))
    assert met == [None] * 5
    first, second, third, fourth, fifth = map(id, seen)
    assert first == second == third != fourth == fifth


def test_a_statement_that_fails_is_its_own_fault_alone(make_session: SessionMaker) -> None:
    met = together(make_session, add("a"), add("a"), add_object("a"), add("b"))
    assert [type(error) for error in met] == [type(None), IntegrityError, IntegrityError, type(None)]
    assert keys(make_session) == ["a", "b"]


def test_nobody_goes_on_before_the_common_commit(make_session: SessionMaker) -> None:
    """The next sees what the one before did; nobody else does, and nobody was answered."""
    answered: list[str] = []
    seen: list[Any] = []

    def look(db: Session) -> None:
        seen.append(sorted(key for (key,) in KEYS.all(db)))
        seen.append(keys(make_session))
        seen.append(list(answered))

    def do(make_session: SessionMaker, deed: Deed) -> None:
        try:
            group_commit(make_session, deed)
        finally:
            answered.append("answer")

    together(make_session, add("a"), then_fail(add("x")), look, do=do)
    assert seen == [["a"], [], []]
    assert len(answered) == 3


def test_whoever_has_the_turn_does_what_all_came_for(make_session: SessionMaker) -> None:
    """No thread is woken in between, and each is told of its own."""
    done_by: list[int] = []
    told: dict[int, str] = {}

    def do(make_session: SessionMaker, deed: Deed) -> None:
        def tell(db: Session) -> str:
            deed(db)
            done_by.append(threading.get_ident())
            return f"for {threading.get_ident() == caller}"

        caller = threading.get_ident()
        told[caller] = group_commit(make_session, tell)

    together(make_session, add("a"), add("b"), add("c"), do=do)
    assert len(done_by) == 3
    assert len(set(done_by)) == 1
    assert sorted(told.values()) == ["for False", "for False", "for True"]


def test_a_commit_that_fails_has_failed_for_all_of_them(engine: Engine, make_session: SessionMaker) -> None:
    """Those whose act was refused too: what they were refused for was not to be."""

    def orphan(db: Session) -> None:
        CHILD.run(db, p=7)

    met = together(make_session, add("a"), orphan, then_fail(add("x")), add_object("c"))
    assert [type(error) for error in met] == [IntegrityError] * 4
    assert len({id(error) for error in met}) == 4
    assert keys(make_session) == []
    assert together(make_session, add("a")) == [None]
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_full_disk_fails_all_who_were_before_it(engine: Engine, make_session: SessionMaker) -> None:
    """SQLite takes back the whole transaction: nothing of it may be told of, and nothing may follow in it."""
    engine.dispose()
    event.listen(engine, "connect", lambda driver, _record: driver.execute("PRAGMA max_page_count=60"))
    met = together(make_session, add("a"), add("x" * 1_000_000), add("c"))
    assert [is_full(error) for error in met[:2] if isinstance(error, DBAPIError)] == [True, True]
    assert (met[2], keys(make_session)) == (None, ["c"])


def test_a_group_ends_so_that_others_have_their_turn(
    make_session: SessionMaker, ends: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_groups, "MOST", 2)
    together(make_session, *(add(str(number)) for number in range(5)))
    assert (len(keys(make_session)), ends.count("COMMIT")) == (5, 1 + 3)
    monkeypatch.setattr(sqlite_groups, "LONGEST_SECONDS", -1.0)
    together(make_session, add("a"), add("b"))
    assert (len(keys(make_session)), ends.count("COMMIT")) == (7, 1 + 3 + 1 + 2)


def test_writers_of_another_process_come_in_between(
    engine: Engine, make_session: SessionMaker, tmp_path: Path
) -> None:
    other = make_engine(f"sqlite:///{tmp_path / 'town.sqlite3'}")
    theirs = make_session_maker(other)

    def write(make: SessionMaker, name: str) -> None:
        for number in range(20):
            group_commit(make, add(f"{name}{number}"))

    threads = [
        threading.Thread(target=write, args=(make, f"{name}-"))
        for name, make in (("a", make_session), ("b", make_session), ("c", theirs), ("d", theirs))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(keys(make_session)) == 80
    other.dispose()


@pytest.mark.parametrize("long", [SessionMaker.begin, best_effort])
def test_a_long_one_joins_nobody_and_nobody_joins_it(
    make_session: SessionMaker, ends: list[str], long: Callable[[SessionMaker], Any]
) -> None:
    def do_alone(make_session: SessionMaker, deed: Deed) -> None:
        with long(make_session) as db:
            deed(db)

    ways: Iterator[Callable[[SessionMaker, Deed], None]] = iter([group_commit, do_alone, group_commit])
    together(make_session, add("a"), add("b"), add("c"), do=lambda make, deed: next(ways)(make, deed))
    assert (keys(make_session), ends.count("COMMIT")) == (["a", "b", "c"], 1 + 3)


def test_one_that_failed_alone_writes_nothing(make_session: SessionMaker, ends: list[str]) -> None:
    assert isinstance(together(make_session, then_fail(add("a")))[0], LookupError)
    assert ends == ["COMMIT", "ROLLBACK"]


def test_who_needs_no_disk_waits_for_it_only_where_others_queue(make_session: SessionMaker) -> None:
    ways: list[int] = []

    def look(db: Session) -> None:
        ways.append(db.execute(text("PRAGMA synchronous")).scalar_one())

    async_commit(make_session, look)
    together(make_session, look, add("a"), do=async_commit)
    assert ways == [1, 2]


def test_a_commit_without_the_disk_takes_in_nobody_who_needs_it(engine: Engine) -> None:
    with engine.connect() as connection:
        hasty = Group(connection.connection.driver_connection, is_durable=False)  # type: ignore[arg-type]
    modes: list[TransactionMode | None] = [*TransactionMode, None]
    assert [mode for mode in modes if hasty.admits(mode)] == [TransactionMode.ASYNC_COMMIT]


def test_who_needs_the_disk_does_not_join_one_that_does_not(
    engine: Engine, make_session: SessionMaker, ends: list[str]
) -> None:
    """One that may be lost, behind which nobody queued when it began."""

    turn = turn_of(engine)
    second = threading.Thread(target=group_commit, args=(make_session, add("b")))

    def add_while_another_queues(db: Session) -> None:
        add("a")(db)
        second.start()
        while not turn.waiting:
            second.join(0.001)

    async_commit(make_session, add_while_another_queues)
    second.join(60)
    assert (keys(make_session), ends.count("COMMIT")) == (["a", "b"], 2)


def test_only_a_short_one_has_its_journal_in_memory(make_session: SessionMaker) -> None:
    """On one connection: a report that sorts a year's log must not hold it in memory."""
    ways: list[int] = []

    def look(db: Session) -> None:
        ways.append(db.execute(text("PRAGMA temp_store")).scalar_one())

    for long in (make_session.begin, lambda: reading(make_session)):
        group_commit(make_session, look)
        with long() as db:
            look(db)
    assert ways == [2, 1, 2, 1]


def test_an_act_that_has_waited_for_too_long_is_never_done(
    make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_queue, "PATIENCE_SECONDS", 0.05)
    with make_session.begin() as holder:
        KEYS.all(holder)
        with pytest.raises(OperationalError, match="another writer does not end"):
            group_commit(make_session, add("late"))
    group_commit(make_session, add("next"))
    assert keys(make_session) == ["next"]


def test_one_that_is_taken_up_at_the_last_moment_is_waited_for() -> None:
    """Its time is over, and whoever has the turn is at it already."""
    queue, waiter, seen = WriteQueue(), Waiter(TransactionMode.GROUP_COMMIT), list[Any]()

    class Called:
        def acquire(self, timeout: float | None = None) -> bool:
            seen.append(timeout if timeout is None else queue.following(lambda _: True))
            return timeout is None

    queue.wait(Waiter(), until=0.0)
    waiter.called = Called()  # type: ignore[assignment]
    queue.wait(waiter, until=0.0)
    assert seen == [waiter, None]


@pytest.mark.parametrize("fault", [PoolTimeout, sqlite3.OperationalError("unable to open database file")])
def test_a_turn_without_a_connection_is_passed_on(
    engine: Engine, make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    def refuse() -> None:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(engine, "raw_connection", refuse)
        with pytest.raises((PoolTimeout, OperationalError)):
            group_commit(make_session, add("a"))
    group_commit(make_session, add("b"))
    assert keys(make_session) == ["b"]


def test_a_savepoint_within_one_takes_back_its_own(make_session: SessionMaker) -> None:
    def nest(db: Session) -> None:
        add("a")(db)
        with pytest.raises(LookupError), db.begin_nested():
            add("x")(db)
            raise LookupError
        with pytest.raises(DBAPIError), db.begin_nested():
            add("a")(db)
        add("b")(db)

    assert together(make_session, add("c"), nest, add("d")) == [None, None, None]
    assert keys(make_session) == ["a", "b", "c", "d"]
