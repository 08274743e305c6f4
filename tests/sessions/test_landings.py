"""What gateways of other makes tell of their clients."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from sessions import landings
from sessions.sweep import sweep
from tests.clock import NOON
from tests.town import ADA_PHONE, BO_PHONE, build_town


def test_the_last_landing_of_a_client_counts_and_is_forgotten_after_a_day(db: Session) -> None:
    town = build_town(db)
    for challenge in ("first", "second"):
        told = {"challenge": challenge}
        landings.keep(db, gateway_id=town.station.id, mac=ADA_PHONE, told=told, now=NOON)
    assert landings.of(db, gateway_id=town.station.id, mac=ADA_PHONE) == {"challenge": "second"}
    assert landings.of(db, gateway_id=town.station.id, mac=BO_PHONE) == {}
    assert landings.of(db, gateway_id=town.battant.id, mac=ADA_PHONE) == {}
    sweep(db, now=NOON + timedelta(hours=24))
    assert landings.of(db, gateway_id=town.station.id, mac=ADA_PHONE)
    sweep(db, now=NOON + timedelta(hours=24, seconds=1))
    assert landings.of(db, gateway_id=town.station.id, mac=ADA_PHONE) == {}
