"""Accounting by RADIUS: the books are right whatever becomes of the packets."""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from db.engine import SessionMaker
from gateways.radius.accounting import Counter, Counters, Record, Status
from gateways.types import MacAddress, parse_mac
from sessions import accounting, nas_sessions, start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, ClientObservation, Lease, NasSession
from sessions.nas_counters import advanced
from sites.models import Gateway, SigninMethod
from tests.clock import NOON
from tests.sessions.nas_traffic import INTERIM_SECONDS, day
from tests.town import ADA_PHONE, BO_PHONE, build_town, make_client

FIVE = timedelta(minutes=5)
MAC = MacAddress(ADA_PHONE)


def enter(db: Session, gateway: Gateway, mac: str = ADA_PHONE, address: str = "10.66.0.5") -> AccessSession:
    gateway.network.lease_seconds = 86_400
    arrival = Arrival(gateway, make_client(mac, address), Acceptance("1", "fr", ""))
    allowance = Allowance(mac, SigninMethod.FREE, None, 1)
    return start.open_access(db, arrival, allowance=allowance, now=NOON).access


def record(status: Status, seconds: int, down: int = 0, **fields: Any) -> Record:
    values: dict[str, Any] = {
        "nas": "box",
        "session_id": "0001",
        "mac": MAC,
        "seconds": seconds,
        "at": NOON + timedelta(seconds=seconds),
        "counters": None if status is Status.START else Counters(Counter(down // 50), Counter(down)),
    }
    return Record(status=status, **{**values, **fields})


def take(db: Session, gateway: Gateway, told: Record, *, late: float = 0) -> nas_sessions.Taken:
    """Take in a record that came `late` seconds after it happened."""
    now = NOON + timedelta(seconds=(told.seconds or 0) + late)
    return nas_sessions.take(db, gateway=gateway, record=told, interim_seconds=300, now=now)


def rows(db: Session) -> list[NasSession]:
    """As they are now, whatever this session had read before."""
    found = select(NasSession).order_by(NasSession.id).execution_options(populate_existing=True)
    return list(db.scalars(found))


def test_start_interim_and_stop_are_one_row_and_count_once(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    number = {"number": access.id}
    take(db, town.station, record(Status.START, 0, **number))
    take(db, town.station, record(Status.INTERIM, 300, 5_000, **number))
    assert accounting.usage(db, access.id).bytes_down == 5_000
    take(db, town.station, record(Status.STOP, 400, 7_000, cause="Idle-Timeout", **number))
    [row] = rows(db)
    assert (row.access_id, row.bytes_down, row.seconds) == (access.id, 7_000, 400)
    assert (row.stopped_at, row.stop_cause) == (NOON + timedelta(seconds=400), "Idle-Timeout")
    assert accounting.usage(db, access.id).bytes_down == 7_000
    db.refresh(access)
    assert access.last_seen_at == NOON + timedelta(seconds=400)


def test_a_seeded_day_comes_out_as_it_was(db: Session) -> None:
    """A fifth of the packets comes twice, a tenth never, all late and in another order; ids are used again."""
    town = build_town(db)
    macs = [parse_mac(f"02:00:00:00:01:{index:02x}") for index in range(12)]
    numbers = {
        mac: enter(db, town.station, mac, f"10.66.0.{20 + index}").id for index, mac in enumerate(macs)
    }
    made = day(20261128, macs)
    assert len(made.packets) > 500
    play(db, town.station, made.packets)
    heard = [one for one in made.sessions if one.age >= 0]
    assert any(one.is_cut for one in heard) and any(one.bytes_down > 2**32 for one in heard)
    found = {(row.nas, row.mac, row.acct_session_id, row.life): row for row in rows(db)}
    assert len(found) == len(heard)
    lives: dict[tuple[str, str], int] = {}
    for one in sorted(heard, key=lambda each: each.began):
        life = lives[one.nas, one.mac] = lives.get((one.nas, one.mac), 0) + 1
        row = next(
            row
            for row in found.values()
            if (row.nas, row.mac) == (one.nas, one.mac) and nth(found, row) == life
        )
        assert (row.bytes_down, row.seconds, row.is_stop_told) == (one.bytes_down, one.age, one.is_stop_told)
        assert row.stopped_at is not None
        assert abs(row.stopped_at - one.began - timedelta(seconds=one.age)) < timedelta(seconds=101)
        assert row.stop_cause == ("User-Request" if one.is_stop_told else nas_sessions.LOST)
    for mac, number in numbers.items():
        counted = sum(one.bytes_down for one in heard if one.mac == mac)
        assert accounting.usage(db, number).bytes_down == counted
    # The whole day once more changes nothing.
    before = [(row.id, row.bytes_down, row.stopped_at) for row in rows(db)]
    end = made.packets[-1].came
    for packet in made.packets:
        told = packet.record
        nas_sessions.take(db, gateway=town.station, record=told, interim_seconds=INTERIM_SECONDS, now=end)
    assert [(row.id, row.bytes_down, row.stopped_at) for row in rows(db)] == before


def play(db: Session, gateway: Gateway, packets: list[Any]) -> None:
    """Have the packets arrive, and the sweep go round every minute."""
    swept = NOON
    for packet in packets:
        while swept < packet.came:
            nas_sessions.close_lost(db, now=swept)
            swept += timedelta(minutes=1)
        nas_sessions.take(
            db, gateway=gateway, record=packet.record, interim_seconds=INTERIM_SECONDS, now=packet.came
        )
    nas_sessions.close_lost(db, now=swept + timedelta(hours=1))


def nth(found: dict[Any, NasSession], row: NasSession) -> int:
    """Which of the sessions of this client at this box it is, by when they began."""
    same = [one for one in found.values() if (one.nas, one.mac) == (row.nas, row.mac)]
    return sorted(same, key=lambda one: one.started_at).index(row) + 1


def test_a_stop_that_comes_first_says_it_all(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    take(db, town.station, record(Status.STOP, 400, 7_000))
    take(db, town.station, record(Status.START, 0), late=430)
    take(db, town.station, record(Status.INTERIM, 300, 5_000), late=150)
    [row] = rows(db)
    assert (row.access_id, row.bytes_down, row.started_at) == (access.id, 7_000, NOON)
    assert row.stopped_at == NOON + timedelta(seconds=400)


def test_an_interim_after_the_stop_opens_nothing(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    take(db, town.station, record(Status.STOP, 400, 7_000))
    assert not take(db, town.station, record(Status.INTERIM, 600, 9_000)).is_news
    [row] = rows(db)
    assert (row.stopped_at, row.bytes_down) == (NOON + timedelta(seconds=400), 7_000)


def test_a_lost_stop_is_closed_as_of_the_last_interim(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    take(db, town.station, record(Status.INTERIM, 300, 5_000))
    patience = timedelta(seconds=300 + 2 * 300 + 60)
    assert nas_sessions.close_lost(db, now=NOON + patience - timedelta(seconds=1)) == 0
    assert nas_sessions.close_lost(db, now=NOON + patience) == 1
    [row] = rows(db)
    assert (row.stopped_at, row.stop_cause) == (NOON + timedelta(seconds=300), nas_sessions.LOST)
    # It was the uplink: the box goes on, and its Stop has the last word.
    take(db, town.station, record(Status.INTERIM, 1800, 6_000))
    [row] = rows(db)
    assert row.stopped_at is None
    take(db, town.station, record(Status.STOP, 1900, 6_100, cause="User-Request"))
    [row] = rows(db)
    assert (row.stopped_at, row.stop_cause) == (NOON + timedelta(seconds=1900), "User-Request")


def test_a_restart_closes_what_its_own_box_had_open_before(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    enter(db, town.station, BO_PHONE, "10.66.0.6")
    take(db, town.station, record(Status.INTERIM, 300, 5_000))
    take(db, town.station, record(Status.INTERIM, 300, 5_000, nas="other", session_id="0002"))
    closed = record(Status.STOP, 200, 1_000, session_id="0003")
    take(db, town.station, closed)
    on = Record(status=Status.RESTART, nas="box", at=NOON + 2 * FIVE)
    nas_sessions.take(db, gateway=town.station, record=on, interim_seconds=300, now=NOON + 2 * FIVE)
    later = record(Status.START, 0, session_id="0004", mac=parse_mac(BO_PHONE), at=NOON + 3 * FIVE)
    nas_sessions.take(db, gateway=town.station, record=later, interim_seconds=300, now=NOON + 3 * FIVE)
    # Once more, and late.
    nas_sessions.take(db, gateway=town.station, record=on, interim_seconds=300, now=NOON + 4 * FIVE)
    stops = {row.acct_session_id: (row.stopped_at, row.stop_cause) for row in rows(db)}
    assert stops == {
        "0001": (NOON + FIVE, nas_sessions.RESTARTED),
        "0002": (None, ""),
        "0003": (NOON + timedelta(seconds=200), ""),
        "0004": (None, ""),
    }


@pytest.mark.parametrize("has_clock", [True, False], ids=["clock", "no-clock"])
def test_an_id_that_is_used_again_is_another_session(db: Session, has_clock: bool) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    first = record(Status.INTERIM, 300, 5_000)
    take(db, town.station, first if has_clock else replace(first, at=None))
    again = NOON + timedelta(minutes=20)
    for seconds, down in ((0, 0), (300, 2_000), (600, 3_000)):
        status = Status.INTERIM if seconds else Status.START
        told = record(status, seconds, down, at=again + timedelta(seconds=seconds))
        if not has_clock:
            told = replace(told, at=None)
        now = again + timedelta(seconds=seconds)
        nas_sessions.take(db, gateway=town.station, record=told, interim_seconds=300, now=now)
    assert [row.bytes_down for row in rows(db)] == [5_000, 3_000]
    assert accounting.usage(db, access.id).bytes_down == 8_000


def test_a_clock_that_is_set_while_a_session_runs_makes_no_second_one(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    since_1970 = record(Status.INTERIM, 300, 5_000)
    take(db, town.station, replace(since_1970, at=since_1970.at and since_1970.at.replace(year=1970)))
    take(db, town.station, record(Status.INTERIM, 600, 6_000))
    take(db, town.station, record(Status.STOP, 900, 8_000, at=NOON - timedelta(days=3)))
    [row] = rows(db)
    assert row.bytes_down == 8_000 and row.is_stop_told
    assert accounting.usage(db, access.id).bytes_down == 8_000


def test_a_delay_that_the_box_tells_is_taken_off(db: Session) -> None:
    town = build_town(db)
    enter(db, town.station)
    take(db, town.station, record(Status.STOP, 400, 7_000, delay=1000, at=None), late=1000)
    assert rows(db)[0].stopped_at == NOON + timedelta(seconds=400)


@pytest.mark.parametrize(
    ("last", "counter", "grown"),
    [
        (4_200_000_000, Counter(100_000_000), 2**32 - 4_100_000_000),
        (2**32 + 10, Counter(20), 10),
        (2**32 + 4_200_000_000, Counter(100_000_000), 2**32 - 4_100_000_000),
        # With the upper bits, less is less: it has begun again.
        (2**32 + 5, Counter(2**32 + 3, True), 2**32 + 3),
        (1_000_000, Counter(400_000), 400_000),
        (0, Counter(3_000_000_000), 3_000_000_000),
        (3_000, Counter(2**33, True), 2**33 - 3_000),
    ],
)
def test_counters_go_round_or_begin_again(last: int, counter: Counter, grown: int) -> None:
    assert advanced(last, counter)[0] == grown


def test_bytes_that_go_down_are_counted_from_nothing(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    for seconds, down in ((300, 5_000_000), (600, 1_000), (900, 3_000)):
        take(db, town.station, record(Status.INTERIM, seconds, down))
    assert accounting.usage(db, access.id).bytes_down == 5_003_000


def test_no_gateway_counts_for_anothers_client(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    for told in (record(Status.INTERIM, 300, 5_000, number=access.id), record(Status.INTERIM, 300, 5_000)):
        take(db, town.battant, told)
    assert accounting.usage(db, access.id).bytes_down == 0
    assert [row.access_id for row in rows(db)] == [None]


def test_whoever_is_gone_may_come_back_until_the_end(db: Session) -> None:
    """Its lease stays, and waits for the gateway's word again; a newer session of the box speaks for it."""
    town = build_town(db)
    access = enter(db, town.station)
    confirm(db, access)
    take(db, town.station, record(Status.INTERIM, 300, 5_000))
    second = record(Status.START, 0, session_id="0002", at=NOON + FIVE)
    nas_sessions.take(db, gateway=town.station, record=second, interim_seconds=300, now=NOON + FIVE)
    take(db, town.station, record(Status.STOP, 310, 5_000))
    assert lease_of(db, access).confirmed_at == NOON
    stop = record(Status.STOP, 60, 100, session_id="0002", at=NOON + FIVE + timedelta(seconds=60))
    now = NOON + FIVE + timedelta(seconds=60)
    nas_sessions.take(db, gateway=town.station, record=stop, interim_seconds=300, now=now)
    assert lease_of(db, access).confirmed_at is None
    db.refresh(access)
    assert access.ended_at is None
    third = record(Status.START, 0, session_id="0003", at=now + FIVE)
    taken = nas_sessions.take(db, gateway=town.station, record=third, interim_seconds=300, now=now + FIVE)
    assert taken.passing == (access.id,)


def test_a_stop_of_before_takes_back_nothing_that_was_confirmed_since(db: Session) -> None:
    """The device has signed in again at once, and its first session's Stop was held up."""
    town = build_town(db)
    access = enter(db, town.station)
    take(db, town.station, record(Status.INTERIM, 200, 3_000))
    lease_of(db, access).confirmed_at = NOON + 2 * FIVE
    db.flush()
    take(db, town.station, record(Status.STOP, 300, 5_000), late=600)
    assert lease_of(db, access).confirmed_at == NOON + 2 * FIVE


def test_packets_that_come_at_once_are_one_session(make_session: SessionMaker) -> None:
    """FreeRADIUS asks by several threads, and the portal answers by several processes."""
    with make_session.begin() as db:
        town = build_town(db)
        access_id = enter(db, town.station).id
    together = threading.Barrier(6)

    def come(number: int) -> None:
        told = record(Status.INTERIM, 300 * (number // 2), 1_000 * (number // 2))
        together.wait()
        with make_session.begin() as db:
            gateway = db.get_one(Gateway, town.station.id)
            nas_sessions.take(
                db, gateway=gateway, record=told, interim_seconds=300, now=NOON + timedelta(seconds=900)
            )

    threads = [threading.Thread(target=come, args=(number,)) for number in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with make_session() as db:
        assert [row.bytes_down for row in rows(db)] == [3_000]
        assert accounting.usage(db, access_id).bytes_down == 3_000


def test_the_address_that_the_box_tells_is_remembered(db: Session) -> None:
    """As the device's own where it is one of the box's: no box speaks for addresses of others."""
    town = build_town(db)
    enter(db, town.station)
    take(db, town.station, record(Status.START, 0, address=ipaddress.ip_address("10.66.0.77")))
    assert rows(db)[0].framed_address == "10.66.0.77"
    take(db, town.station, record(Status.INTERIM, 300, 5_000, address=ipaddress.ip_address("192.0.2.7")))
    assert rows(db)[0].framed_address == "192.0.2.7"
    seen = db.scalars(select(ClientObservation.address).where(ClientObservation.mac == ADA_PHONE)).all()
    assert "10.66.0.77" in seen and "192.0.2.7" not in seen


def test_sessions_are_forgotten_after_their_end(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    take(db, town.station, record(Status.STOP, 400, 7_000))
    nas_sessions.forget(db, before=NOON + timedelta(seconds=400))
    assert len(rows(db)) == 1
    nas_sessions.forget(db, before=NOON + timedelta(seconds=401))
    assert rows(db) == []
    assert accounting.usage(db, access.id).bytes_down == 7_000


def confirm(db: Session, access: AccessSession) -> None:
    lease_of(db, access).confirmed_at = NOON
    db.flush()


def lease_of(db: Session, access: AccessSession) -> Lease:
    found = db.scalars(select(Lease).where(Lease.access_id == access.id)).one()
    db.refresh(found)
    return found
