"""At a gateway of whole minutes, every lease ends on a whole one, however it came about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from gateways.registry import names
from sessions import end, present, renewal, roaming, start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, Lease
from sites.models import Gateway, SigninMethod
from tests.clock import NOON
from tests.gateways.contract import made_up
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, Town, build_town, make_client

# How long an hourglass may take to learn of a lease.
REACH = timedelta(seconds=10)


@pytest.fixture
def town(db: Session) -> Iterator[Town]:
    with made_up.added():
        town = build_town(db)
        town.battant.kind = "hourglass"
        db.flush()
        yield town


def test_the_lease_at_the_coarser_gateway_ends_on_its_last_whole_step(db: Session, town: Town) -> None:
    access = enter(db, town.station)
    client = make_client(ADA_PHONE, "10.67.0.5")
    later = NOON + timedelta(seconds=90)
    assert roaming.arrive(db, gateway=town.battant, clients=[client], now=later) == 1
    lease = db.scalars(select(Lease).where(Lease.gateway_id == town.battant.id)).one()
    assert access.until - timedelta(minutes=1) < lease.until < access.until
    assert (lease.until - later) % timedelta(minutes=1) == REACH


def test_a_renewal_after_the_end_is_of_whole_steps_too(db: Session, town: Town) -> None:
    access = enter(db, town.battant)
    town.free.lease_seconds = 1810
    over = access.until + timedelta(seconds=5)
    client = make_client(ADA_PHONE, "10.67.0.5")
    assert renewal.renew(db, present.of(access), gateway=town.battant, client=client, now=over) is not None
    db.refresh(access)
    assert access.until == over + timedelta(minutes=30) + REACH


def let_in(db: Session, gateway: Gateway, *, until: datetime, now: datetime) -> Lease:
    """Somebody with a pass until then; the lease."""
    arrival = Arrival(gateway, make_client(ADA_PHONE, "10.67.0.5"), Acceptance("1", "fr", ""))
    allowance = Allowance("ticket", SigninMethod.PASS, until, 1)
    opened = start.open_access(db, arrival, allowance=allowance, now=now)
    return db.get_one(Lease, opened.lease_id)


def test_a_day_pass_that_ends_at_six_ends_there_on_the_last_whole_minute_before(
    db: Session, town: Town
) -> None:
    began = NOON + timedelta(seconds=30)
    six = NOON + timedelta(hours=6)
    lease = let_in(db, town.battant, until=six, now=began)
    # Six o'clock itself would be 359 minutes and a half after it began.
    assert lease.until == began + timedelta(minutes=359) + REACH <= six
    assert db.get_one(AccessSession, lease.access_id).until == lease.until
    # What the box counts when it learns of it late is as many whole minutes.
    assert (lease.until - (began + REACH)) // timedelta(minutes=1) == 359


def test_where_the_end_can_be_told_the_day_pass_lasts_until_six(db: Session, town: Town) -> None:
    """A gateway of whole minutes that takes access back is told at six."""
    coarse = names(lambda can: can.finest_seconds > 1 and can.must_be_told_ends)
    town.battant.kind = coarse[0]
    six = NOON + timedelta(hours=6)
    assert let_in(db, town.battant, until=six, now=NOON + timedelta(seconds=30)).until == six
    db.refresh(town.battant)
    version = town.battant.feed_version
    end.close_expired(db, now=six)
    db.refresh(town.battant)
    assert town.battant.feed_version == version + 1


def test_nobody_is_promised_time_by_rounding_up(db: Session, town: Town) -> None:
    now = NOON + timedelta(hours=5, minutes=59, seconds=5)
    six = NOON + timedelta(hours=6)
    assert let_in(db, town.battant, until=six, now=now).until == six
