"""How far a gateway is from the leases: by versions, client by client, and where a browser has to carry."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from gateways.kinds import Learning
from gateways.registry import names
from sessions import end, feed
from sessions.gateway_health.distance import Distance, measure
from sessions.gateway_health.overview import GatewayHealth, look
from sessions.models import EndReason, Lease
from sites.checks import GatewayState
from sites.models import Gateway
from tests.clock import NOON
from tests.gateways.contract import made_up
from tests.sessions.test_feed import enter
from tests.town import BO_PHONE, build_town

SOON = NOON + timedelta(seconds=20)
OVER = NOON + timedelta(hours=2)


@pytest.fixture
def station(db: Session) -> Gateway:
    return build_town(db).station


def distance(db: Session, gateway: Gateway, now: datetime = SOON) -> Distance:
    db.flush()
    return measure(db, now=now).get(gateway.id, Distance())


def health(db: Session, gateway: Gateway, now: datetime = SOON) -> GatewayHealth:
    db.flush()
    return next(one for one in look(db, now=now) if one.id == gateway.id)


def confirm(db: Session, gateway: Gateway, refused: dict[int, str] | None = None) -> None:
    version = feed.read(db, gateway_id=gateway.id, since=0, now=SOON).version
    feed.confirm(db, gateway_id=gateway.id, version=version, refused=refused or {}, now=SOON)
    db.expire_all()


def test_what_a_version_does_not_cover_is_waiting(db: Session, station: Gateway) -> None:
    access = enter(db, station)
    assert distance(db, station) == Distance(waiting=1, waiting_since=NOON)
    confirm(db, station)
    assert distance(db, station).is_none
    end.end(db, access.id, reason=EndReason.LEFT, now=SOON)
    assert distance(db, station) == Distance(ending=1, ending_since=SOON)
    confirm(db, station)
    assert distance(db, station).is_none


def test_what_a_gateway_has_refused_is_told_as_that(db: Session, station: Gateway) -> None:
    access = enter(db, station)
    confirm(db, station, {access.id: "no room"})
    assert distance(db, station) == Distance(refused=1)


def test_ends_are_counted_client_by_client(db: Session, station: Gateway) -> None:
    first, second = enter(db, station), enter(db, station, BO_PHONE, "10.66.0.6")
    both = [first.id, second.id]
    feed.confirm_some(db, gateway_id=station.id, numbers=both, now=NOON)
    for number in both:
        end.end(db, number, reason=EndReason.STAFF, now=SOON)
    feed.confirm_some(
        db, gateway_id=station.id, numbers=(), ended=[first.id], refused_ends={second.id: "503"}, now=SOON
    )
    assert distance(db, station) == Distance(refused_ends=1)
    assert distance(db, station, OVER).is_none


def test_a_session_that_ended_before_it_was_confirmed_waits_for_nothing(
    db: Session, station: Gateway
) -> None:
    """Where access cannot be taken back, its lease stays in the table."""
    with made_up.added():
        station.kind = "hourglass"
        access = enter(db, station)
        end.end(db, access.id, reason=EndReason.LEFT, now=SOON)
        assert distance(db, station).is_none


def test_a_guest_who_has_not_carried_the_permission_is_no_fault_of_the_gateway(
    db: Session, station: Gateway
) -> None:
    station.kind, station.seen_at = names(lambda can: can.learns is Learning.CARRIED)[0], NOON
    access = enter(db, station)
    one = health(db, station)
    assert (one.verdict, one.check.lag, one.unconfirmed_since) == (GatewayState.WELL, 0, None)
    assert one.distance.waiting == 1
    feed.confirm_some(db, gateway_id=station.id, numbers=[access.id], now=NOON)
    db.refresh(station)
    station.feed_version += 1
    access_lease_ended(db, access.id)
    one = health(db, station)
    assert (one.verdict, one.check.lag, one.unconfirmed_since) == (
        GatewayState.BEHIND,
        1,
        timedelta(0),
    )


def access_lease_ended(db: Session, number: int) -> None:
    """Taken back, whatever the kind can do: a lease from before it was recorded anew, say."""
    db.execute(update(Lease).where(Lease.access_id == number).values(released_at=SOON, version=99))


def test_of_a_gateway_that_asks_nothing_waits_once_the_lease_is_over(db: Session, station: Gateway) -> None:
    """Nobody confirms a version for whom nothing waits any more; it would be behind for ever."""
    with made_up.added():
        station.kind, station.seen_at = "hourglass", SOON
        enter(db, station)
        one = health(db, station)
        assert (one.verdict, one.check.lag, one.unconfirmed_since) == (
            GatewayState.BEHIND,
            1,
            timedelta(seconds=20),
        )
        station.seen_at = OVER
        one = health(db, station, OVER)
        assert (one.verdict, one.check.lag, one.unconfirmed_since) == (GatewayState.WELL, 0, None)
