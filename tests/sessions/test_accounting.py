"""What gateways report, and walking from site to site."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions import accounting, feed
from sessions.accounting import Total, read_clients, read_report
from sessions.models import Usage
from tests.clock import NOON
from tests.sessions.test_feed import enter
from tests.town import ADA_PHONE, build_town

LATER = NOON + timedelta(minutes=5)


def body(number: int, up: int, down: int, **fields: Any) -> dict[str, Any]:
    count = {
        "number": number,
        "bytes_up": up,
        "bytes_down": down,
        "packets_up": up // 100,
        "packets_down": down // 100,
        "idle_seconds": 0,
        "addresses": ["10.66.0.5"],
    }
    document = {
        "epoch": "one",
        "sequence": 1,
        "now": NOON.timestamp(),
        "clients": [count],
        "held": [number],
        "refused": {},
    }
    return {**document, **fields}


def report(db: Session, town: Any, document: dict[str, Any], gateway: Any = None, now=LATER) -> None:
    accounting.record(db, gateway=gateway or town.station, report=read_report(document), now=now)


def test_it_counts_what_the_gateway_counted(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    report(db, town, body(access.id, 1_000, 90_000))
    assert accounting.usage(db, access.id) == Total(1_000, 90_000, 10, 900)


def test_a_doubled_or_late_report_changes_nothing(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    for sequence, up, down in (
        (1, 1_000, 90_000),
        (3, 2_000, 95_000),
        (3, 2_000, 95_000),
        (2, 1_500, 91_000),
        (1, 1_000, 90_000),
    ):
        report(db, town, body(access.id, up, down, sequence=sequence))
    assert accounting.usage(db, access.id) == Total(2_000, 95_000, 20, 950)


def test_counters_that_began_again_are_added(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    report(db, town, body(access.id, 1_000, 90_000))
    report(db, town, body(access.id, 500, 100, epoch="two"))
    assert accounting.usage(db, access.id) == Total(1_500, 90_100, 15, 901)


def test_more_than_four_gigabytes_count(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    report(db, town, body(access.id, 2**33, 2**40))
    assert accounting.usage(db, access.id).bytes_down == 2**40


def test_no_gateway_counts_for_anothers_client(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    report(db, town, body(access.id, 1_000, 90_000), town.battant)
    report(db, town, body(4711, 1_000, 90_000))
    assert accounting.usage(db, access.id) == Total(0, 0, 0, 0)


def test_last_seen_is_by_the_portals_clock_less_the_silence(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    document = body(access.id, 1, 1, now=0.0)
    document["clients"][0]["idle_seconds"] = 60
    report(db, town, document)
    db.refresh(access)
    db.refresh(town.station)
    assert access.last_seen_at == LATER - timedelta(seconds=60)
    assert town.station.seen_at == LATER
    assert town.station.health["clock_offset"] == -LATER.timestamp()


def test_new_addresses_of_a_client_are_remembered_and_granted(db: Session) -> None:
    town = build_town(db)
    access = enter(db, town.station)
    document = body(access.id, 1, 1)
    document["clients"][0]["addresses"] = ["10.66.0.5", "fd66::5"]
    report(db, town, document)
    [grant] = feed.read(db, gateway_id=town.station.id, since=0, now=LATER).grants
    assert ipaddress.ip_address("fd66::5") in grant.client.addresses


@pytest.mark.parametrize(
    "wrong",
    [
        {"epoch": ""},
        {"epoch": 5},
        {"clients": [{}]},
        {"refused": []},
        {"held": ["x"]},
        {"sequence": None},
        {"now": "x"},
        {"held": [2**63]},
        {"sequence": float("inf")},
        {"counter_bits": 33},
        {"faults": "disk"},
        {"faults": [{"detail": "no code"}]},
        {"faults": [{"code": "Disk"}]},
        {"faults": [{"code": "x" * 33}]},
        {"faults": [{"code": "disk", "detail": "x" * 101}]},
        {"faults": [{"code": "disk", "detail": "<b>\n"}]},
        {"faults": [{"code": "disk", "detail": "plein à ras"}]},
        {"faults": [{"code": "disk", "detail": 7}]},
        {"faults": [{"code": "disk"}] * 33},
        {"refused": {"<script>": 1}},
    ],
)
def test_a_report_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError, TypeError, AttributeError)):
        read_report({**body(1, 1, 1), **wrong})


def test_a_counter_that_cannot_be_is_refused() -> None:
    for value in (-1, 2**56, 2**63):
        with pytest.raises(ValueError, match="counter"):
            read_report(body(1, value, 1))


def test_arrivals_are_read_in_any_notation() -> None:
    [client] = read_clients({"clients": [{"client": "02-00-00-00-0A-01", "addresses": ["10.66.0.5"]}]})
    assert client.mac == ADA_PHONE


def test_it_keeps_the_fastest_stretch_between_two_reports(db: Session) -> None:
    """Ten seconds for 25 MB are 20 Mbit/s; what comes in a bunch after a delay says nothing."""
    town = build_town(db)
    access = enter(db, town.station)
    megabyte = 1_000_000
    answer = ((0, 0), (10, 25), (20, 30), (21, 40), (31, 40), (41, 15))
    for sequence, (seconds, down) in enumerate(answer, 1):
        at = LATER + timedelta(seconds=seconds)
        report(db, town, body(access.id, 0, down * megabyte, sequence=sequence), now=at)
    assert db.scalars(select(Usage.best_down_kbps)).one() == pytest.approx(20_000, abs=1)
