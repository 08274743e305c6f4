"""The state of every gateway as plain values, for the page, the command line and the metrics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, Select, case, func, select
from sqlalchemy.orm import Session

from gateways.kinds import Learning
from gateways.registry import kinds
from sessions.gateway_health.distance import Distance, measure
from sessions.models import Lease, Mismatch, MismatchKind, Outage, Remedy
from sites.checks import GatewayCheck, GatewayState, check, verdict
from sites.models import Feed, Gateway

# One report may cross a change on its way; two in a row do not.
LASTING_REPORTS = 2
DAY, MONTH = timedelta(days=1), timedelta(days=30)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StaleSessions:
    """Sessions closed by evidence: in the last day, in the last thirty, ever."""

    day: int = 0
    month: int = 0
    ever: int = 0


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """One gateway. `unconfirmed_since` is the age of the oldest change that it has not confirmed.

    `missing` and `surplus` count clients on whom its last reports and the leases do not agree, `distance` what it has
    not confirmed. `silent_since` is the
    beginning of the outage that lasts. `refused` are packets by reason, since its rules were loaded.
    """

    id: int
    check: GatewayCheck
    verdict: GatewayState
    unconfirmed_since: timedelta | None
    missing: int
    surplus: int
    zombies: StaleSessions
    sent_again: int
    silent_since: datetime | None
    distance: Distance = field(default_factory=Distance)
    refused: dict[str, int] = field(default_factory=dict)


def look(db: Session, *, now: datetime, networks: Collection[str] = ()) -> Sequence[GatewayHealth]:
    """Every gateway of these networks (slugs; none named: all), in order of identity."""
    rows = {gateway.identity: gateway for gateway in db.scalars(select(Gateway))}
    drifts = _by_gateway(db, _DRIFTS, lambda row: (row.missing, row.surplus))
    zombies = _by_gateway(
        db, _zombies(now), lambda row: (StaleSessions(row.day, row.month, row.ever), row.sent_again)
    )
    silent = _by_gateway(db, _SILENT, lambda row: row.since)
    waiting = _by_gateway(db, _WAITING, lambda row: row.since)
    distances = measure(db, now=now)
    found = []
    for one in check(db, now=now):
        gateway = rows[one.identity]
        if networks and one.network not in networks:
            continue
        missing, surplus = drifts.get(gateway.id, (0, 0))
        closed, sent_again = zombies.get(gateway.id, (StaleSessions(), 0))
        distance = distances.get(gateway.id, Distance())
        one, since = _waiting(one, distance, waiting.get(gateway.id))
        drifting = one.verdict is GatewayState.WELL and bool(missing or surplus)
        found.append(
            GatewayHealth(
                id=gateway.id,
                check=one,
                verdict=GatewayState.DRIFTING if drifting else one.verdict,
                unconfirmed_since=None if since is None else max(timedelta(0), now - since),
                missing=missing,
                surplus=surplus,
                zombies=closed,
                sent_again=sent_again,
                silent_since=silent.get(gateway.id),
                distance=distance,
                refused=_refused(gateway),
            )
        )
    return found


def _waiting(
    one: GatewayCheck, distance: Distance, since: datetime | None
) -> tuple[GatewayCheck, datetime | None]:
    """The check with the changes that wait for this gateway, and since when.

    Where neither a line nor a call of ours brings a change there, what a guest has left undone would count for ever:
    a version is not confirmed until nothing waits. There the leases are counted, and what only a guest's browser
    can bring is no fault of the gateway.
    """
    learns = kinds()[one.kind].capabilities.learns if one.kind in kinds() else None
    if learns not in (Learning.PULLED, Learning.CARRIED):
        return one, since
    is_carried = learns is Learning.CARRIED
    lag = distance.ending + distance.refused_ends + (0 if is_carried else distance.waiting)
    begun = [distance.ending_since, None if is_carried else distance.waiting_since]
    found = verdict(one.kind, one.silence, one.faults, lag, one.clock_offset)
    return replace(one, lag=lag, verdict=found), min(filter(None, begun), default=None)


def _by_gateway(db: Session, statement: Any, value: Callable[[Row[Any]], T]) -> dict[int, T]:
    return {row.gateway_id: value(row) for row in db.execute(statement)}


def _refused(gateway: Gateway) -> dict[str, int]:
    counts = (gateway.health or {}).get("refused")
    return {str(reason): int(count) for reason, count in counts.items()} if isinstance(counts, dict) else {}


def _zombies(now: datetime) -> Select[Any]:
    closed = Mismatch.remedy == Remedy.CLOSED

    def since(at: datetime) -> Any:
        return func.coalesce(func.sum(case((closed & (Mismatch.settled_at > at), 1), else_=0)), 0)

    return (
        select(
            Mismatch.gateway_id,
            since(now - DAY).label("day"),
            since(now - MONTH).label("month"),
            func.sum(case((closed, 1), else_=0)).label("ever"),
            func.sum(case((closed, 0), else_=1)).label("sent_again"),
        )
        .where(Mismatch.settled_at.is_not(None))
        .group_by(Mismatch.gateway_id)
    )


def _of(kind: MismatchKind) -> Any:
    return func.sum(case((Mismatch.kind == kind, 1), else_=0))


_DRIFTS = (
    select(
        Mismatch.gateway_id,
        _of(MismatchKind.MISSING).label("missing"),
        _of(MismatchKind.SURPLUS).label("surplus"),
    )
    .where(Mismatch.settled_at.is_(None), Mismatch.reports >= LASTING_REPORTS)
    .group_by(Mismatch.gateway_id)
)
_SILENT = select(Outage.gateway_id, Outage.since).where(Outage.until.is_(None))
# What changed last at a lease says when: it was written, or taken back.
_WAITING = (
    select(Lease.gateway_id, func.min(func.coalesce(Lease.released_at, Lease.created_at)).label("since"))
    .join(Feed, Feed.gateway_id == Lease.gateway_id)
    .where(Lease.version > Feed.confirmed_version)
    .group_by(Lease.gateway_id)
)
