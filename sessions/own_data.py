"""The rows about a connection that its holder may have (GDPR article 15).

A MAC address alone proves nothing: what counts is the session that the device has now, and those that it took over.
A patron who signed in a moment ago has proven the account too, with all of its sessions.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from sessions.clients import SeenAccess
from sessions.models import AccessSession, Lease, Usage
from sites.models import SigninMethod

PROVEN_FOR = timedelta(minutes=15)


def sessions(db: Session, access: SeenAccess, *, now: datetime) -> list[AccessSession]:
    """The sessions that `access` proves, itself included, oldest first, each with its site and network."""
    return list(
        db.scalars(
            select(AccessSession)
            .where(AccessSession.id.in_(_proven(db, access, now)))
            .order_by(AccessSession.started_at)
            .options(joinedload(AccessSession.site), joinedload(AccessSession.network))
        )
    )


def leases(db: Session, access_id: int) -> list[Lease]:
    """The leases of one session, oldest first."""
    return list(db.scalars(select(Lease).where(Lease.access_id == access_id).order_by(Lease.id)))


def traffic(db: Session, access_ids: Collection[int]) -> list[Usage]:
    """The byte counters of these sessions."""
    return list(db.scalars(select(Usage).where(Usage.access_id.in_(access_ids))))


def _proven(db: Session, access: SeenAccess, now: datetime) -> list[int]:
    found, previous = [access.id], access.previous_id
    while previous is not None and previous not in found:
        before = db.get(AccessSession, previous)
        # A device that gave way to this one is another's business, unless it was the same one.
        if before is None or before.subject != access.subject:
            break
        found.append(before.id)
        previous = before.previous_id
    if access.method is SigninMethod.PATRON and now < access.started_at + PROVEN_FOR:
        mine = select(AccessSession.id).where(AccessSession.entitlement_id == access.entitlement_id)
        found += [one for one in db.scalars(mine) if one not in found]
    return found
