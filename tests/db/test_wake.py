"""The wake-up call, across connections as across processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import SessionMaker
from db.file_writes import Writes
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


class Counted(CommitNotifier):
    """How often SQLite was looked at."""

    looks = 0

    def _look(self) -> None:
        self.looks += 1
        super()._look()


def test_while_nothing_is_written_nothing_is_looked_at(
    engine: Engine, make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a commit the kernel tells, on which the thread would otherwise sleep for an hour."""
    monkeypatch.setattr("db.notify.SQLITE_IDLE_SECONDS", 3600.0)
    with closing(Counted(engine)) as wake:
        assert not wake.wait(wake.count, 0.2)
        # Once to count, and once when somebody waited.
        assert wake.looks <= 3
        test_a_commit_wakes_a_waiter(wake, make_session)
        # So that it ends.
        commit_something(make_session, "last")


def test_where_the_kernel_does_not_tell_of_writes_commits_are_seen_all_the_same(
    engine: Engine, make_session: SessionMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_writes: Writes, _folder: Path) -> None:
        raise OSError("no more watches")

    monkeypatch.setattr(Writes, "__init__", refuse)
    monkeypatch.setattr("db.notify.SQLITE_IDLE_SECONDS", 3600.0)
    with closing(CommitNotifier(engine)) as wake:
        test_a_commit_wakes_a_waiter(wake, make_session)


def test_a_write_is_told_once_whether_it_comes_before_the_call_or_after(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.touch()
    with closing(Writes(tmp_path)) as writes:
        assert not writes.within(0)
        file.write_text("a")
        assert writes.within(10)
        assert not writes.within(0)
        writer = threading.Thread(target=file.write_text, args=("b",))
        writer.start()
        assert writes.within(10)
        writer.join()


def test_a_folder_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(OSError, match="inotify_add_watch"):
        Writes(tmp_path / "nowhere")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
