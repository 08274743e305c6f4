"""The sums are right whatever happens to the reports: doubled, late, lost, wrapped, begun again, sent once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.base import Base
from sessions import accounting, roaming
from sessions import end as ending
from sessions.accounting import read_report
from sessions.models import AccessSession, EndReason, Usage
from sites.models import Gateway
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.sessions.traffic_day import Day, Sent, spoil, truth_of
from tests.town import Town, build_town

SEEDS = range(3)
TOLD = ("usage", "access_sessions", "leases", "sightings", "gateways", "gateway_lives", "drifts", "outages")


def online(db: Session, town: Town, count: int = 4) -> list[int]:
    return [
        enter(db, town.station, f"02:00:00:00:0c:{n:02x}", f"10.66.0.{n + 10}").id
        for n in range(1, count + 1)
    ]


def deliver(db: Session, gateway: Gateway, arrived: Sequence[Sent], *, begin: int = 0) -> None:
    for minute, each in enumerate(arrived, begin):
        at = NOON + timedelta(seconds=10 * minute)
        accounting.record(db, gateway=gateway, report=read_report(each.body), now=at)


def counted(db: Session, numbers: Sequence[int]) -> dict[int, tuple[int, int]]:
    totals = {number: accounting.usage(db, number) for number in numbers}
    return {number: (total.bytes_up, total.bytes_down) for number, total in totals.items()}


def everything(db: Session) -> dict[str, list[Any]]:
    db.flush()
    tables = (Base.metadata.tables[name] for name in TOLD)
    return {table.name: sorted(map(repr, db.execute(select(table)))) for table in tables}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_byte_told_is_counted_once_however_reports_arrive(db: Session, seed: int) -> None:
    """Restarts of the gateway; a fifth doubled, a tenth lost, the whole day in any order."""
    town = build_town(db)
    numbers, rng = online(db, town), Random(seed)
    arrived = spoil(Day(numbers, rng, most=10**12).reports(30), rng, window=30)
    deliver(db, town.station, arrived)
    highest: dict[tuple[int, str], tuple[int, int]] = {}
    for each in arrived:
        for number, (_, up, down) in each.truth.items():
            before = highest.get((number, each.epoch), (0, 0))
            highest[number, each.epoch] = max(before[0], up), max(before[1], down)
    expected = {
        number: tuple(sum(each[way] for (n, _), each in highest.items() if n == number) for way in (0, 1))
        for number in numbers
    }
    assert counted(db, numbers) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_counters_of_32_bits_wrap_and_lose_nothing(db: Session, seed: int) -> None:
    town = build_town(db)
    numbers, rng = online(db, town), Random(seed)
    sent = Day(numbers, rng, bits=32, most=300_000_000).reports(40)
    arrived = spoil(sent, rng, window=2)
    deliver(db, town.station, arrived)
    assert counted(db, numbers) == truth_of(arrived)
    assert max(down for _, down in counted(db, numbers).values()) > 2**32


@pytest.mark.parametrize("seed", SEEDS)
def test_counters_that_begin_anew_within_an_epoch_are_added(db: Session, seed: int) -> None:
    """The kernel forgets a counter after a day without a packet: bytes go down, and the epoch stays."""
    town = build_town(db)
    numbers, rng = online(db, town), Random(seed)
    sent = Day(numbers, rng, begin_anew=0.1).reports(30)
    arrived = spoil(sent, rng, window=4)
    assert any(turn for each in arrived for turn, _, _ in each.truth.values())
    deliver(db, town.station, arrived)
    assert counted(db, numbers) == truth_of(arrived)


def test_a_whole_day_sent_once_more_changes_nothing(db: Session) -> None:
    town = build_town(db)
    numbers, rng = online(db, town), Random(4)
    arrived = spoil(Day(numbers, rng, begin_anew=0.05).reports(25), rng, window=5)
    deliver(db, town.station, arrived)
    before = everything(db)
    deliver(db, town.station, arrived, begin=1000)
    rng.shuffle(arrived)
    deliver(db, town.station, arrived, begin=2000)
    assert everything(db) == before


def test_bytes_after_the_end_count_and_reopen_nothing(db: Session) -> None:
    town = build_town(db)
    [number, *_] = online(db, town)
    sent = Day([number], Random(5), restart=0).reports(6)
    deliver(db, town.station, sent[:3])
    end = NOON + timedelta(seconds=25)
    ending.end(db, number, reason=EndReason.LEFT, now=end)
    deliver(db, town.station, sent[3:], begin=3)
    access = db.get_one(AccessSession, number, populate_existing=True)
    assert (access.ended_at, access.end_reason) == (end, EndReason.LEFT)
    assert access.last_seen_at <= end
    assert counted(db, [number]) == truth_of(sent)


def test_a_gateway_speaks_for_its_own_clients_alone(db: Session) -> None:
    town = build_town(db)
    [number, stranger, *_] = online(db, town)
    elsewhere = enter(db, town.battant, "02:00:00:00:0d:01", "10.67.0.9").id
    sent = Day([number], Random(6), strangers=(elsewhere, 4711)).reports(5)
    deliver(db, town.station, sent)
    assert set(db.scalars(select(Usage.access_id))) == {number}
    assert counted(db, [stranger]) == {stranger: (0, 0)}


def test_two_gateways_of_one_walk_are_added(db: Session) -> None:
    town = build_town(db)
    [number, *_] = online(db, town)
    access = db.get_one(AccessSession, number)
    roaming.arrive(
        db,
        gateway=town.battant,
        clients=accounting.read_clients({"clients": [{"client": access.mac, "addresses": ["10.67.0.8"]}]}),
        now=NOON,
    )
    here, there = (Day([number], Random(seed), restart=0).reports(3) for seed in (7, 8))
    deliver(db, town.station, here)
    deliver(db, town.battant, there)
    expected = [here[-1].truth[number], there[-1].truth[number]]
    assert counted(db, [number])[number] == tuple(sum(each[way] for each in expected) for way in (1, 2))


def test_a_number_that_a_report_names_twice_counts_once(db: Session) -> None:
    town = build_town(db)
    [number, *_] = online(db, town)
    [sent] = Day([number], Random(9), restart=0).reports(1)
    sent.body["clients"] *= 2
    deliver(db, town.station, [sent])
    assert counted(db, [number]) == truth_of([sent])


def test_a_clock_that_is_wrong_is_measured_and_moves_nothing(db: Session) -> None:
    town = build_town(db)
    [number, *_] = online(db, town)
    [sent] = Day([number], Random(10), restart=0).reports(1)
    sent.body["now"], sent.body["clients"][0]["idle_seconds"] = NOON.timestamp() - 86400, 3
    deliver(db, town.station, [sent], begin=1)
    db.refresh(town.station)
    assert town.station.health["clock_offset"] == -86410.0
    assert db.get_one(AccessSession, number, populate_existing=True).last_seen_at == NOON + timedelta(
        seconds=7
    )
