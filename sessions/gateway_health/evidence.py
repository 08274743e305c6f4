"""What has ever come from a gateway, so that a set-up that is half done can be told from one that works."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sessions.models import ClientLanding, ClientObservation, Lease, Usage

# By then a gateway that reports traffic has reported some: RADIUS does so every few minutes.
ACCOUNTED_WITHIN = timedelta(minutes=15)
CONFIRMED_WITHIN = timedelta(minutes=2)
# Of how many stays, the newest ones, accounting is looked for.
STAYS = 20


@dataclass(frozen=True, slots=True)
class Evidence:
    """`has_landed`: a client came with this gateway's word. `is_refusing`: stays began there and it has confirmed none.
    `is_uncounted`: of its last stays that it had long enough, none has brought any traffic."""

    has_landed: bool
    is_refusing: bool
    is_uncounted: bool


def gather(db: Session, *, gateway_id: int, now: datetime) -> Evidence:
    """Look at the rows that this gateway has left behind."""
    leases = (
        select(Lease.access_id, Lease.created_at, Lease.confirmed_at)
        .where(Lease.gateway_id == gateway_id)
        .order_by(Lease.until.desc())
        .limit(STAYS)
    )
    last = db.execute(leases).all()
    old = [one for one in last if one.created_at <= now - CONFIRMED_WITHIN]
    counted = [
        one.access_id for one in last if one.confirmed_at and one.confirmed_at <= now - ACCOUNTED_WITHIN
    ]
    return Evidence(
        has_landed=bool(last) or _has_landed(db, gateway_id),
        is_refusing=bool(old) and not any(one.confirmed_at for one in last),
        is_uncounted=bool(counted) and not _is_counted(db, gateway_id, counted),
    )


def _has_landed(db: Session, gateway_id: int) -> bool:
    landed = exists().where(ClientLanding.gateway_id == gateway_id)
    seen = exists().where(ClientObservation.gateway_id == gateway_id)
    return bool(db.scalar(select(landed | seen)))


def _is_counted(db: Session, gateway_id: int, numbers: list[int]) -> bool:
    return bool(
        db.scalar(select(exists().where(Usage.access_id.in_(numbers), Usage.gateway_id == gateway_id)))
    )
