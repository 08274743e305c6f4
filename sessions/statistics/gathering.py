"""Compute the figures of one day from the rows of the log. Read-only."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sessions.log.denials import SIGNIN_STEPS
from sessions.models import AccessSession, Decision, EndReason, Lease, Usage
from sessions.statistics import definitions
from sessions.statistics.calendar import Span, hours_of
from sessions.statistics.definitions import Stay
from sessions.statistics.service import Basis, Pair, expected_seconds, outage_seconds
from sites.models import Gateway, SigninMethod

# No stay is longer: a pass of a month, and a day.
LONGEST_STAY = timedelta(days=32)
# Cameras and tablets of the town are no visitors: no figure counts them.
_is_guest = AccessSession.method != SigninMethod.MANAGED


@dataclass(slots=True)
class Gathered:
    """What the rows say of one pair and day. `visits` holds the device of each visit that began: an address, which goes
    into a sketch and is forgotten."""

    basis: Basis
    stays: list[Stay] = field(default_factory=list)
    began: list[datetime] = field(default_factory=list)
    methods: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    visits: list[str] = field(default_factory=list)
    reattached: int = 0
    random_address: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    outage_seconds: int = 0
    rates: list[int] = field(default_factory=lambda: [0] * len(definitions.RATE_CLASSES))


def gather(db: Session, day: date, bases: Mapping[Pair, Basis]) -> dict[Pair, Gathered]:
    """Everything that the rows say of this day, for these pairs."""
    found = {pair: Gathered(basis) for pair, basis in bases.items()}
    if found:
        _gather_stays(db, day, found)
        _gather_usage(db, day, found)
        _gather_failures(db, day, found)
        for pair, seconds in outage_seconds(db, dict(bases), day).items():
            found[pair].outage_seconds = seconds
    return found


def figures_of(gathered: Gathered, day: date) -> dict[str, Any]:
    """The columns of `DayFigures` that follow from the rows, without the devices."""
    span, stays = gathered.basis.span(day), gathered.stays
    by_hour: list[list[int]] = [[0] * 24, [0] * 24]
    for hour, part in hours_of(day, gathered.basis.zone):
        by_hour[0][hour] += sum(part.start <= at < part.end for at in gathered.began)
        by_hour[1][hour] += sum(stay.seconds_in(part.start, part.end) for stay in stays)
    return {
        "basis": gathered.basis.write(),
        "sessions": len(gathered.began),
        "reattached": gathered.reattached,
        "random_address": gathered.random_address,
        "visits": len(gathered.visits),
        "connected_seconds": sum(stay.seconds_in(span.start, span.end) for stay in stays),
        "bytes_up": gathered.bytes_up,
        "bytes_down": gathered.bytes_down,
        "expected_seconds": expected_seconds(gathered.basis, day),
        "outage_seconds": gathered.outage_seconds,
        "methods": dict(sorted(gathered.methods.items())),
        "failures": dict(sorted(gathered.failures.items())),
        "hour_sessions": by_hour[0],
        "hour_seconds": by_hour[1],
        "at_once": definitions.at_once(stays, start=span.start, end=span.end),
        "rates": gathered.rates,
    }


def _window(found: Iterable[Gathered], day: date) -> Span:
    spans = [gathered.basis.span(day) for gathered in found]
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _gather_stays(db: Session, day: date, found: dict[Pair, Gathered]) -> None:
    """Confirmed leases, session by session, made into stays."""
    window = _window(found.values(), day)
    rows = db.execute(
        select(
            AccessSession.id,
            AccessSession.network_id,
            AccessSession.method,
            AccessSession.previous_id,
            AccessSession.end_reason,
            func.coalesce(AccessSession.ended_at, AccessSession.until, type_=AccessSession.until.type).label(
                "end"
            ),
            Lease.site_id,
            Lease.mac,
            Lease.created_at,
        )
        .join(Lease, Lease.access_id == AccessSession.id)
        .where(
            AccessSession.started_at >= window.start - LONGEST_STAY,
            AccessSession.started_at < window.end,
            _is_guest,
            func.coalesce(AccessSession.ended_at, AccessSession.until) > window.start - definitions.VISIT_GAP,
            Lease.confirmed_at.is_not(None),
        )
        .order_by(AccessSession.id, Lease.created_at, Lease.id)
    )
    devices: dict[int, str] = {}
    moved: set[int] = set()
    own: list[Any]
    for access_id, leases in itertools.groupby(rows, key=lambda row: row.id):
        own = list(leases)
        first = own[0]
        # A device that goes on under a new address is the same visitor.
        before = first.previous_id in moved
        devices[access_id] = devices[first.previous_id] if before else first.mac
        if first.end_reason is EndReason.MOVED:
            moved.add(access_id)
        stays = list(_stays(own, devices[access_id]))
        _count_session(found, day, first, stays[0][1].start)
        for pair, stay in stays:
            _count_stay(found, day, pair, stay)
    for gathered in found.values():
        span = gathered.basis.span(day)
        gathered.visits = definitions.visits(gathered.stays, start=span.start, end=span.end)


def _stays(leases: list[Any], device: str) -> Iterator[tuple[Pair, Stay]]:
    """The stretches at one site after the other. A renewal there begins no new one."""
    at_sites = [list(own) for _, own in itertools.groupby(leases, key=lambda lease: lease.site_id)]
    starts = [own[0].created_at for own in at_sites]
    ends = [*starts[1:], leases[0].end]
    for own, start, end in zip(at_sites, starts, ends, strict=True):
        yield (own[0].network_id, own[0].site_id), Stay(device, start, max(start, min(end, leases[0].end)))


def _count_session(found: dict[Pair, Gathered], day: date, lease: Any, began: datetime) -> None:
    gathered = found.get((lease.network_id, lease.site_id))
    if gathered is None or not _holds(gathered, day, began):
        return
    gathered.began.append(began)
    gathered.methods[lease.method.value] += 1
    gathered.reattached += lease.previous_id is not None
    gathered.random_address += definitions.is_random(lease.mac)


def _count_stay(found: dict[Pair, Gathered], day: date, pair: Pair, stay: Stay) -> None:
    gathered = found.get(pair)
    if gathered is None:
        return
    span = gathered.basis.span(day)
    if stay.start < span.end and stay.end > span.start - definitions.VISIT_GAP:
        gathered.stays.append(stay)


def _gather_usage(db: Session, day: date, found: dict[Pair, Gathered]) -> None:
    window = _window(found.values(), day)
    rows = db.execute(
        select(
            AccessSession.network_id,
            Gateway.site_id,
            AccessSession.ended_at,
            func.sum(Usage.bytes_up).label("up"),
            func.sum(Usage.bytes_down).label("down"),
            func.max(Usage.best_down_kbps).label("best"),
        )
        .join(Usage, Usage.access_id == AccessSession.id)
        .join(Gateway, Gateway.id == Usage.gateway_id)
        .where(
            AccessSession.started_at >= window.start - LONGEST_STAY,
            AccessSession.started_at < window.end,
            _is_guest,
            AccessSession.ended_at >= window.start,
            AccessSession.ended_at < window.end,
        )
        .group_by(AccessSession.id, AccessSession.network_id, Gateway.site_id, AccessSession.ended_at)
    )
    for network_id, site_id, ended_at, up, down, best in rows:
        gathered = found.get((network_id, site_id))
        if gathered is None or ended_at is None or not _holds(gathered, day, ended_at):
            continue
        gathered.bytes_up += int(up)
        gathered.bytes_down += int(down)
        if int(down) >= definitions.LEAST_BYTES_FOR_A_RATE and best is not None:
            gathered.rates[definitions.rate_class(best)] += 1


def _gather_failures(db: Session, day: date, found: dict[Pair, Gathered]) -> None:
    by_span: defaultdict[Span, set[Pair]] = defaultdict(set)
    for pair, gathered in found.items():
        by_span[gathered.basis.span(day)].add(pair)
    for span, pairs in by_span.items():
        rows = db.execute(
            select(Decision.network_id, Decision.site_id, Decision.rule, func.count())
            .where(Decision.at >= span.start, Decision.at < span.end, Decision.step.in_(sorted(SIGNIN_STEPS)))
            .group_by(Decision.network_id, Decision.site_id, Decision.rule)
        )
        for network_id, site_id, rule, count in rows:
            if network_id is not None and site_id is not None and (network_id, site_id) in pairs:
                found[network_id, site_id].failures[rule] += count


def _holds(gathered: Gathered, day: date, at: datetime) -> bool:
    span = gathered.basis.span(day)
    return span.start <= at < span.end
