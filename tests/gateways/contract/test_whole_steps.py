"""At a gateway of whole minutes, every lease ends on a whole one, however it came about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions import renewal, roaming
from sessions.models import Lease
from tests.clock import NOON
from tests.gateways.contract import made_up
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, Town, build_town, make_client


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
    assert (lease.until - later) % timedelta(minutes=1) == timedelta(0)


def test_a_renewal_after_the_end_is_of_whole_steps_too(db: Session, town: Town) -> None:
    access = enter(db, town.battant)
    town.free.lease_seconds = 1810
    over = access.until + timedelta(seconds=5)
    client = make_client(ADA_PHONE, "10.67.0.5")
    assert renewal.renew(db, access, gateway=town.battant, client=client, now=over) is not None
    db.refresh(access)
    assert access.until == over + timedelta(minutes=30)
