"""SQLite's writers wait for each other in order, longer while the queue moves, and never for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from db import sqlite_queue
from db.engine import make_engine
from db.sqlite_queue import WriteQueue

LONG = 60.0


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = make_engine(f"sqlite:///{tmp_path / 'queue.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counters (value INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counters VALUES (0)"))
    yield engine
    engine.dispose()


@pytest.fixture
def other(tmp_path: Path, engine: Engine) -> Iterator[Engine]:
    """Another engine on the same file: it knows nothing of our turns, as another process would not."""
    other = make_engine(f"sqlite:///{tmp_path / 'queue.sqlite3'}")
    yield other
    other.dispose()


def grow(engine: Engine) -> None:
    for _ in range(30):
        with engine.begin() as connection:
            connection.execute(text("UPDATE counters SET value = value + 1"))


def value(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(text("SELECT value FROM counters")).scalar_one())


def together(*deeds: Callable[[], None]) -> None:
    threads = [threading.Thread(target=deed) for deed in deeds]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def test_turns_are_taken_in_the_order_people_came() -> None:
    turn, served = WriteQueue(), list[int]()
    first: dict[str, object] = {}
    turn.take(first, until=sqlite_queue.now())

    def write(place: int) -> None:
        mine: dict[str, object] = {}
        turn.take(mine, until=sqlite_queue.now() + LONG)
        served.append(place)
        turn.give_back(mine)

    threads = [threading.Thread(target=write, args=(place,)) for place in range(6)]
    for place, each in enumerate(threads):
        each.start()
        while turn.waiting == place:
            each.join(0.001)
    turn.give_back(first)
    for each in threads:
        each.join()
    assert served == list(range(6))


def test_whoever_has_no_turn_gives_none_back() -> None:
    turn = WriteQueue()
    first: dict[str, object] = {}
    turn.take(first, until=sqlite_queue.now())
    turn.give_back({})
    with pytest.raises(OperationalError):
        turn.take({}, until=sqlite_queue.now())
    assert turn.waiting == 0


def test_writers_of_two_processes_wait_for_each_other(engine: Engine, other: Engine) -> None:
    together(lambda: grow(engine), lambda: grow(other), lambda: grow(engine))
    assert value(engine) == 90


def test_a_writer_of_ours_that_does_not_end_is_not_waited_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_queue, "PATIENCE_SECONDS", 0.05)
    with engine.begin(), pytest.raises(OperationalError, match="another writer"):
        engine.connect().begin()
    # Its turn came back with its connection, and so did that of the one that was refused.
    grow(engine)
    assert value(engine) == 30


def test_a_lock_that_another_process_holds_is_not_waited_for(
    engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator's tool may hold it for minutes: the guest gets an answer at once."""
    monkeypatch.setattr(sqlite_queue, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(sqlite_queue, "ENOUGH_LOOKS", 5)
    monkeypatch.setattr(sqlite_queue, "PATIENCE_SECONDS", LONG)
    with other.begin():
        for _ in range(2):
            with pytest.raises(OperationalError, match="database is locked"):
                engine.connect().begin()
    grow(engine)


def test_a_lock_is_held_only_when_it_was_looked_at_often_enough(
    engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a busy machine two seconds pass with few looks, and others have had their turn between them."""
    monkeypatch.setattr(sqlite_queue, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(sqlite_queue, "ENOUGH_LOOKS", 1_000_000)
    with other.begin() as connection:
        waiting = threading.Thread(target=grow, args=(engine,))
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
        connection.execute(text("UPDATE counters SET value = 1"))
    waiting.join()
    assert value(engine) == 31


def test_nobody_waits_for_ever(engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_queue, "ENOUGH_LOOKS", 1_000_000)
    monkeypatch.setattr(sqlite_queue, "PATIENCE_SECONDS", 0.05)
    with other.begin(), pytest.raises(OperationalError, match="database is locked"):
        engine.connect().begin()


def test_every_lock_that_comes_free_is_looked_at_anew(
    engine: Engine, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the last one waited is not counted against the next."""
    turn = WriteQueue()
    monkeypatch.setattr(sqlite_queue, "BUSY_SECONDS", 0.0)
    monkeypatch.setattr(sqlite_queue, "ENOUGH_LOOKS", 5)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        for _ in range(2):
            with other.begin(), pytest.raises(OperationalError):
                turn.begin(driver, came=sqlite_queue.now(), until=sqlite_queue.now() + LONG)
            looks = turn._looks
            turn.begin(driver, came=sqlite_queue.now(), until=sqlite_queue.now() + LONG)
            assert (looks, turn._looks) == (5, 0)
            driver.execute("ROLLBACK")
