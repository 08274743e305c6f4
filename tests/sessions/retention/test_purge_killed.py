"""Killed anywhere, the purge goes on and its books add up; what went is gone from the disk."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import event, select

from auth.audit import verification
from auth.audit.log import AuditEntry
from db.engine import SessionMaker, checkpoint_wal, make_engine, make_session_maker, snapshot
from portal.retention import SHELVES
from sessions.models import AccessSession, Decision
from sessions.retention import clock_check as clocks
from sessions.retention import purge
from sessions.retention.models import (
    PurgeRun,
)
from sessions.retention.purge import Phase
from tests.actors import enter
from tests.clock import NOON
from tests.sessions.retention.conftest import books
from tests.sessions.retention.past import DAY, OLD, Past, hold, rows
from tests.town import BO_PHONE


def purge_and_die(database_url: str, after: int) -> bool:
    """Run the purge in a process of its own, killed with SIGKILL at its n-th statement or commit; whether it ended."""
    child = os.fork()
    if child == 0:
        try:
            engine = make_engine(database_url)
            left = [after]

            def count(*_: object) -> None:
                left[0] -= 1
                if left[0] <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(engine, "before_cursor_execute", count)
            event.listen(engine, "after_cursor_execute", count)
            event.listen(engine, "commit", count)
            make = make_session_maker(engine)
            phase = Phase.BEGAN
            while not phase.is_last:
                with make.begin() as db:
                    phase = purge.step(db, SHELVES, now=NOON, most=3, at_once=True).phase
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the purge failed by itself"
    return not os.WIFSIGNALED(status)


def test_killed_anywhere_it_goes_on_and_its_books_add_up(
    past: Past, database_url: str, make_session: SessionMaker
) -> None:
    previous = None
    for _ in range(7):
        previous = past.stay(OLD, previous_id=previous).id
        past.refusal(OLD)
    past.stay(OLD, mac=BO_PHONE)
    past.deed(NOON.replace(year=2023) - DAY)
    past.stay(NOON - DAY)
    hold(past, mac=BO_PHONE)
    past.db.commit()
    past.db.close()
    deaths = 0
    # Ever later in each life: every kind of place is met, and some life is long enough.
    while not purge_and_die(database_url, after=2 + deaths * 3):
        deaths += 1
        assert deaths < 100
        with snapshot(make_session) as db:
            assert verification.verify(db).is_whole
    assert deaths > 20
    assert (rows(make_session, AccessSession), rows(make_session, Decision)) == (2, 0)
    with make_session() as db:
        done = db.scalars(select(PurgeRun)).one()
        assert done.adds_up and done.refused is None
        assert [entry for entry in db.scalars(select(AuditEntry.action)) if entry == "purged"] == ["purged"]
    found = books(make_session, done)
    assert found["access_sessions"] == (8, 7, 1, 0)
    assert found["leases"] == found["usage"] == found["impressions"] == (8, 7, 1, 0)
    assert found["decisions"] == (7, 7, 0, 0)
    assert found["trail"] == (1, 1, 0, 0)


def test_on_sqlite_what_was_purged_is_overwritten(
    empty_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "town.sqlite3"
    path.write_bytes(empty_sqlite.read_bytes())
    engine = make_engine(f"sqlite:///{path}")
    make = make_session_maker(engine)
    from tests.town import build_town

    with make.begin() as db:
        clocks.look(db, now=NOON)
        old = Past(db, build_town(db))
        enter(db, actor="somebody.unmistakable", action="issued", object="x", now=NOON.replace(year=2020))
        old.stay(OLD, subject="subject-unmistakable")

    def on_disk(word: bytes) -> bool:
        return any(word in file.read_bytes() for file in tmp_path.iterdir())

    assert on_disk(b"somebody.unmistakable") and on_disk(b"subject-unmistakable")
    phase = Phase.BEGAN
    while not phase.is_last:
        with make.begin() as db:
            phase = purge.step(db, SHELVES, now=NOON, at_once=True).phase
    checkpoint_wal(engine)
    assert not on_disk(b"somebody.unmistakable")
    assert not on_disk(b"subject-unmistakable")
    engine.dispose()
