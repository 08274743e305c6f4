"""A further lease for a session that is open: claimed from its old deadline, so that it happens once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, update
from sqlalchemy.orm import Session

from db.base import UtcDateTime
from db.prepared import Prepared, Reply
from db.statements import table_of
from gateways.types import Client
from sessions import leases, policy
from sessions.models import AccessSession
from sessions.present import Present
from sessions.sightings import see
from sites.limits import site_closing
from sites.models import Gateway


def renew(
    db: Session,
    present: Present,
    *,
    gateway: Gateway,
    client: Client,
    now: datetime,
    is_present: bool = True,
) -> Reply | None:
    """Renew this session at `gateway`; the new lease's id, when it is asked.

    None where it ended, another request was quicker, or the gateway cannot extend a lease that still runs.

    `is_present`: the client has asked for it. Without that nothing is written of having seen it.

    The claim names the deadline it was decided on: however many requests run at once, one of them extends it.
    """
    old = present.until
    if now < old and not gateway.capabilities.extends:
        return None
    closing = site_closing(gateway, now)
    terms = policy.LeaseBounds(
        gateway.lease_length, present.entitlement_until, closing, gateway.lease_step, gateway.lease_reach
    )
    until = policy.renewed_until(terms, now=now, until=old)
    if until <= old:
        return None
    if not _EXTEND.run(db, access=present.id, old=old, new=until, seen=now if is_present else None):
        return None
    if is_present:
        see(db, gateway_id=gateway.id, client=client, now=now)
    starts_at = max(now, old)
    return leases.write(
        db,
        access_id=present.id,
        own_rates=present,
        gateway=gateway,
        client=client,
        starts_at=starts_at,
        until=until,
        now=now,
    )


_accesses = table_of(AccessSession)
_EXTEND = Prepared(
    update(_accesses)
    .where(
        _accesses.c.id == bindparam("access"),
        _accesses.c.ended_at.is_(None),
        _accesses.c.until == bindparam("old"),
    )
    .values(
        until=bindparam("new"),
        last_seen_at=func.coalesce(bindparam("seen", type_=UtcDateTime()), _accesses.c.last_seen_at),
    )
)
