"""What a gateway has said of the leases of an access session: that its kernel holds them, or why it refuses one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, select
from sqlalchemy.orm import Session

from db.prepared import Prepared
from db.statements import table_of
from sessions.models import Lease


@dataclass(frozen=True, slots=True)
class LastLease:
    """The newest lease of a session at a gateway, and why the gateway refuses it; empty where it does not."""

    id: int
    refused: str


def last_lease(db: Session, *, access_id: int, gateway_id: int) -> LastLease | None:
    row = db.execute(
        select(Lease.id, Lease.refused)
        .where(Lease.access_id == access_id, Lease.gateway_id == gateway_id)
        .order_by(Lease.id.desc())
        .limit(1)
    ).first()
    return None if row is None else LastLease(row.id, row.refused or "")


def confirmed_until(access_id: ColumnElement[int]) -> ScalarSelect[datetime | None]:
    """The end of the longest running lease of this session that the gateway has confirmed; NULL where it has confirmed
    none. While a renewal is on its way, that is the end before the renewal. Values are `gateway` and `at`.
    """
    return (
        select(func.max(_leases.c.until))
        .where(*_here(access_id), _leases.c.confirmed_at.is_not(None), _leases.c.until > bindparam("at"))
        .scalar_subquery()
    )


def is_last_confirmed(access_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the gateway `gateway` has confirmed that its kernel holds this session's last lease there, as part of a
    statement.
    """
    last = select(_leases.c.confirmed_at).where(*_here(access_id)).order_by(_leases.c.until.desc()).limit(1)
    return last.scalar_subquery().is_not(None)


def has_running_lease(db: Session, *, access_id: int, gateway_id: int, now: datetime) -> bool:
    """Whether the session has a running lease at this gateway, confirmed or not."""
    return _RUNNING.first(db, access=access_id, gateway=gateway_id, at=now) is not None


def count_unconfirmed(db: Session, *, now: datetime) -> int:
    """How many running leases no gateway has confirmed yet."""
    waiting = select(func.count(Lease.id)).where(
        Lease.until > now, Lease.released_at.is_(None), Lease.confirmed_at.is_(None)
    )
    return db.scalar(waiting) or 0


def _here(access_id: ColumnElement[int]) -> tuple[ColumnElement[bool], ...]:
    return (
        _leases.c.access_id == access_id,
        _leases.c.gateway_id == bindparam("gateway"),
        _leases.c.released_at.is_(None),
    )


# Asked at each request of a guest who is online.
_leases = table_of(Lease)
_HERE = _here(bindparam("access"))
_RUNNING = Prepared(select(_leases.c.id).where(*_HERE, _leases.c.until > bindparam("at")).limit(1))
