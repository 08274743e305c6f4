"""A session's story: everything that is known of it, in order; and how far its end has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.denials import DenialReason
from auth.tokens import EarlyToken
from portal.denials.portal_reasons import Busy, Unexpected
from sessions import end, leases
from sessions.log import timeline
from sessions.log.denials import LoggedDenial, Step, note
from sessions.log.timeline import EndStage, Event, EventKind
from sessions.models import AccessSession, EndReason, Lease, Usage
from tests.clock import MovingClock
from tests.sessions.log.rows import add_session
from tests.town import ADA_PHONE, BO_PHONE, Town, build_town, make_client


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


def lease(db: Session, access: AccessSession, gateway: Any, at: datetime) -> None:
    leases.grant(
        db,
        access=access,
        gateway=gateway,
        client=make_client(),
        starts_at=at,
        until=access.until,
        now=at,
    )


def answer(db: Session, access: AccessSession, now: datetime, *more: Event) -> list[EventKind]:
    return [event.what for event in timeline.tell(timeline.read(db, access), now=now, more=more)]


def test_it_begins_with_the_landing_and_ends_with_the_end(
    db: Session, town: Town, clock: MovingClock
) -> None:
    start = clock()
    note(
        db,
        LoggedDenial(EarlyToken.reason, Step.PAUSE, gateway=town.station, mac=ADA_PHONE),
        now=start - timedelta(minutes=1),
    )
    access = add_session(db, town.station, start, landed_at=start - timedelta(minutes=2))
    lease(db, access, town.station, start)
    lease(db, access, town.battant, start + timedelta(minutes=5))
    db.add(
        Usage(
            access_id=access.id,
            gateway_id=town.station.id,
            epoch="boot-1",
            bytes_up=1,
            bytes_down=2,
            packets_up=1,
            packets_down=1,
            updated_at=start + timedelta(minutes=7),
        )
    )
    end.end(db, access.id, reason=EndReason.LEFT, now=start + timedelta(minutes=9))
    db.flush()
    db.expire_all()
    accepted = Event(start, EventKind.ACCEPTED)
    assert answer(db, access, clock(), accepted) == [
        EventKind.LANDED,
        EventKind.REFUSED,
        EventKind.ACCEPTED,
        EventKind.SIGNED_IN,
        EventKind.LEASED,
        EventKind.ROAMED,
        EventKind.LEASED,
        EventKind.COUNTED,
        EventKind.ENDED,
        EventKind.PENDING,
        EventKind.PENDING,
    ]


def test_refusals_of_others_of_other_networks_and_of_long_ago_are_not_in_it(
    db: Session, town: Town, clock: MovingClock
) -> None:
    access = add_session(db, town.station, clock())

    def refuse(reason: DenialReason, before: timedelta, **fields: Any) -> None:
        values = {"gateway": town.station, "mac": ADA_PHONE, **fields}
        note(db, LoggedDenial(reason, Step.PAUSE, **values), now=clock() - before)

    refuse(EarlyToken.reason, timedelta(minutes=5), mac=BO_PHONE)
    refuse(EarlyToken.reason, timedelta(minutes=5), gateway=town.pierre_bayle)
    refuse(Busy.reason, timedelta(minutes=61))
    assert EventKind.REFUSED not in answer(db, access, clock())
    refuse(Unexpected.reason, timedelta(minutes=59))
    assert EventKind.REFUSED in answer(db, access, clock())


def test_both_ends_of_a_move_know_each_other(db: Session, town: Town, clock: MovingClock) -> None:
    old = add_session(db, town.station, clock(), ended_at=clock(), end_reason=EndReason.MOVED)
    new = add_session(db, town.station, clock(), mac=BO_PHONE, previous_id=old.id)
    assert EventKind.WENT_ON in answer(db, old, clock())
    assert EventKind.CAME_FROM in answer(db, new, clock())


def test_an_end_is_said_to_be_there_when_every_gateway_has_it(
    db: Session, town: Town, clock: MovingClock
) -> None:
    access = add_session(db, town.station, clock())
    lease(db, access, town.station, clock())
    lease(db, access, town.battant, clock())

    def word() -> EndStage:
        db.flush()
        db.expire_all()
        return timeline.end_stage(timeline.read(db, access), now=clock())

    assert word() is EndStage.OPEN
    end.end(db, access.id, reason=EndReason.STAFF, now=clock())
    assert word() is EndStage.PENDING
    town.station.confirmed_version = town.station.feed_version
    assert word() is EndStage.PENDING
    town.battant.confirmed_version = town.battant.feed_version
    assert word() is EndStage.CONFIRMED
    town.battant.confirmed_version = 0
    assert word() is EndStage.PENDING
    # What a gateway never heard of ends by itself, at the lease's own deadline.
    clock.advance(minutes=30)
    assert word() is EndStage.CONFIRMED


def test_an_end_that_a_gateway_refuses_is_told_with_its_words_until_it_is_done(
    db: Session, town: Town, clock: MovingClock
) -> None:
    access = add_session(db, town.station, clock())
    lease(db, access, town.station, clock())
    one = db.scalars(select(Lease)).one()
    end.end(db, access.id, reason=EndReason.STAFF, now=clock())
    one.release_refused = "administratively prohibited"
    db.flush()
    db.expire_all()
    rows = timeline.read(db, access)
    assert timeline.end_stage(rows, now=clock()) is EndStage.REFUSED
    assert timeline.end_refusals(rows, now=clock()) == {town.station.identity: "administratively prohibited"}
    one.release_refused, one.release_confirmed_at = None, clock()
    # Another guest's change waits at the same gateway: this end is there all the same.
    assert town.station.confirmed_version < one.version
    assert timeline.end_stage(timeline.read(db, access), now=clock()) is EndStage.CONFIRMED
    assert timeline.end_refusals(timeline.read(db, access), now=clock()) == {}


def test_one_that_ran_out_needed_nobody_s_word(db: Session, town: Town, clock: MovingClock) -> None:
    access = add_session(db, town.station, clock())
    lease(db, access, town.station, clock())
    clock.advance(minutes=31)
    town.station.seen_at = clock()
    db.flush()
    end.close_expired(db, now=clock())
    db.expire_all()
    assert timeline.end_stage(timeline.read(db, access), now=clock()) is EndStage.BY_ITSELF
