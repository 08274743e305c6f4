"""Accounting reports of gateways: bytes, packets, leases held. Times are those of receipt."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Executable, ScalarSelect, bindparam, cast, func, select
from sqlalchemy.orm import Session

from db.each import for_list
from db.prepared import Prepared
from db.statements import Insert, for_either, table_of
from gateways.faults import CODE, Fault, read_faults
from gateways.types import Client, IpAddress, MacAddress, parse_mac
from sessions import counters, leases, roaming, sightings
from sessions.gateway_health import mismatches, outages
from sessions.models import CounterEpoch, Lease, Usage
from sites.models import Gateway

# More than sixty petabytes pass through no gateway of ours: there is room for the sum of many counters.
MOST_COUNTED = 2**56


class Counters(NamedTuple):
    """The counters of one access session at one gateway, cumulative within the report's epoch."""

    number: int
    bytes_up: int
    bytes_down: int
    packets_up: int
    packets_down: int
    idle_seconds: float
    addresses: tuple[IpAddress, ...]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """One interim update of a gateway. Its clock is only measured, never believed."""

    epoch: str
    sequence: int
    clock: float
    counts: tuple[Counters, ...]
    held: tuple[int, ...]
    refused: dict[str, int]
    # The width of its counters: those of 32 bits begin again at zero after four gigabytes.
    counter_bits: int = 64
    # What it says is wrong with it. None: an agent that knows no faults, and proves nothing.
    faults: tuple[Fault, ...] | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """The usage of one access session over all its gateways."""

    bytes_up: int
    bytes_down: int
    packets_up: int
    packets_down: int


def record(db: Session, *, gateway: Gateway, report: UsageReport, now: datetime) -> None:
    """Take in a report.

    Counters add up whatever the order of reports. What a report says of the moment counts only where it is newer than
    all before it in the same life of the gateway: one that is doubled or late, or a whole day of them once more,
    changes nothing.
    """
    is_news = _advance(db, gateway.id, report, now=now)
    counts = {count.number: count for count in report.counts}
    macs = _ours(db, gateway.id, list(counts))
    known = [counts[number] for number in sorted(macs)]
    source = counters.CounterSource(gateway.id, report.epoch, report.sequence, report.counter_bits)
    counters.grow(db, source, [_row(count) for count in known], now=now)
    if not is_news:
        return
    counters.touch(db, {count.number: now - timedelta(seconds=count.idle_seconds) for count in known})
    _note_addresses(db, gateway, macs, known, now=now)
    idle = {count.number: timedelta(seconds=count.idle_seconds) for count in known}
    roaming.settle(db, gateway=gateway, idle=idle, now=now)
    mismatches.note(db, gateway_id=gateway.id, held=frozenset(report.held), now=now)
    # Last: everybody else takes the sessions first and the gateway's row after them.
    outages.hear(db, gateway_id=gateway.id, now=now, health=_health(report, now=now))


def usage(db: Session, access_id: int) -> Total:
    """The usage of this access session so far."""
    row = _USAGE.first(db, access=access_id)
    assert row is not None
    return Total(*map(int, row))


def sum_of(name: str, access_id: ColumnElement[int]) -> ScalarSelect[int]:
    """One of `counters.COUNTERS` in `usage` of an access session, as part of a statement."""
    total = cast(func.coalesce(func.sum(_usage.c[name]), 0), BigInteger)
    return select(total).where(_usage.c.access_id == access_id).scalar_subquery()


def read_report(body: dict[str, Any]) -> UsageReport:
    """Read the JSON of a report. Raises ValueError, KeyError or TypeError where it is not one."""
    return UsageReport(
        epoch=_text(body["epoch"], 64),
        sequence=whole(body["sequence"]),
        clock=float(body["now"]),
        counts=tuple(_count(entry) for entry in body["clients"]),
        held=tuple(whole(number) for number in body["held"]),
        refused={_reason(name): whole(value) for name, value in body["refused"].items()},
        counter_bits=_width(body.get("counter_bits", 64)),
        faults=read_faults(body["faults"]) if "faults" in body else None,
    )


def read_clients(body: dict[str, Any]) -> list[Client]:
    """Read the JSON of arrivals. Raises ValueError, KeyError or TypeError where it is not one."""
    return [
        Client(
            parse_mac(entry["client"]),
            tuple(map(_address, entry["addresses"])),
        )
        for entry in body["clients"]
    ]


