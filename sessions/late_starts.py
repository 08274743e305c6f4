"""Stays at gateways that keep whole steps of time and hear of a guest some seconds late: the time begins when they do.

Otherwise thirty minutes that are offered a second later would be twenty-nine there, and the page would say thirty.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sessions.models import AccessSession, Lease
from sites.limits import site_closing
from sites.models import Gateway, SigninMethod

# Who waits for longer, or comes back later, has begun: a restart of the gateway gives nobody more time.
LATEST = timedelta(minutes=1)


def end_if_let_in(db: Session, access_id: int, *, gateway: Gateway, now: datetime) -> datetime | None:
    """Until when the client passes if the gateway lets it in now: whole steps from now. None where it has no lease.

    A stay that has just begun has its full length, within what its entitlement and the site's closing allow: the time
    that its lease keeps for the gateway to learn of it (`policy.in_steps`) is not needed any more.
    """
    row = _last(db, access_id, gateway, now)
    if row is None:
        return None
    access, lease = row
    until = lease.until
    if access.previous_id is None and lease.until == access.until and now - lease.created_at <= LATEST:
        until = min(_ends(access, gateway, now))
    return now + (until - now) // gateway.lease_step * gateway.lease_step


def begin(db: Session, access_id: int, *, gateway: Gateway, length: timedelta, now: datetime) -> None:
    """The gateway has let the client in for `length`: the lease says that end, and the session that ends with it."""
    row = _last(db, access_id, gateway, now)
    if row is None:
        return
    access, lease = row
    until, granted = min([now + length, *_ends(access, gateway, now)]), lease.until
    unlooked = {"synchronize_session": False}
    db.execute(
        update(Lease)
        .where(Lease.id == lease.id, Lease.until == granted)
        .values(until=until)
        .execution_options(**unlooked)
    )
    db.execute(
        update(AccessSession)
        .where(AccessSession.id == access_id, AccessSession.until == granted)
        .values(until=until)
        .execution_options(**unlooked)
    )


def _last(db: Session, access_id: int, gateway: Gateway, now: datetime) -> tuple[AccessSession, Lease] | None:
    found = db.execute(
        select(AccessSession, Lease)
        .join(Lease, Lease.access_id == AccessSession.id)
        .where(
            AccessSession.id == access_id,
            AccessSession.ended_at.is_(None),
            Lease.gateway_id == gateway.id,
            Lease.released_at.is_(None),
            Lease.until > now,
        )
        .order_by(Lease.until.desc())
        .limit(1)
    ).first()
    return None if found is None else (found[0], found[1])


def _ends(access: AccessSession, gateway: Gateway, now: datetime) -> list[datetime]:
    """What ends a stay that begins now: a pass its own end alone, everybody else the network and the closing too."""
    own = access.entitlement.until
    if access.method is SigninMethod.MANAGED:
        return [access.until]
    if access.method is SigninMethod.PASS and own is not None:
        return [own]
    ends = [now + gateway.lease_length, own, site_closing(gateway, now)]
    return [end for end in ends if end is not None]
