"""A guest walks from a gateway that keeps seconds to one of whole minutes, and is given no more there than is left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions import roaming
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
