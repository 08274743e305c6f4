"""Mismatches between a gateway's report and the leases, and for how many reports each has lasted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import table_of
from sessions.end import GATEWAY_SILENT
from sessions.models import Lease, Mismatch, MismatchKind, Remedy
from sites.models import Feed

# A report may have been on its way while a change was confirmed, and a kernel's clock is not ours.
GRACE = timedelta(seconds=10)


class LeaseState(NamedTuple):
    """One lease of a gateway, as far as the comparison goes."""

    number: int
    starts_at: datetime
    until: datetime
    confirmed_at: datetime | None
    released_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Numbers whose lease the gateway should let pass and does not, and numbers that it lets pass without one."""

    missing: frozenset[int]
    surplus: frozenset[int]


def compare(
    leases: Iterable[LeaseState], held: frozenset[int], *, confirmed_version: int, now: datetime
) -> Difference:
    """The mismatches, without what is just changing or not yet confirmed. Pure."""
    expected: set[int] = set()
    excused: set[int] = set()
    for lease in leases:
        if _is_excused(lease, confirmed_version, now):
            excused.add(lease.number)
        if _is_expected(lease, confirmed_version, now):
            expected.add(lease.number)
    return Difference(frozenset(expected - held), frozenset(held - excused))


def _is_expected(lease: LeaseState, confirmed_version: int, now: datetime) -> bool:
    return (
        lease.released_at is None
        and lease.confirmed_at is not None
        and lease.version <= confirmed_version
        and lease.confirmed_at <= now - GRACE
        and lease.starts_at <= now
        and lease.until > now + GRACE
    )


def _is_excused(lease: LeaseState, confirmed_version: int, now: datetime) -> bool:
    released = lease.released_at
    return released is None or released > now - GRACE or lease.version > confirmed_version


def note(db: Session, *, gateway_id: int, held: frozenset[int], now: datetime) -> None:
    """Compare a report with the leases, and keep the evidence of what does not fit from report to report."""
    confirmed = _CONFIRMED.scalar(db, gateway=gateway_id) or 0
    leases = map(LeaseState._make, _TOLD.all(db, gateway=gateway_id, since=now - GRACE))
    difference = compare(leases, held, confirmed_version=confirmed, now=now)
    current = {(number, MismatchKind.MISSING) for number in difference.missing}
    current |= {(number, MismatchKind.SURPLUS) for number in difference.surplus}
    if not current and _ANY_UNSETTLED.first(db, gateway=gateway_id) is None:
        return
    known = {
        (row.number, row.kind): row
        for row in db.scalars(_UNSETTLED, {"gateway": gateway_id}, execution_options=_FRESH)
    }
    for key, row in known.items():
        if key in current:
            _confirm(row, now)
        elif row.version is None:
            db.delete(row)
        elif row.version <= confirmed:
            # It was notified again, and complied.
            row.settled_at, row.remedy = now, Remedy.TOLD_AGAIN
    new = [
        {"gateway_id": gateway_id, "number": number, "kind": kind, "since": now, "last_at": now, "reports": 1}
        for number, kind in sorted(current - known.keys())
    ]
    db.flush()
    if new:
        db.execute(insert(_drifts), new)


def _confirm(row: Mismatch, now: datetime) -> None:
    """The same once more; after a silence the count begins anew."""
    if now - row.last_at >= GATEWAY_SILENT:
        row.since, row.reports = now, 0
    row.reports, row.last_at = row.reports + 1, now


_drifts, _leases, _feeds = table_of(Mismatch), table_of(Lease), table_of(Feed)
_CONFIRMED = Prepared(select(_feeds.c.confirmed_version).where(_feeds.c.gateway_id == bindparam("gateway")))
_TOLD = Prepared(
    select(
        _leases.c.access_id,
        _leases.c.starts_at,
        _leases.c.until,
        _leases.c.confirmed_at,
        _leases.c.released_at,
        _leases.c.version,
    ).where(_leases.c.gateway_id == bindparam("gateway"), _leases.c.until > bindparam("since"))
)
_unsettled = _drifts.c.gateway_id == bindparam("gateway"), _drifts.c.settled_at.is_(None)
_UNSETTLED = select(Mismatch).where(*_unsettled)
# Nearly always there is none.
_ANY_UNSETTLED = Prepared(select(_drifts.c.id).where(*_unsettled).limit(1))
_FRESH = {"populate_existing": True}
