"""The wake-up call, across connections as across processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import SessionMaker
from db.notify import CommitNotifier, notify
from tests.town import make_network


@pytest.fixture
def wake(engine: Engine) -> Iterator[CommitNotifier]:
    wake = CommitNotifier(engine)
    yield wake
    wake.close()


def commit_something(make_session: SessionMaker, slug: str = "n") -> None:
    with make_session.begin() as db:
        db.add(make_network(slug=slug))
        notify(db)


def test_a_commit_wakes_a_waiter(wake: CommitNotifier, make_session: SessionMaker) -> None:
    seen = wake.count
    woken: list[bool] = []
    waiter = threading.Thread(target=lambda: woken.append(wake.wait(seen, 10)))
    waiter.start()
    commit_something(make_session)
    waiter.join(10)
    assert woken == [True]


def test_a_commit_before_the_wait_is_not_missed(wake: CommitNotifier, make_session: SessionMaker) -> None:
    seen = wake.count
    commit_something(make_session)
    assert wake.wait(seen, 10)


def test_without_a_commit_the_wait_ends_by_itself(wake: CommitNotifier) -> None:
    assert not wake.wait(wake.count, 0.05)


def test_a_rolled_back_change_wakes_nobody(wake: CommitNotifier, db: Session) -> None:
    seen = wake.count
    db.add(make_network())
    db.flush()
    notify(db)
    db.rollback()
    assert not wake.wait(seen, 0.1)


def test_whoever_waits_has_it_looked_for_at_once(
    wake: CommitNotifier, make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nobody waits SQLite is looked at seldom: here, never."""
    monkeypatch.setattr("db.notify.SQLITE_IDLE_SECONDS", 3600.0)
    seen = wake.count
    commit_something(make_session)
    assert wake.wait(seen, 10)
    seen = wake.count
    commit_something(make_session, "another")
    assert wake.wait(seen, 10)


def test_what_was_committed_before_the_count_was_read_wakes_nobody(
    wake: CommitNotifier, make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has looked since would look in vain. On PostgreSQL the word of it may come later."""
    monkeypatch.setattr("db.notify.SQLITE_IDLE_SECONDS", 3600.0)
    wake.count  # noqa: B018
    commit_something(make_session)
    if make_session.kw["bind"].dialect.name == "sqlite":
        assert not wake.wait(wake.count, 0.05)
