"""Blocked devices and persons: no way in, and what is open ends at its gateway."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.blocks import service as blocks
from auth.blocks.errors import BlockedDevice, BlockedPerson, UnusableBlock
from auth.blocks.models import BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from auth.entitlements import Allowance
from auth.managed import Managed
from gateways.types import parse_mac
from sessions import blocking, feed, nas_signin, roaming, start, sweep
from sessions.arrival import Acceptance, Arrival
from sessions.managed import reconcile
from sessions.models import AccessSession, EndReason
from sessions.start import Opened
from sites.models import Gateway, SigninMethod
from tests.actors import TESTER
from tests.clock import NOON
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, build_town, make_client

TERMS = Acceptance("2026-1", "fr", "0" * 64)
WEEK = NOON + timedelta(days=7)


def enter(db: Session, gateway: Gateway, mac: str = ADA_PHONE, *, now: datetime = NOON) -> Opened:
    allowance = Allowance("ada", SigninMethod.PATRON, NOON + timedelta(days=30), devices=3)
    return start.open_access(db, Arrival(gateway, make_client(mac), TERMS), allowance=allowance, now=now)


def device(network_id: int | None = None, *, mac: str = ADA_PHONE, until: datetime = WEEK) -> BlockRequest:
    return BlockRequest(BlockKind.DEVICE, mac, network_id, BlockCause.MISUSE, "seen twice", until)


def person(network_id: int | None = None) -> BlockRequest:
    return BlockRequest(BlockKind.PERSON, "ada", network_id, BlockCause.DECISION, "", WEEK)


def place(db: Session, wish: BlockRequest, now: datetime = NOON) -> list[int]:
    return blocking.place(db, wish, actor=TESTER, now=now)


def test_what_is_open_ends_and_its_gateway_hears_of_it(db: Session) -> None:
    town = build_town(db)
    phone, other = enter(db, town.pierre_bayle), enter(db, town.pierre_bayle, BO_PHONE)
    db.refresh(town.pierre_bayle)
    version = town.pierre_bayle.feed_version
    assert blocking.affected(db, device(), now=NOON) == blocking.Affected(online=1, passing_on=0)
    assert place(db, device()) == [phone.access_id]
    news = feed.read(db, gateway_id=town.pierre_bayle.id, since=version, now=NOON)
    assert (news.ends, news.grants) == ((phone.access_id,), ())
    assert phone.access.end_reason is EndReason.STAFF and other.access.ended_at is None


def test_a_person_is_cut_off_on_every_device_and_only_on_that_network(db: Session) -> None:
    town = build_town(db)
    here = [enter(db, town.pierre_bayle, mac).access_id for mac in (ADA_PHONE, ADA_TABLET)]
    away = enter(db, town.station)
    assert place(db, person(town.library.id)) == here
    assert away.access.ended_at is None
    with pytest.raises(BlockedPerson):
        enter(db, town.pierre_bayle)
    assert enter(db, town.battant, ADA_TABLET).access.ended_at is None


def test_a_gateway_that_cannot_take_back_is_counted_apart(db: Session) -> None:
    town = build_town(db)
    town.pierre_bayle.kind = "aruba"
    opened = enter(db, town.pierre_bayle)
    affected = blocking.affected(db, device(), now=NOON)
    assert affected.online == 1
    assert affected.passing_on == (0 if opened.access.gateway.capabilities.revokes else 1)


@pytest.mark.parametrize("wish", [device(), person()])
def test_it_holds_until_its_last_instant_and_not_after(db: Session, wish: BlockRequest) -> None:
    town = build_town(db)
    place(db, wish)
    denied = BlockedDevice if wish.kind is BlockKind.DEVICE else BlockedPerson
    with pytest.raises(denied) as error:
        enter(db, town.station, now=WEEK - timedelta(seconds=1))
    assert (error.value.facts["cause"], error.value.facts["until"]) == (wish.cause, WEEK)
    enter(db, town.station, now=WEEK)


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (device(until=NOON + timedelta(days=1)), BlockedPerson),
        (device(until=WEEK + timedelta(days=1)), BlockedDevice),
    ],
)
def test_of_several_blocks_the_one_that_ends_last_is_told(
    db: Session, first: BlockRequest, told: type[Exception]
) -> None:
    town = build_town(db)
    place(db, first)
    place(db, person())
    with pytest.raises(told):
        enter(db, town.station)


def test_the_rest_of_the_time_does_not_go_to_a_blocked_device(db: Session) -> None:
    town = build_town(db)
    opened = enter(db, town.pierre_bayle)
    place(db, device(mac=ADA_TABLET))
    arrival = Arrival(town.pierre_bayle, make_client(ADA_TABLET), TERMS)
    with pytest.raises(BlockedDevice):
        start.move(db, opened.access, arrival, now=NOON)
    assert opened.access.ended_at is None


def test_a_gateway_that_asks_for_the_device_lets_it_in_no_more(db: Session) -> None:
    """By its MAC address (RADIUS), by an arrival at another site, by a landing there."""
    town = build_town(db)
    enter(db, town.station)
    client = make_client(ADA_PHONE, "10.67.0.5")
    place(db, device())
    assert nas_signin.known_device(db, gateway=town.battant, client=client, now=NOON) is None
    assert roaming.arrive(db, gateway=town.battant, clients=[client], now=NOON) == 0
    assert roaming.go_on(db, gateway=town.battant, client=client, now=NOON) is None


def test_the_sweep_ends_what_began_while_the_block_was_placed(db: Session) -> None:
    town = build_town(db)
    opened = enter(db, town.station)
    blocks.place(db, device(), actor=TESTER, now=NOON)
    sweep.sweep(db, now=NOON)
    db.refresh(opened.access)
    assert opened.access.end_reason is EndReason.STAFF


def test_lifted_it_holds_no_more_and_once(db: Session) -> None:
    town = build_town(db)
    place(db, device(town.free.id))
    (block,) = blocks.in_force(db, now=NOON)
    with pytest.raises(UnusableBlock):
        blocks.lift(db, block, reason=" ", actor=TESTER, now=NOON)
    assert blocks.lift(db, block, reason="talked to them", actor=TESTER, now=NOON)
    assert not blocks.lift(db, block, reason="again", actor=TESTER, now=NOON)
    enter(db, town.station)
    entries = db.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
    assert [(one.action, one.network) for one in entries] == [
        ("block placed", "wifilib"),
        ("block lifted", "wifilib"),
    ]
    # The audit log is kept for longer, and read by more people, than whom it concerns.
    assert ADA_PHONE not in str([one.detail for one in entries])


@pytest.mark.parametrize("until", [NOON, NOON + blocks.LONGEST + timedelta(seconds=1)])
def test_none_is_over_already_and_none_is_for_ever(db: Session, until: datetime) -> None:
    build_town(db)
    with pytest.raises(UnusableBlock):
        place(db, device(until=until))


def test_who_works_for_one_network_sees_the_towns_blocks_and_lifts_their_own(db: Session) -> None:
    town = build_town(db)
    for wish in (device(town.free.id), device(town.library.id), person()):
        place(db, wish)
    mine = frozenset({"wifilib"})
    listed = blocks.listed(db, networks=mine, now=NOON)
    assert {one.network_id for one in listed} == {town.free.id, None}
    found = [blocks.find(db, one.id, networks=mine) for one in listed]
    assert [one.network_id for one in found if one] == [town.free.id]
    assert len(blocks.listed(db, networks=(), now=NOON)) == 3


def test_a_blocked_device_of_a_register_stays_off_until_that_is_lifted(db: Session) -> None:
    town = build_town(db)
    town.library.signin_methods = [*town.library.signin_methods, SigninMethod.MANAGED]
    camera = Managed("device:1", parse_mac(ADA_PHONE), frozenset({town.pierre_bayle.id}))
    assert reconcile.fit(db, [camera], now=NOON).started == 1
    assert len(place(db, device())) == 1
    assert reconcile.fit(db, [camera], now=NOON).started == 0
    blocks.lift(db, blocks.in_force(db, now=NOON)[0], reason="mended", actor=TESTER, now=NOON)
    assert reconcile.fit(db, [camera], now=NOON).started == 1


def test_sessions_of_others_stay(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station, BO_PHONE)
    place(db, device())
    assert db.scalars(select(AccessSession.ended_at)).all() == [None]
