"""Who had this public address and port: one session, because no two ever hold the same port at the same time."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from db.engine import SessionMaker
from gateways.types import FIRST_BLOCK_PORT, LAST_BLOCK_PORT, SHARED_PORTS, PortRange
from sessions import end, feed, port_blocks, present, renewal, roaming, start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, EndReason, Lease
from sessions.port_blocks import ALL_PORTS, PortBlock, PortBlockUse
from sites.models import Gateway, SigninMethod
from tests.clock import NOON
from tests.town import Town, build_town, make_client

PUBLIC = "203.0.113.10"
SIZE = 1008
HALF_HOUR = timedelta(minutes=30)


def town_with_blocks(db: Session, *, size: int = SIZE, addresses: tuple[str, ...] = (PUBLIC,)) -> Town:
    town = build_town(db)
    town.station.public_addresses, town.station.ports_per_client = list(addresses), size
    db.flush()
    return town


def enter(db: Session, gateway: Gateway, number: int, now: datetime = NOON) -> AccessSession:
    mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
    return start.open_access(
        db,
        Arrival(gateway, make_client(mac, f"10.66.{number >> 8}.{number & 255}"), Acceptance("1", "fr", "")),
        allowance=Allowance(mac, SigninMethod.FREE, None, 1),
        now=now,
    ).access


def origins(db: Session, access: AccessSession) -> list[PortBlock]:
    leases = db.scalars(select(Lease).where(Lease.access_id == access.id).order_by(Lease.id))
    return [PortBlock(lease.public_address, lease.port_first, lease.port_last) for lease in leases]


def origin(db: Session, access: AccessSession) -> PortBlock:
    return origins(db, access)[-1]


def answer(db: Session, gateway: Gateway, access: AccessSession, now: datetime = NOON) -> PortRange | None:
    grants = feed.read(db, gateway_id=gateway.id, since=0, now=now).grants
    return next(grant.ports for grant in grants if grant.number == access.id)


def test_every_client_gets_a_block_of_its_own_and_the_gateway_is_told(db: Session) -> None:
    town = town_with_blocks(db)
    ranges = set()
    for number in range(1, 60):
        access = enter(db, town.station, number)
        found = origin(db, access)
        assert found.is_block() and found.address == PUBLIC
        assert found.first is not None and found.last == found.first + SIZE - 1
        assert found.first >= FIRST_BLOCK_PORT and found.last <= LAST_BLOCK_PORT
        assert answer(db, town.station, access) == found.ports()
        ranges.add(found)
    assert len(ranges) == 59


def test_when_blocks_have_run_out_the_next_is_served_from_what_is_shared_and_the_lease_says_so(
    db: Session,
) -> None:
    town = town_with_blocks(db, size=20_000)
    for number in range(1, 4):
        assert origin(db, enter(db, town.station, number)).is_block()
    access = enter(db, town.station, 4)
    assert origin(db, access) == PortBlock(PUBLIC, None, None)
    ports = answer(db, town.station, access)
    assert ports and (ports.first, ports.last) == SHARED_PORTS


def test_all_addresses_are_used_before_blocks_have_run_out(db: Session) -> None:
    town = town_with_blocks(db, size=20_000, addresses=(PUBLIC, "203.0.113.11"))
    found = {origin(db, enter(db, town.station, number)) for number in range(1, 7)}
    assert len(found) == 6 and all(one.is_block() for one in found)


def test_a_renewal_keeps_the_block(db: Session) -> None:
    town = town_with_blocks(db)
    access = enter(db, town.station, 1)
    for lease in range(1, 4):
        now = NOON + lease * HALF_HOUR - timedelta(minutes=3)
        renewal.renew(db, present.of(access), gateway=town.station, client=make_client(access.mac), now=now)
        db.refresh(access)
    assert len(origins(db, access)) == 4 and len(set(origins(db, access))) == 1


def test_a_block_rests_after_its_end_before_another_gets_it(db: Session) -> None:
    town = town_with_blocks(db, size=40_000)
    first = enter(db, town.station, 1)
    end.end(db, first.id, reason=EndReason.LEFT, now=NOON)
    early = enter(db, town.station, 2, now=NOON + port_blocks.QUARANTINE - timedelta(seconds=1))
    assert not origin(db, early).is_block()
    late = enter(db, town.station, 3, now=NOON + port_blocks.QUARANTINE)
    assert origin(db, late) == origin(db, first)


def test_the_same_device_gets_its_block_back_at_once(db: Session) -> None:
    town = town_with_blocks(db, size=40_000)
    first = enter(db, town.station, 1)
    end.end(db, first.id, reason=EndReason.LEFT, now=NOON)
    again = enter(db, town.station, 1, now=NOON + timedelta(minutes=1))
    assert again.id != first.id and origin(db, again) == origin(db, first)


def test_a_lease_that_runs_on_elsewhere_keeps_its_block_there(db: Session) -> None:
    town = town_with_blocks(db, size=40_000)
    access = enter(db, town.station, 1)
    roaming.walk(db, access, gateway=town.battant, client=make_client(access.mac, "10.67.0.9"), now=NOON)
    other = enter(db, town.station, 2, now=NOON + timedelta(minutes=15))
    assert not origin(db, other).is_block()


def test_without_blocks_the_lease_says_all_ports_of_the_one_address(db: Session) -> None:
    town = town_with_blocks(db, size=0)
    access = enter(db, town.station, 1)
    assert origin(db, access) == PortBlock(PUBLIC, *ALL_PORTS)
    assert answer(db, town.station, access) is None
    unknown = start.open_access(
        db,
        Arrival(town.pierre_bayle, make_client("02:00:00:00:00:77", "10.68.0.5"), Acceptance("1", "fr", "")),
        allowance=Allowance("ada", SigninMethod.PATRON, NOON + HALF_HOUR, 1),
        now=NOON - timedelta(hours=2),
    ).access
    assert origin(db, unknown) == PortBlock()


def test_who_was_online_before_blocks_were_switched_on_keeps_all_ports(db: Session) -> None:
    town = town_with_blocks(db, size=0)
    access = enter(db, town.station, 1)
    town.station.ports_per_client = SIZE
    renewal.renew(
        db,
        present.of(access),
        gateway=town.station,
        client=make_client(access.mac),
        now=NOON + timedelta(minutes=27),
    )
    assert origin(db, access) == PortBlock(PUBLIC, *ALL_PORTS)
    assert origin(db, enter(db, town.station, 2)).is_block()


def test_a_renewal_leaves_an_address_that_the_gateway_no_longer_has(db: Session) -> None:
    town = town_with_blocks(db)
    access = enter(db, town.station, 1)
    town.station.public_addresses = ["203.0.113.99"]
    renewal.renew(
        db,
        present.of(access),
        gateway=town.station,
        client=make_client(access.mac),
        now=NOON + timedelta(minutes=27),
    )
    assert origin(db, access).address == "203.0.113.99"


@pytest.mark.parametrize("size", [500, 1008, 3000])
def test_a_change_of_size_gives_nobody_a_port_that_is_anothers(size: int) -> None:
    uses = [
        PortBlockUse(
            number,
            f"mac-{number}",
            PortBlock(PUBLIC, FIRST_BLOCK_PORT + number * 900, FIRST_BLOCK_PORT + number * 900 + 899),
        )
        for number in range(0, 60, 2)
    ]
    for number in range(100, 140):
        found = port_blocks.choose([PUBLIC], size, uses, access_id=number, mac=f"mac-{number}")
        if found.first is not None and found.last is not None:
            for use in uses:
                assert use.origin.first is not None and use.origin.last is not None
                assert found.last < use.origin.first or use.origin.last < found.first
        uses.append(PortBlockUse(number, f"mac-{number}", found))


def test_clients_that_come_at_once_never_share_a_block(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town_with_blocks(db, size=20_000)
    together = threading.Barrier(8)

    def come(number: int) -> None:
        with make_session() as db:
            gateway = db.scalars(select(Gateway).where(Gateway.identity == "gw-viotte")).one()
            db.rollback()
            together.wait(10)
            if db.get_bind().dialect.name == "postgresql":
                # On a busy machine the last of them waits longer than a page may.
                db.execute(text("SET LOCAL lock_timeout = '60s'"))
            enter(db, gateway, number)
            db.commit()

    threads = [threading.Thread(target=come, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        firsts = [first for first in db.scalars(select(Lease.port_first)) if first is not None]
    assert len(firsts) == len(set(firsts)) == 3
