"""Transactions that read, write, or commit without waiting, on either kind of database."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db import sqlite_queue
from db.engine import async_commit, make_engine, make_session_maker, reading


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = make_engine(f"sqlite:///{tmp_path / 'queue.sqlite3'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counters (value INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counters VALUES (0)"))
    return engine


def value(engine: Engine) -> int:
    with reading(make_session_maker(engine)) as session:
        return int(session.execute(text("SELECT value FROM counters")).scalar_one())


def test_many_writers_lose_nothing(engine: Engine) -> None:
    def grow() -> None:
        for _ in range(20):
            with engine.begin() as connection:
                connection.execute(text("UPDATE counters SET value = value + 1"))

    threads = [threading.Thread(target=grow) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert value(engine) == 160
    engine.dispose()


def test_readers_wait_for_no_writer(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE counters SET value = 7"))
        assert value(engine) == 0
    assert value(engine) == 7
    engine.dispose()


def test_a_failed_writer_gives_its_turn_back(engine: Engine) -> None:
    with pytest.raises(RuntimeError), engine.begin() as connection:
        connection.execute(text("UPDATE counters SET value = 7"))
        raise RuntimeError
    with engine.begin() as connection:
        connection.execute(text("UPDATE counters SET value = value + 1"))
    assert value(engine) == 1
    engine.dispose()


def test_a_connection_may_write_twice(engine: Engine) -> None:
    with engine.connect() as connection:
        for _ in range(2):
            with connection.begin():
                connection.execute(text("UPDATE counters SET value = value + 1"))
    assert value(engine) == 2
    engine.dispose()


@pytest.mark.parametrize(("hasty", "synchronous"), [(True, 1), (False, 2)])
def test_only_a_hasty_commit_does_not_wait_for_the_disk(
    engine: Engine, hasty: bool, synchronous: int
) -> None:
    """PRAGMA synchronous: 1 is NORMAL, 2 is FULL. On one connection, so that neither leaves its way to the other."""
    make_session = make_session_maker(engine)
    ways: list[int] = []

    def count(db: Session) -> None:
        ways.append(db.execute(text("PRAGMA synchronous")).scalar_one())
        db.execute(text("UPDATE counters SET value = value + 1"))

    for is_hasty in (False, True, hasty):
        if is_hasty:
            async_commit(make_session, count)
        else:
            with make_session.begin() as db:
                count(db)
    assert ways == [2, 1, synchronous]
    assert value(engine) == 3
    engine.dispose()


def test_on_postgresql_too(postgresql_url: str) -> None:
    engine = make_engine(postgresql_url)
    make_session = make_session_maker(engine)
    show = text("SHOW synchronous_commit")
    assert async_commit(make_session, lambda db: db.execute(show).scalar_one()) == "off"
    with make_session.begin() as session:
        assert session.execute(show).scalar_one() == "on"
    engine.dispose()


def test_a_lock_on_postgresql_is_not_waited_for_either(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_queue, "BUSY_SECONDS", 0.05)
    engine = make_engine(postgresql_url)
    with engine.begin() as holder, engine.connect() as other:
        holder.execute(text("LOCK TABLE networks"))
        other.execute(text("SET statement_timeout = 5000"))
        with pytest.raises(OperationalError, match="lock timeout"):
            other.execute(text("SELECT 1 FROM networks"))
    engine.dispose()
