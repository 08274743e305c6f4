"""Lasting mismatches: the gateway is notified once more; a session that it still does not hold is stale, and ended.

Nothing is closed for being old: only by report after report of a gateway that speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from sessions import end, leases
from sessions.models import AccessSession, EndReason, Lease, Mismatch, MismatchKind, Remedy
from sites.models import Feed

TELL_AFTER_REPORTS = 2
CLOSE_AFTER_REPORTS = 5
CLOSE_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Settled:
    """What one round did: sessions closed, and clients for which a gateway was notified again."""

    closed: int
    sent_again: int


def settle(db: Session, *, now: datetime, most: int = 500) -> Settled:
    """Do one round. Harmless to run twice, or in two places."""
    return Settled(_close(db, now=now, most=most), _tell_again(db, now=now, most=most))


def _close(db: Session, *, now: datetime, most: int) -> int:
    """End the sessions that a gateway does not hold although it confirmed the repeated notification."""
    lasting = (
        select(Mismatch.id, Mismatch.number)
        .join(Feed, Feed.gateway_id == Mismatch.gateway_id)
        .join(AccessSession, AccessSession.id == Mismatch.number)
        .where(
            Mismatch.settled_at.is_(None),
            Mismatch.kind == MismatchKind.MISSING,
            Mismatch.reports >= CLOSE_AFTER_REPORTS,
            Mismatch.since <= now - CLOSE_AFTER,
            Mismatch.last_at > now - end.GATEWAY_SILENT,
            Mismatch.version <= Feed.confirmed_version,
            # Of somebody who walked on, the gateway before may have let go.
            AccessSession.gateway_id == Mismatch.gateway_id,
            ~_passes_elsewhere,
        )
        .order_by(Mismatch.number)
        .limit(most)
    )
    closed = [
        drift_id
        for drift_id, number in db.execute(lasting, {"at": now}).all()
        if end.end(db, number, reason=EndReason.GATEWAY_LOST, now=now)
    ]
    db.execute(
        update(Mismatch)
        .where(Mismatch.id.in_(closed))
        .values(settled_at=now, remedy=Remedy.CLOSED)
        .execution_options(synchronize_session=False)
    )
    return len(closed)


def _tell_again(db: Session, *, now: datetime, most: int) -> int:
    """Give these clients' state to their gateways once more: their lease, or that they have none."""
    untold = db.scalars(
        select(Mismatch)
        .where(
            Mismatch.settled_at.is_(None),
            Mismatch.version.is_(None),
            Mismatch.reports >= TELL_AFTER_REPORTS,
            Mismatch.last_at > now - end.GATEWAY_SILENT,
        )
        .order_by(Mismatch.gateway_id, Mismatch.id)
        .limit(most)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()
    for gateway_id in sorted({drift.gateway_id for drift in untold}):
        _tell(db, gateway_id, [drift for drift in untold if drift.gateway_id == gateway_id])
    db.flush()
    return len(untold)


def _tell(db: Session, gateway_id: int, drifts: Sequence[Mismatch]) -> None:
    version = leases.next_feed_version(db, gateway_id)
    for drift in drifts:
        drift.version = version
    _restate(db, gateway_id, (drift.number for drift in drifts), version)


_missing, _lease = aliased(Mismatch), aliased(Lease)
# No gateway speaks for another: one that lets the client pass still has the session.
_passes_elsewhere = exists().where(
    _lease.access_id == AccessSession.id,
    _lease.gateway_id != Mismatch.gateway_id,
    _lease.released_at.is_(None),
    _lease.until > bindparam("at"),
    ~exists().where(
        _missing.number == AccessSession.id,
        _missing.gateway_id == _lease.gateway_id,
        _missing.kind == MismatchKind.MISSING,
        _missing.settled_at.is_(None),
    ),
)


def _restate(db: Session, gateway_id: int, numbers: Iterable[int], version: int) -> None:
    """The feed tells whoever has a changed lease; of a number without any, the drift itself is the change."""
    db.execute(
        update(Lease)
        .where(
            Lease.gateway_id == gateway_id, Lease.access_id.in_(list(numbers)), Lease.released_at.is_(None)
        )
        .values(version=version)
        .execution_options(synchronize_session=False)
    )
