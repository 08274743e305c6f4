"""A lawful purge keeps the trail whole, and leaves nothing of what it deleted (case P4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine, delete, select, text
from sqlalchemy.exc import DatabaseError

from auth import trail_proof, trail_purge
from auth.trail import PURGED, TrailEntry
from auth.trail_links import TrailLink
from auth.trail_proof import Fault, Verdict
from db.engine import SessionMaker, snapshot
from tests.auth.tampering import deed, unguarded, write
from tests.clock import NOON

LATER = NOON + timedelta(days=400)


@pytest.fixture
def ten(make_session: SessionMaker) -> SessionMaker:
    """Six old entries and four new ones."""
    write(make_session, 6)
    write(make_session, 4, at=LATER)
    return make_session


def verify(make_session: SessionMaker) -> Verdict:
    with snapshot(make_session) as db:
        return trail_proof.verify(db)


def declare(make_session: SessionMaker) -> int:
    with make_session.begin() as db:
        up_to = trail_purge.due_to(db, before=NOON + timedelta(days=1))
        assert trail_purge.declare(db, up_to=up_to, rule="trail, 1 year", now=LATER)
    return up_to


def delete_to(make_session: SessionMaker, up_to: int) -> None:
    with make_session.begin() as db:
        db.execute(delete(TrailEntry).where(TrailEntry.number <= up_to, TrailEntry.action != PURGED))


def test_what_was_purged_lawfully_is_counted_and_the_rest_is_whole(ten: SessionMaker) -> None:
    up_to = declare(ten)
    assert up_to == 6
    delete_to(ten, up_to)
    assert verify(ten) == Verdict(entries=11, purged=6)
    with ten() as db:
        assert db.scalars(select(TrailEntry.number).order_by(TrailEntry.number)).all() == [7, 8, 9, 10, 11]
        assert len(db.scalars(select(TrailLink)).all()) == 11
        assert db.get_one(TrailEntry, 11).detail == {"up to": 6, "rule": "trail, 1 year"}


def test_a_purge_that_was_killed_half_way_is_whole_too(ten: SessionMaker) -> None:
    declare(ten)
    delete_to(ten, 3)
    assert verify(ten) == Verdict(entries=11, purged=3)


def test_nothing_can_be_deleted_before_the_trail_says_so(ten: SessionMaker) -> None:
    with pytest.raises(DatabaseError, match="append-only"):
        delete_to(ten, 6)
    declare(ten)
    with pytest.raises(DatabaseError, match="append-only"):
        delete_to(ten, 7)


def test_that_something_was_purged_is_never_purged(ten: SessionMaker) -> None:
    declare(ten)
    delete_to(ten, 6)
    with ten.begin() as db:
        assert trail_purge.due_to(db, before=LATER + timedelta(days=1)) == 11
        assert trail_purge.declare(db, up_to=11, rule="trail, 1 year", now=LATER)
    with ten() as db, pytest.raises(DatabaseError, match="append-only"):
        db.execute(delete(TrailEntry).where(TrailEntry.number <= 11))
    delete_to(ten, 11)
    assert verify(ten) == Verdict(entries=12, purged=10)


def test_the_same_purge_is_said_once(ten: SessionMaker) -> None:
    declare(ten)
    with ten.begin() as db:
        assert not trail_purge.declare(db, up_to=6, rule="trail, 1 year", now=LATER)


def test_a_purge_that_the_trail_does_not_speak_of_is_a_deletion(ten: SessionMaker, engine: Engine) -> None:
    with unguarded(engine) as connection:
        connection.execute(text("UPDATE trail_head SET purged_to = 6"))
        connection.execute(text("DELETE FROM trail WHERE number <= 6"))
    found = verify(ten)
    assert (found.fault, found.number) == (Fault.DELETED, 1)


def test_a_purge_covers_nothing_that_came_after_it(ten: SessionMaker, engine: Engine) -> None:
    declare(ten)
    delete_to(ten, 6)
    with ten.begin() as db:
        deed(db, at=LATER)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM trail WHERE number = 8"))
    found = verify(ten)
    assert (found.fault, found.number) == (Fault.DELETED, 8)


def test_what_came_back_into_a_purged_place_is_named(ten: SessionMaker, engine: Engine) -> None:
    declare(ten)
    delete_to(ten, 6)
    with unguarded(engine) as connection:
        connection.execute(
            text(
                "INSERT INTO trail (number, at, actor, action, object, network, detail, canonical, salt) "
                "SELECT 2, at, actor, action, object, network, detail, canonical, salt FROM trail WHERE number = 7"
            )
        )
    found = verify(ten)
    assert found.number == 2 and found.fault is not None
