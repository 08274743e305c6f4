"""How a session leaves the gateway that it was at: on that gateway's word, or when it has none to say."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways.types import Client, parse_mac
from sessions import end, feed, leases, roaming
from sessions.models import AccessSession, EndReason, Lease
from sessions.sweep import sweep
from sites.models import Gateway
from tests.clock import NOON
from tests.sessions.test_feed import enter, read
from tests.town import ADA_PHONE, ADA_TABLET, Town, build_town, make_client

LATER = NOON + timedelta(minutes=5)
AT_BATTANT = make_client(ADA_PHONE, "10.67.0.5")
WITHOUT_ADDRESS = Client(parse_mac(ADA_PHONE), ())


def walked(db: Session, town: Town) -> AccessSession:
    """A session of the station that has walked to Battant."""
    access = enter(db, town.station)
    assert roaming.go_on(db, gateway=town.battant, client=AT_BATTANT, now=LATER) is access
    return access


def at(db: Session, access: AccessSession) -> int:
    return db.get_one(AccessSession, access.id, populate_existing=True).gateway_id


def numbers(db: Session, gateway: Gateway, now: datetime = LATER) -> list[int]:
    return [grant.number for grant in read(db, gateway, 0, now).grants]


def test_a_client_that_a_gateway_asks_for_goes_on_there_until_the_same_instant(db: Session) -> None:
    town = build_town(db)
    access = walked(db, town)
    assert roaming.go_on(db, gateway=town.battant, client=AT_BATTANT, now=LATER) is access
    here, there = db.scalars(select(Lease).order_by(Lease.id))
    assert (there.gateway_id, there.until) == (town.battant.id, here.until)
    assert at(db, access) == town.station.id


def test_a_stranger_and_somebody_of_another_network_go_on_nowhere(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    tablet = make_client(ADA_TABLET, "10.67.0.9")
    assert roaming.go_on(db, gateway=town.battant, client=tablet, now=LATER) is None
    reader = make_client(ADA_PHONE, "10.68.0.5")
    assert roaming.go_on(db, gateway=town.pierre_bayle, client=reader, now=LATER) is None


def test_a_client_is_let_pass_before_it_has_an_address_and_known_by_it_afterwards(db: Session) -> None:
    """Gateways that ask by MAC address ask before DHCP has answered."""
    town = build_town(db)
    access = enter(db, town.station)
    assert roaming.go_on(db, gateway=town.battant, client=WITHOUT_ADDRESS, now=LATER) is access
    [grant] = read(db, town.battant, 0, LATER).grants
    assert (grant.number, grant.client.addresses) == (access.id, ())
    lease = db.scalars(select(Lease).where(Lease.gateway_id == town.battant.id)).one()
    assert lease.address == ""
    roaming.arrive(db, gateway=town.battant, clients=[AT_BATTANT], now=LATER)
    db.refresh(lease)
    assert lease.address == "10.67.0.5"
    [grant] = read(db, town.battant, 0, LATER).grants
    assert [str(address) for address in grant.client.addresses] == ["10.67.0.5"]


def test_a_session_that_left_goes_on_where_it_was_admitted(db: Session) -> None:
    town = build_town(db)
    access = walked(db, town)
    until = access.until
    assert roaming.leave(db, gateway=town.station, access_id=access.id, now=LATER)
    assert (at(db, access), access.until) == (town.battant.id, until)
    assert (numbers(db, town.station), numbers(db, town.battant)) == ([], [access.id])


def test_a_gateway_lets_go_of_its_own_clients_alone(db: Session) -> None:
    """With a stolen credential: have a guest arrive, and then leave again."""
    town = build_town(db)
    access = walked(db, town)
    assert roaming.leave(db, gateway=town.battant, access_id=access.id, now=LATER)
    assert at(db, access) == town.station.id
    assert (numbers(db, town.station), numbers(db, town.battant)) == ([access.id], [])
    assert roaming.leave(db, gateway=town.pierre_bayle, access_id=access.id, now=LATER)
    assert numbers(db, town.station) == [access.id]


def test_a_client_that_left_and_is_nowhere_comes_back_until_its_end(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    until = access.until
    assert not roaming.leave(db, gateway=town.station, access_id=access.id, now=LATER)
    assert numbers(db, town.station) == [] and access.ended_at is None
    assert roaming.go_on(db, gateway=town.station, client=make_client(), now=LATER) is access
    [grant] = read(db, town.station, 0, LATER).grants
    assert grant.until == until.timestamp()
    end.end(db, access.id, reason=EndReason.STAFF, now=LATER)
    assert not roaming.leave(db, gateway=town.station, access_id=access.id, now=LATER)


def test_a_gateway_is_not_behind_with_an_end_that_it_has_told_itself(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    feed.confirm_some(db, gateway_id=town.station.id, numbers=[access.id], now=LATER)
    roaming.leave(db, gateway=town.station, access_id=access.id, now=LATER)
    db.refresh(town.station)
    assert town.station.confirmed_version == town.station.feed_version
    assert feed.unconfirmed_ends(db, gateway_id=town.station.id, now=LATER) == ()


def test_a_gateway_that_was_not_told_of_the_client_is_asked_to_confirm_anew(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    version = read(db, town.station).version
    feed.confirm(db, gateway_id=town.station.id, version=version, refused={}, now=NOON)
    assert feed.unconfirmed(db, gateway_id=town.station.id, now=NOON) == ()
    leases.ask_again(db, gateway_id=town.station.id, mac=ADA_PHONE, now=NOON)
    [grant] = feed.unconfirmed(db, gateway_id=town.station.id, now=NOON)
    assert grant.number == access.id and read(db, town.station).version == version + 1


def test_the_sweep_moves_sessions_away_from_a_gateway_that_says_nothing(db: Session) -> None:
    """Whatever its kind: where the session goes on needs not to report who is there."""
    town = build_town(db)
    access = walked(db, town)
    town.station.seen_at, town.battant.seen_at = LATER, LATER
    after = LATER + timedelta(minutes=3)
    sweep(db, now=after)
    assert at(db, access) == town.station.id  # Battant says nothing either.
    town.battant.seen_at = after
    sweep(db, now=after)
    assert at(db, access) == town.station.id  # Nor has it said that the client passes there.
    version = read(db, town.battant, 0, after).version
    feed.confirm(db, gateway_id=town.battant.id, version=version, refused={}, now=after)
    town.station.seen_at = after - timedelta(minutes=1)
    sweep(db, now=after)
    assert at(db, access) == town.station.id
    town.station.seen_at = LATER
    sweep(db, now=after)
    assert at(db, access) == town.battant.id
    assert access.until == NOON + timedelta(minutes=30)
