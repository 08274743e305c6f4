"""Walking from site to site, and what the word of one gateway is worth at another."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions import accounting, feed, roaming
from sessions.accounting import Counters, UsageReport
from sessions.gateway_health import stale_sessions
from sessions.models import AccessSession, ClientObservation, Lease
from sites.models import Gateway, SiteKind
from tests.clock import NOON
from tests.sessions.test_feed import enter, read
from tests.town import (
    ADA_PHONE,
    ADA_TABLET,
    BO_PHONE,
    Town,
    build_town,
    make_client,
    make_gateway,
    make_site,
)

LATER = NOON + timedelta(minutes=5)
_FRESH = {"populate_existing": True}


def report(
    db: Session,
    gateway: Gateway,
    access: AccessSession,
    *,
    idle: float = 0,
    addresses: tuple[str, ...] = (),
    held: bool = True,
    now: datetime = LATER,
) -> None:
    seen = make_client(access.mac, *addresses).addresses if addresses else ()
    count = Counters(access.id, 1, 1, 1, 1, idle, seen)
    answer = UsageReport(
        "one", int(now.timestamp()), now.timestamp(), (count,), (access.id,) if held else (), {}
    )
    accounting.record(db, gateway=gateway, report=answer, now=now)


def where(db: Session, access: AccessSession) -> tuple[int, int]:
    found = db.get_one(AccessSession, access.id, populate_existing=True)
    return found.gateway_id, found.site_id


def addresses_at(db: Session, gateway: Gateway, since: int = 0) -> list[str]:
    grants = read(db, gateway, since, LATER).grants
    return [str(address) for grant in grants for address in grant.client.addresses]


def test_a_phone_that_walks_to_another_site_goes_on_until_the_same_instant(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    client = make_client(ADA_PHONE, "10.67.0.5")
    assert roaming.arrive(db, gateway=town.battant, clients=[client], now=LATER) == 1
    [grant] = feed.read(db, gateway_id=town.battant.id, since=0, now=LATER).grants
    assert (grant.number, grant.until) == (access.id, (NOON + timedelta(minutes=30)).timestamp())
    assert len(db.scalars(select(AccessSession)).all()) == 1


def test_walking_to_a_library_that_closes_earlier_ends_at_its_closing(db: Session) -> None:
    town = build_town(db)
    site = make_site("clairs-soleils", town.library, kind=SiteKind.LIBRARY, opening_hours="Tu-Sa 10:00-14:00")
    early = make_gateway("gw-early", site, town.library, client_prefixes=["10.69.0.0/24"])
    db.add(early)
    db.flush()
    access = enter(db, town.pierre_bayle, ADA_PHONE, "10.68.0.5")
    assert access.until == NOON + timedelta(hours=4)
    roaming.arrive(db, gateway=early, clients=[make_client(ADA_PHONE, "10.69.0.5")], now=LATER)
    [grant] = feed.read(db, gateway_id=early.id, since=0, now=LATER).grants
    assert grant.until == (NOON + timedelta(hours=2)).timestamp()


def test_arriving_twice_gives_one_lease(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    client = make_client(ADA_PHONE, "10.67.0.5")
    for _ in range(3):
        roaming.arrive(db, gateway=town.battant, clients=[client], now=LATER)
    assert len(db.scalars(select(Lease).where(Lease.gateway_id == town.battant.id)).all()) == 1


def test_a_stranger_who_arrives_is_seen_and_not_let_in(db: Session) -> None:
    town = build_town(db)
    client = make_client(ADA_TABLET, "10.67.0.9")
    assert roaming.arrive(db, gateway=town.battant, clients=[client], now=LATER) == 0
    assert db.scalars(select(ClientObservation.mac)).all() == [ADA_TABLET]
    assert db.scalars(select(Lease)).all() == []


def test_walking_crosses_no_network(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    client = make_client(ADA_PHONE, "10.68.0.5")
    assert roaming.arrive(db, gateway=town.pierre_bayle, clients=[client], now=LATER) == 0


def test_an_address_taken_by_another_client_is_the_other_clients(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    roaming.arrive(db, gateway=town.station, clients=[make_client(ADA_TABLET, "10.66.0.5")], now=LATER)
    assert db.scalars(select(ClientObservation.mac), execution_options={"populate_existing": True}).all() == [
        ADA_TABLET
    ]


# A new address of a card that may pass


def test_an_address_seen_after_the_lease_was_made_becomes_part_of_the_grant(db: Session) -> None:
    """A phone that walks is seen under its link-local address first, and under the others seconds later."""
    town = build_town(db)
    enter(db, town.station)
    first = make_client(ADA_PHONE, "fe80::1", "fd67::5")
    roaming.arrive(db, gateway=town.battant, clients=[first], now=LATER)
    assert addresses_at(db, town.battant) == ["fd67::5"]
    version = read(db, town.battant).version
    roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "10.67.0.5")], now=LATER)
    assert set(addresses_at(db, town.battant, version)) == {"10.67.0.5", "fd67::5"}


def test_a_link_local_address_alone_walks_nowhere_yet(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    assert (
        roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "fe80::1")], now=LATER) == 0
    )
    assert (
        roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "fd67::5")], now=LATER) == 1
    )


def test_an_address_that_a_report_names_first_becomes_part_of_the_grant(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    version = read(db, town.station).version
    report(db, town.station, access, addresses=("10.66.0.5", "fd66::5"))
    assert set(addresses_at(db, town.station, version)) == {"10.66.0.5", "fd66::5"}
    version = read(db, town.station).version
    report(db, town.station, access, addresses=("10.66.0.5", "fd66::5"), now=LATER + timedelta(minutes=2))
    assert read(db, town.station, version).version == version


def test_what_a_gateway_lets_pass_takes_no_address_from_a_card_seen_behind_it(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    roaming.arrive(db, gateway=town.station, clients=[make_client(BO_PHONE, "10.66.0.5")], now=LATER)
    report(db, town.station, access, addresses=("10.66.0.5",), now=LATER + timedelta(minutes=2))
    assert db.scalars(select(ClientObservation.mac), execution_options=_FRESH).all() == [BO_PHONE]


# What a gateway's word is worth at another


@pytest.mark.parametrize("address", ["10.66.0.77", "127.0.0.1", "192.0.2.1", "fd66::77"])
def test_a_gateway_speaks_for_addresses_of_its_own_prefixes_alone(db: Session, address: str) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    assert roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, address)], now=LATER) == 0
    roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "10.67.0.5")], now=LATER)
    report(db, town.battant, access, addresses=("10.67.0.5", address))
    seen = select(ClientObservation.address).where(ClientObservation.gateway_id == town.battant.id)
    assert db.scalars(seen).all() == ["10.67.0.5"]


def test_an_arrival_moves_no_session_of_somebody_who_is_active_elsewhere(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "10.67.0.5")], now=NOON)
    for minute in range(1, 10):
        report(db, town.station, access, idle=30, now=NOON + timedelta(minutes=minute))
        report(db, town.battant, access, now=NOON + timedelta(minutes=minute))
    assert where(db, access) == (town.station.id, town.station.site_id)


def test_a_session_moves_on_when_the_gateway_before_says_that_the_card_fell_silent(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "10.67.0.5")], now=NOON)
    # It goes on for two minutes where it was, and is silent there from then on.
    for seconds, idle in ((60, 5), (170, 50), (200, 80)):
        report(db, town.station, access, idle=idle, now=NOON + timedelta(seconds=seconds))
        assert where(db, access) == (town.station.id, town.station.site_id)
    other = enter(db, town.station, BO_PHONE, "10.66.0.6")
    roaming.arrive(db, gateway=town.battant, clients=[make_client(BO_PHONE, "10.67.0.6")], now=NOON)
    for seconds, idle in ((210, 59), (220, 160)):
        assert where(db, other) == (town.station.id, town.station.site_id)
        report(db, town.station, other, idle=idle, now=NOON + timedelta(seconds=seconds))
    assert where(db, other) == (town.battant.id, town.battant.site_id)


def test_a_gateway_that_holds_nobody_ends_no_session_that_another_holds(db: Session) -> None:
    """With a stolen credential: have a guest arrive, even have the session moved, and then let go of her."""
    town = build_town(db)
    access = enter(db, town.station)
    at = NOON
    roaming.arrive(db, gateway=town.battant, clients=[make_client(ADA_PHONE, "10.67.0.5")], now=at)
    report(db, town.station, access, idle=70, now=(at := at + timedelta(seconds=80)))
    assert where(db, access)[0] == town.battant.id
    for _ in range(12):
        at += timedelta(seconds=15)
        version = read(db, town.battant, 0, at).version
        feed.confirm(db, gateway_id=town.battant.id, version=version, refused={}, now=at)
        report(db, town.battant, access, held=False, now=at)
        report(db, town.station, access, idle=30, now=at)
        stale_sessions.settle(db, now=at)
    assert db.get_one(AccessSession, access.id, populate_existing=True).ended_at is None


def test_a_library_that_closes_earlier_shortens_no_session_of_somebody_who_stayed(db: Session) -> None:
    town, early = _with_early_library(db)
    access = enter(db, town.pierre_bayle, ADA_PHONE, "10.68.0.5")
    roaming.arrive(db, gateway=early, clients=[make_client(ADA_PHONE, "10.69.0.5")], now=LATER)
    assert db.get_one(AccessSession, access.id, populate_existing=True).until == NOON + timedelta(hours=4)


def test_a_gateway_learns_of_no_more_cards_than_a_crowd_has(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roaming, "MOST_ADMITTED", 3)
    town = build_town(db)
    macs = [f"02:00:00:00:0c:{number:02x}" for number in range(6)]
    sessions = [enter(db, town.station, mac, f"10.66.0.{20 + n}") for n, mac in enumerate(macs)]
    clients = [make_client(mac, f"10.67.0.{20 + n}") for n, mac in enumerate(macs)]
    assert roaming.arrive(db, gateway=town.battant, clients=clients, now=NOON) == 3
    assert len(read(db, town.battant).grants) == 3
    # Three of them have really walked: their places are free for others.
    for number, access in enumerate(sessions[:3]):
        report(db, town.station, access, idle=80, now=NOON + timedelta(seconds=90 + number))
    assert roaming.arrive(db, gateway=town.battant, clients=clients, now=LATER) == 3


def _with_early_library(db: Session) -> tuple[Town, Gateway]:
    town = build_town(db)
    site = make_site("clairs-soleils", town.library, kind=SiteKind.LIBRARY, opening_hours="Tu-Sa 10:00-14:00")
    early = make_gateway("gw-early", site, town.library, client_prefixes=["10.69.0.0/24"])
    db.add(early)
    db.flush()
    return town, early
