"""Ends are told apart, and each happens once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions import end
from sessions.models import AccessSession, EndReason, Lease
from sessions.sweep import sweep
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import build_town

OVER = NOON + timedelta(minutes=30)


def the_session(db: Session) -> AccessSession:
    return db.scalars(select(AccessSession), execution_options={"populate_existing": True}).one()


def test_an_end_takes_back_the_leases_once(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    assert end.end(db, access.id, reason=EndReason.LEFT, now=NOON)
    assert not end.end(db, access.id, reason=EndReason.STAFF, now=NOON)
    assert the_session(db).end_reason == EndReason.LEFT
    assert db.scalars(select(Lease.released_at)).all() == [NOON]


def test_an_object_that_was_loaded_says_that_its_session_has_ended(db: Session) -> None:
    access = db.get_one(AccessSession, enter(db, build_town(db).station).id)
    end.end(db, access.id, reason=EndReason.LEFT, now=NOON)
    assert (access.ended_at, access.end_reason) == (NOON, EndReason.LEFT)


def test_the_sweep_closes_what_is_over_at_its_own_deadline(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    town.station.seen_at = OVER
    swept = sweep(db, now=OVER + timedelta(minutes=3))
    access = the_session(db)
    assert swept.expired == 1
    assert (access.end_reason, access.ended_at) == (EndReason.EXPIRED, OVER)


def test_the_sweep_leaves_what_is_running(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    assert sweep(db, now=OVER - timedelta(seconds=1)).expired == 0
    assert the_session(db).ended_at is None


def test_a_silent_gateway_makes_the_end_gateway_lost(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    town.station.seen_at = OVER - timedelta(minutes=10)
    sweep(db, now=OVER)
    assert the_session(db).end_reason == EndReason.GATEWAY_LOST


def test_a_client_that_is_gone_ends_early(db: Session) -> None:
    town = build_town(db)
    town.free.idle_seconds, town.free.lease_seconds = 600, 7200
    enter(db, town.station)
    now = NOON + timedelta(minutes=10)
    town.station.seen_at = now
    assert sweep(db, now=now).idle == 1
    access = the_session(db)
    assert (access.end_reason, access.ended_at) == (EndReason.IDLE, now)


def test_nobody_is_called_gone_by_a_gateway_that_does_not_report(db: Session) -> None:
    town = build_town(db)
    town.free.idle_seconds, town.free.lease_seconds = 600, 7200
    enter(db, town.station)
    town.station.seen_at = NOON
    assert sweep(db, now=NOON + timedelta(minutes=11)).idle == 0


def test_a_renewal_that_comes_in_between_wins_over_the_sweep(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    access.until = OVER + timedelta(minutes=30)
    db.flush()
    assert end._close(db, access.id, until=OVER, seen_at=OVER) == 0
    assert the_session(db).ended_at is None
