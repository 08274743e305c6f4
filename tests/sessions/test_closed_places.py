"""A place whose wifi is closed: nobody gets in there, and what is open ends when a planned closure comes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from auth.errors import ClosedSite
from sessions import start, sweep
from sessions.arrival import Acceptance, Arrival
from sessions.models import EndReason
from sites.models import Gateway, SigninMethod, SiteState
from tests.clock import NOON
from tests.town import ADA_PHONE, BO_PHONE, build_town, make_client

TERMS = Acceptance("2026-1", "fr", "0" * 64)
LATER = NOON + timedelta(minutes=10)


def enter(db: Session, gateway: Gateway, mac: str, minutes: int = 0) -> start.Opened:
    now = NOON + timedelta(minutes=minutes)
    allowance = Allowance("ada", SigninMethod.PATRON, NOON + timedelta(days=30), devices=3)
    return start.open_access(db, Arrival(gateway, make_client(mac), TERMS), allowance=allowance, now=now)


def test_a_planned_closure_ends_stays_when_it_comes_and_lets_nobody_in(db: Session) -> None:
    town = build_town(db)
    town.station.site.state, town.station.site.state_since = SiteState.CLOSED, LATER
    here, elsewhere = enter(db, town.station, ADA_PHONE), enter(db, town.battant, BO_PHONE)
    sweep.sweep(db, now=LATER - timedelta(seconds=1))
    db.refresh(here.access)
    assert here.access.ended_at is None
    sweep.sweep(db, now=LATER)
    for access in (here.access, elsewhere.access):
        db.refresh(access)
    assert (here.access.ended_at, here.access.end_reason) == (LATER, EndReason.POLICY)
    assert elsewhere.access.ended_at is None
    with pytest.raises(ClosedSite):
        enter(db, town.station, ADA_PHONE, minutes=11)
    with pytest.raises(ClosedSite):
        arrival = Arrival(town.station, make_client(ADA_PHONE), TERMS)
        start.move(db, elsewhere.access, arrival, now=LATER)
    assert elsewhere.access.ended_at is None


def test_a_closure_that_is_over_lets_people_in_again(db: Session) -> None:
    town = build_town(db)
    site = town.station.site
    site.state, site.state_since, site.state_until = SiteState.CLOSED, NOON, LATER
    with pytest.raises(ClosedSite):
        enter(db, town.station, ADA_PHONE)
    assert enter(db, town.station, ADA_PHONE, minutes=10).access.ended_at is None
