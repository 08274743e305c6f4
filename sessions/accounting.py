"""What gateways report: bytes, packets, who is held, who appeared. Server-received time is the truth."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, case, cast, delete, extract, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from gateways.ports import Client, IpAddress, MacAddress, parse_mac
from sessions import opening
from sessions.models import AccessSession, Lease, Sighting, Usage
from sites.models import Gateway

SHORTEST_STRETCH = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Count:
    """The counters of one access session at one gateway, cumulative within the report's epoch."""

    number: int
    bytes_up: int
    bytes_down: int
    packets_up: int
    packets_down: int
    idle_seconds: float
    addresses: tuple[IpAddress, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One interim update of a gateway. Its clock is only measured, never believed."""

    epoch: str
    sequence: int
    clock: float
    counts: tuple[Count, ...]
    held: tuple[int, ...]
    refused: dict[str, int]


@dataclass(frozen=True, slots=True)
class Total:
    """The usage of one access session over all its gateways."""

    bytes_up: int
    bytes_down: int
    packets_up: int
    packets_down: int


def record(db: Session, *, gateway: Gateway, report: Report, now: datetime) -> None:
    """Take in a report. Doubled and late ones change no counter."""
    known = _ours(db, gateway.id, [count.number for count in report.counts])
    counts = [count for count in report.counts if count.number in known]
    _grow(db, gateway.id, report.epoch, counts, now=now)
    for count in counts:
        _touch(db, gateway.id, count, known[count.number], now=now)
    db.execute(
        update(Gateway)
        .where(Gateway.id == gateway.id)
        .values(seen_at=now, health=_health(report, now=now))
        .execution_options(synchronize_session=False)
    )


def arrive(db: Session, *, gateway: Gateway, clients: list[Client], now: datetime) -> int:
    """Note where clients are, and let those go on who are online elsewhere on this network; how many did.

    This is how a phone walks from one site of a network to the next without signing in again.
    """
    if not clients:
        return 0
    for client in clients:
        if client.addresses:
            opening.see(db, gateway_id=gateway.id, client=client, now=now)
    online = db.scalars(
        select(AccessSession).where(
            AccessSession.network_id == gateway.network_id,
            AccessSession.mac.in_([client.mac for client in clients]),
            AccessSession.ended_at.is_(None),
            AccessSession.until > now,
        )
    ).all()
    here = _leased_here(db, gateway.id, [access.id for access in online], now=now)
    by_mac = {client.mac: client for client in clients if client.addresses}
    walked = 0
    for access in online:
        arrived = by_mac.get(MacAddress(access.mac))
        if arrived is None or access.id in here:
            continue
        opening.walk(db, access, gateway=gateway, client=arrived, now=now)
        walked += 1
    return walked


def usage(db: Session, access_id: int) -> Total:
    """What this access session has used so far."""
    sums = [func.coalesce(func.sum(column), 0) for column in _COUNTERS]
    row = db.execute(select(*sums).where(Usage.access_id == access_id)).one()
    return Total(*(int(value) for value in row))


def read_report(body: dict[str, Any]) -> Report:
    """Read the JSON of a report. Raises ValueError, KeyError or TypeError where it is not one."""
    return Report(
        epoch=_text(body["epoch"], 64),
        sequence=whole(body["sequence"]),
        clock=float(body["now"]),
        counts=tuple(_count(entry) for entry in body["clients"]),
        held=tuple(whole(number) for number in body["held"]),
        refused={_text(name, 32): whole(value) for name, value in body["refused"].items()},
    )


def read_clients(body: dict[str, Any]) -> list[Client]:
    """Read the JSON of arrivals. Raises ValueError, KeyError or TypeError where it is not one."""
    return [
        Client(
            parse_mac(entry["client"]),
            tuple(ipaddress.ip_address(address) for address in entry["addresses"]),
        )
        for entry in body["clients"]
    ]


_COUNTERS = (Usage.bytes_up, Usage.bytes_down, Usage.packets_up, Usage.packets_down)


def _count(entry: dict[str, Any]) -> Count:
    return Count(
        number=whole(entry["number"]),
        bytes_up=whole(entry["bytes_up"]),
        bytes_down=whole(entry["bytes_down"]),
        packets_up=whole(entry["packets_up"]),
        packets_down=whole(entry["packets_down"]),
        idle_seconds=max(0.0, float(entry["idle_seconds"])),
        addresses=tuple(ipaddress.ip_address(address) for address in entry["addresses"]),
    )


def whole(value: Any) -> int:
    """A number that fits the database, from 0 to 2**63 - 1. Raises ValueError or TypeError where it is none."""
    if isinstance(value, float):
        raise ValueError(f"{value} is not a whole number")
    number = int(value)
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is not a counter")
    return number


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise ValueError("not a short text")
    return value


def _ours(db: Session, gateway_id: int, numbers: list[int]) -> dict[int, str]:
    """Which of the numbers have a lease at this gateway, with the client's MAC: no gateway counts for another's."""
    rows = db.execute(
        select(Lease.access_id, Lease.mac)
        .where(Lease.gateway_id == gateway_id, Lease.access_id.in_(numbers))
        .distinct()
    )
    return {row.access_id: row.mac for row in rows}


def _grow(db: Session, gateway_id: int, epoch: str, counts: list[Count], *, now: datetime) -> None:
    if not counts:
        return
    postgres = db.get_bind().dialect.name == "postgresql"
    fresh = (postgresql.insert if postgres else sqlite.insert)(Usage)
    greater: Any = func.greatest if postgres else func.max
    names = [column.key for column in _COUNTERS]
    statement = fresh.on_conflict_do_update(
        index_elements=[Usage.access_id, Usage.gateway_id, Usage.epoch],
        set_={
            **{name: greater(getattr(Usage, name), fresh.excluded[name]) for name in names},
            "best_down_kbps": greater(Usage.best_down_kbps, _pace(fresh.excluded, is_postgres=postgres)),
            "updated_at": fresh.excluded.updated_at,
        },
    )
    rows = [
        {
            "access_id": count.number,
            "gateway_id": gateway_id,
            "epoch": epoch,
            "updated_at": now,
            **{name: getattr(count, name) for name in names},
        }
        for count in counts
    ]
    db.execute(statement, rows)


def _pace(fresh: Any, *, is_postgres: bool) -> ColumnElement[int]:
    """What a client took since the report before this one, in kbit/s by our own clock; 0 where that was just now.

    Reports that were held up on their way arrive in a bunch: the moment between two of them says nothing.
    """
    seconds: ColumnElement[Any] = (
        extract("epoch", fresh.updated_at - Usage.updated_at)
        if is_postgres
        else (func.julianday(fresh.updated_at) - func.julianday(Usage.updated_at)) * 86400.0
    )
    kbps = cast((fresh.bytes_down - Usage.bytes_down) / (125.0 * seconds), BigInteger)
    return case((seconds >= SHORTEST_STRETCH.total_seconds(), kbps), else_=0)


def _touch(db: Session, gateway_id: int, count: Count, mac: str, *, now: datetime) -> None:
    seen = now - timedelta(seconds=count.idle_seconds)
    db.execute(
        update(AccessSession)
        .where(AccessSession.id == count.number, AccessSession.last_seen_at < seen)
        .values(last_seen_at=seen)
        .execution_options(synchronize_session=False)
    )
    if count.addresses:
        opening.see(db, gateway_id=gateway_id, client=Client(MacAddress(mac), count.addresses), now=now)


def _leased_here(db: Session, gateway_id: int, access_ids: list[int], *, now: datetime) -> set[int]:
    return set(
        db.scalars(
            select(Lease.access_id).where(
                Lease.gateway_id == gateway_id,
                Lease.access_id.in_(access_ids),
                Lease.released_at.is_(None),
                Lease.until > now,
            )
        )
    )


def _health(report: Report, *, now: datetime) -> dict[str, Any]:
    return {
        "epoch": report.epoch,
        "sequence": report.sequence,
        "clock_offset": round(report.clock - now.timestamp(), 3),
        "held": len(report.held),
        "refused": report.refused,
    }


def forget_sightings(db: Session, *, before: datetime) -> int:
    """Drop the sightings older than `before`; how many."""
    return len(
        db.execute(delete(Sighting).where(Sighting.seen_at < before).returning(Sighting.address)).all()
    )