# A report has the addresses of the one before.
_address = lru_cache(maxsize=16_384)(ipaddress.ip_address)
_COUNTERS = (Usage.bytes_up, Usage.bytes_down, Usage.packets_up, Usage.packets_down)


def _count(entry: dict[str, Any]) -> Counters:
    return Counters(
        whole(entry["number"]),
        whole(entry["bytes_up"], below=MOST_COUNTED),
        whole(entry["bytes_down"], below=MOST_COUNTED),
        whole(entry["packets_up"], below=MOST_COUNTED),
        whole(entry["packets_down"], below=MOST_COUNTED),
        max(0.0, float(entry["idle_seconds"])),
        tuple(map(_address, entry["addresses"])),
    )


def whole(value: Any, *, below: int = 2**63) -> int:
    """A number that fits the database, 0 or more. Raises ValueError or TypeError where it is none."""
    number = value if type(value) is int else _whole(value)
    if 0 <= number < below:
        return number
    raise ValueError(f"{number} is not a counter")


def _whole(value: Any) -> int:
    if isinstance(value, float):
        raise ValueError(f"{value} is not a whole number")
    return int(value)


def _width(value: Any) -> int:
    if value not in (32, 64):
        raise ValueError(f"{value!r} is no width of a counter: 32 or 64")
    return int(value)


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise ValueError("not a short text")
    return value


def _reason(value: Any) -> str:
    if not isinstance(value, str) or not CODE.fullmatch(value):
        raise ValueError("not the name of a reason")
    return value


def _ours(db: Session, gateway_id: int, numbers: list[int]) -> dict[int, str]:
    """Which of the numbers have a lease at this gateway, with the client's MAC: no gateway counts for another's."""
    return dict(_OURS.all(db, gateway=gateway_id, numbers=numbers))


def _ours_among(numbers: Any) -> Executable:
    ours = select(_leases.c.access_id, _leases.c.mac).where(
        _leases.c.gateway_id == bindparam("gateway"),
        _leases.c.access_id.in_(numbers),
    )
    return ours.distinct()


def _note_addresses(
    db: Session, gateway: Gateway, macs: dict[int, str], counts: list[Counters], *, now: datetime
) -> None:
    """Addresses under which the gateway lets clients pass; one that is new becomes part of the grant."""
    clients = [
        sightings.within(gateway, Client(MacAddress(macs[count.number]), count.addresses)) for count in counts
    ]
    news = sightings.confirm_all(db, gateway_id=gateway.id, clients=clients, now=now)
    leases.restate(db, gateway_id=gateway.id, macs=news, now=now)


def _advance(db: Session, gateway_id: int, report: UsageReport, *, now: datetime) -> bool:
    """Whether this report is newer than all before it in its life of the gateway. Two at once take turns here."""
    values = {"gateway": gateway_id, "life": report.epoch, "told": report.sequence, "at": now}
    return _ADVANCE.first(db, **values) is not None


def _advance_statement(insert: Insert) -> Executable:
    fresh = insert(_lives).values(
        gateway_id=bindparam("gateway"),
        epoch=bindparam("life"),
        sequence=bindparam("told"),
        began_at=bindparam("at"),
    )
    advanced: Executable = fresh.on_conflict_do_update(
        index_elements=[_lives.c.gateway_id, _lives.c.epoch],
        set_={"sequence": fresh.excluded.sequence},
        where=_lives.c.sequence < fresh.excluded.sequence,
    ).returning(_lives.c.sequence)
    return advanced


def _row(count: Counters) -> tuple[int, int, int, int, int]:
    return count.number, count.bytes_up, count.bytes_down, count.packets_up, count.packets_down


def _health(report: UsageReport, *, now: datetime) -> dict[str, Any]:
    return {
        "epoch": report.epoch,
        "sequence": report.sequence,
        "clock_offset": round(report.clock - now.timestamp(), 3),
        "held": len(report.held),
        "refused": report.refused,
        "faults": None if report.faults is None else [asdict(fault) for fault in report.faults],
    }


_lives, _leases, _usage = table_of(CounterEpoch), table_of(Lease), table_of(Usage)
_ADVANCE = Prepared(for_either(_advance_statement))
_OURS = Prepared(for_list(_ours_among, "numbers", BigInteger()))
_USAGE = Prepared(
    select(*(func.coalesce(func.sum(column), 0) for column in _COUNTERS)).where(
        Usage.access_id == bindparam("access")
    )
)
