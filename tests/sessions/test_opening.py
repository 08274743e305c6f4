"""From an entitlement to a session with a lease."""

from __future__ import annotations

import threading
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from db.engine import SessionMaker
from sessions import start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, EndReason, Lease
from sessions.start import Opened
from sites.models import Gateway, SigninMethod
from tests.clock import NOON, MovingClock
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, build_town, make_client

TERMS = Acceptance("2026-1", "fr", "0" * 64)


def ada(until: timedelta | None = timedelta(hours=4), devices: int = 2) -> Allowance:
    return Allowance("ada", SigninMethod.PATRON, None if until is None else NOON + until, devices)


def enter(db: Session, gateway: Gateway, mac: str = ADA_PHONE, *, now=NOON, allowance=None) -> Opened:
    return start.open_access(
        db, Arrival(gateway, make_client(mac), TERMS), allowance=allowance or ada(), now=now
    )


def open_sessions(db: Session) -> dict[str, AccessSession]:
    found = db.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None)))
    return {access.mac: access for access in found}


def test_a_patron_stays_until_the_networks_maximum_when_that_is_first(db: Session) -> None:
    town = build_town(db)
    opened = enter(db, town.pierre_bayle)
    # Noon in Besançon; the library closes at 18:00, four hours end at 16:00.
    assert opened.access.until == NOON + timedelta(hours=4)


def test_a_patron_stays_until_the_closing_when_that_is_first(db: Session) -> None:
    town = build_town(db)
    late = NOON + timedelta(hours=4)
    opened = enter(db, town.pierre_bayle, now=late, allowance=ada(timedelta(hours=8)))
    assert opened.access.until == NOON + timedelta(hours=6)


def test_the_lease_says_who_where_until_when_and_how_fast(db: Session) -> None:
    town = build_town(db)
    town.station.site.rate_down_kbps = 15_000
    opened = enter(db, town.station, allowance=ada(None))
    lease = db.get_one(Lease, opened.lease_id)
    assert (lease.mac, lease.address, lease.site_id) == (ADA_PHONE, "10.66.0.5", town.station.site_id)
    assert (lease.starts_at, lease.until) == (NOON, NOON + timedelta(minutes=30))
    assert (lease.rate_down_kbps, lease.rate_up_kbps) == (15_000, 15_000)


def test_signing_in_again_adds_no_time_and_makes_no_second_session(db: Session) -> None:
    town = build_town(db)
    first = enter(db, town.pierre_bayle)
    later = NOON + timedelta(hours=1)
    again = enter(db, town.pierre_bayle, now=later, allowance=ada(timedelta(hours=5)))
    assert again.access.id == first.access.id
    assert again.lease_id is None
    assert again.access.until == NOON + timedelta(hours=4)


def test_the_same_person_on_a_new_mac_gets_no_added_time(db: Session) -> None:
    town = build_town(db)
    enter(db, town.pierre_bayle)
    later = NOON + timedelta(hours=1)
    again = enter(db, town.pierre_bayle, ADA_TABLET, now=later, allowance=ada(timedelta(hours=5)))
    assert again.access.until == NOON + timedelta(hours=4)


def test_a_second_device_counts_against_the_limit_and_the_oldest_gives_way(db: Session) -> None:
    town = build_town(db)
    first = enter(db, town.pierre_bayle, allowance=ada(devices=1)).access
    second = enter(
        db, town.pierre_bayle, ADA_TABLET, now=NOON + timedelta(minutes=1), allowance=ada(devices=1)
    ).access
    db.refresh(first)
    assert (first.end_reason, second.previous_id) == (EndReason.DEVICE_LIMIT, first.id)
    assert set(open_sessions(db)) == {ADA_TABLET}
    lease = db.scalars(select(Lease).where(Lease.access_id == first.id)).one()
    assert lease.released_at == NOON + timedelta(minutes=1)


def test_two_devices_are_online_where_two_are_allowed(db: Session) -> None:
    town = build_town(db)
    enter(db, town.pierre_bayle)
    enter(db, town.pierre_bayle, ADA_TABLET)
    assert set(open_sessions(db)) == {ADA_PHONE, ADA_TABLET}


def test_another_person_on_the_same_device_ends_the_first_ones_session(db: Session) -> None:
    town = build_town(db)
    first = enter(db, town.pierre_bayle).access
    bo = Allowance("bo", SigninMethod.PATRON, NOON + timedelta(hours=4), 2)
    second = enter(db, town.pierre_bayle, allowance=bo).access
    db.refresh(first)
    assert first.end_reason == EndReason.LEFT
    assert open_sessions(db)[ADA_PHONE].id == second.id


def test_the_same_address_at_two_sites_is_two_clients(db: Session) -> None:
    """Sites share private prefixes; ending one session leaves the other."""
    town = build_town(db)
    library = enter(db, town.pierre_bayle, ADA_PHONE).access
    square = enter(db, town.station, BO_PHONE, allowance=ada(None)).access
    start.end.end(db, library.id, reason=EndReason.STAFF, now=NOON)
    db.refresh(square)
    assert square.ended_at is None


def test_a_moved_session_keeps_its_deadline_and_links_both_rows(db: Session) -> None:
    town = build_town(db)
    first = enter(db, town.station, allowance=ada(None)).access
    later = NOON + timedelta(minutes=10)
    moved = start.move(
        db,
        first,
        Arrival(town.station, make_client(ADA_TABLET, "10.66.0.9"), Acceptance("1", "fr", "")),
        now=later,
    )
    db.refresh(first)
    assert first.end_reason == EndReason.MOVED
    assert (moved.access.previous_id, moved.access.until) == (first.id, NOON + timedelta(minutes=30))


def test_a_session_whose_time_is_over_makes_room_for_a_new_one(db: Session, clock: MovingClock) -> None:
    town = build_town(db)
    town.station.seen_at = NOON + timedelta(minutes=30)
    first = enter(db, town.station, allowance=ada(None)).access
    second = enter(db, town.station, now=NOON + timedelta(minutes=31), allowance=ada(None)).access
    db.refresh(first)
    assert first.end_reason == EndReason.EXPIRED
    assert first.ended_at == NOON + timedelta(minutes=30)
    assert second.id != first.id


def test_parallel_sign_ins_of_one_client_are_one_session(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
    barrier = threading.Barrier(8)
    results: list[int] = []

    def rush() -> None:
        barrier.wait()
        with make_session.begin() as db:
            results.append(enter(db, town.pierre_bayle).access.id)

    threads = [threading.Thread(target=rush) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len(set(results)) == 1
    with make_session() as db:
        assert len(db.scalars(select(Lease)).all()) == 1


def test_parallel_sign_ins_on_many_devices_never_pass_the_limit(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        town = build_town(db)
    barrier = threading.Barrier(6)

    def rush(number: int) -> None:
        barrier.wait()
        with make_session.begin() as db:
            enter(db, town.pierre_bayle, f"02:00:00:00:0c:{number:02x}")

    threads = [threading.Thread(target=rush, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert len(open_sessions(db)) == 2
