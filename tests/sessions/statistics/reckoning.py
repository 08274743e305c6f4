"""The figures of stays as `sessions.statistics.definitions` has them: row by row, to compare the database with."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions.models import AccessSession, EndReason, Lease, Usage
from sessions.statistics import definitions
from sessions.statistics.calendar import hours_of, span_of
from sessions.statistics.definitions import Stay
from sessions.statistics.service import Pair
from sites.models import Gateway, SigninMethod

ZONE = "Europe/Paris"


@dataclass
class Told:
    """What the rows say of one network at one site."""

    stays: list[Stay] = field(default_factory=list)
    first: list[tuple[AccessSession, Lease]] = field(default_factory=list)
    ended: list[tuple[int, int, int]] = field(default_factory=list)


def figures(db: Session, day: date) -> dict[Pair, dict[str, Any]]:
    """The columns of `DayFigures` that the database counts, and the devices of the visits, for a town of one zone.

    A pair of which the rows say nothing has its zeros.
    """
    found: defaultdict[Pair, dict[str, Any]] = defaultdict(lambda: _figures(Told(), day))
    return found | {pair: _figures(told, day) for pair, told in _told(db, day).items()}


def _told(db: Session, day: date) -> dict[Pair, Told]:
    found: defaultdict[Pair, Told] = defaultdict(Told)
    span = span_of(day, ZONE)
    devices: dict[int, str] = {}
    reasons: dict[int, EndReason | None] = {}
    for access in db.scalars(select(AccessSession).order_by(AccessSession.id)):
        closes = access.ended_at or access.until
        leases = [lease for lease in _leases(db, access) if lease.confirmed_at is not None]
        is_within = access.started_at < span.end and closes > span.start - definitions.VISIT_GAP
        if access.method is SigninMethod.MANAGED or not is_within:
            continue
        if access.ended_at is not None and span.start <= access.ended_at < span.end:
            for site_id, used in _usage(db, access).items():
                found[access.network_id, site_id].ended.append(used)
        if not leases:
            continue
        moved = reasons.get(access.previous_id or 0) is EndReason.MOVED
        devices[access.id] = devices[access.previous_id or 0] if moved else leases[0].mac
        reasons[access.id] = access.end_reason
        first = found[access.network_id, leases[0].site_id]
        if span.start <= leases[0].created_at < span.end:
            first.first.append((access, leases[0]))
        for pair, stay in _stays(access, leases, closes, devices[access.id]):
            found[pair].stays.append(stay)
    return found


def _leases(db: Session, access: AccessSession) -> list[Lease]:
    own = select(Lease).where(Lease.access_id == access.id)
    return list(db.scalars(own.order_by(Lease.created_at, Lease.id)))


def _stays(
    access: AccessSession, leases: list[Lease], closes: datetime, device: str
) -> list[tuple[Pair, Stay]]:
    at_sites = [next(own) for _, own in itertools.groupby(leases, key=lambda lease: lease.site_id)]
    starts = [lease.created_at for lease in at_sites]
    ends = [*starts[1:], closes]
    return [
        ((access.network_id, lease.site_id), Stay(device, start, max(start, min(end, closes))))
        for lease, start, end in zip(at_sites, starts, ends, strict=True)
    ]


def _usage(db: Session, access: AccessSession) -> dict[int, tuple[int, int, int]]:
    rows = select(Gateway.site_id, Usage).join(Gateway, Gateway.id == Usage.gateway_id)
    found: dict[int, tuple[int, int, int]] = {}
    for site_id, row in db.execute(rows.where(Usage.access_id == access.id)):
        up, down, best = found.get(site_id, (0, 0, 0))
        found[site_id] = (up + row.bytes_up, down + row.bytes_down, max(best, row.best_down_kbps))
    return found


def _figures(told: Told, day: date) -> dict[str, Any]:
    span, stays = span_of(day, ZONE), told.stays
    hours: list[list[int]] = [[0] * 24, [0] * 24]
    for hour, part in hours_of(day, ZONE):
        hours[0][hour] += sum(part.start <= lease.created_at < part.end for _, lease in told.first)
        hours[1][hour] += sum(stay.seconds_in(part.start, part.end) for stay in stays)
    rates = [0] * len(definitions.RATE_CLASSES)
    for _, down, best in told.ended:
        rates[definitions.rate_class(best)] += down >= definitions.LEAST_BYTES_FOR_A_RATE
    visits = definitions.visits(stays, start=span.start, end=span.end)
    return {
        "sessions": len(told.first),
        "reattached": sum(access.previous_id is not None for access, _ in told.first),
        "random_address": sum(definitions.is_random(lease.mac) for _, lease in told.first),
        "visits": len(visits),
        "devices": Counter(visits),
        "connected_seconds": sum(stay.seconds_in(span.start, span.end) for stay in stays),
        "bytes_up": sum(up for up, _, _ in told.ended),
        "bytes_down": sum(down for _, down, _ in told.ended),
        "methods": dict(Counter(access.method.value for access, _ in told.first)),
        "hour_sessions": hours[0],
        "hour_seconds": hours[1],
        "at_once": definitions.at_once(stays, start=span.start, end=span.end),
        "rates": rates,
    }
