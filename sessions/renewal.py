"""A further lease for a session that is open: claimed from its old deadline, so that it happens once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from gateways.types import Client
from sessions import leases, policy
from sessions.models import AccessSession
from sessions.sightings import see
from sites.limits import site_closing
from sites.models import Gateway


def renew(
    db: Session,
    access: AccessSession,
    *,
    gateway: Gateway,
    client: Client,
    now: datetime,
    is_present: bool = True,
) -> int | None:
    """Renew `access` at `gateway`; the new lease's id.

    None where it ended, another request was quicker, or the gateway cannot extend a lease that still runs.

    `is_present`: the client has asked for it. Without that nothing is written of having seen it.

    The claim names the deadline it was decided on: however many requests run at once, one of them extends it.
    """
    old = access.until
    if now < old and not gateway.capabilities.extends:
        return None
    closing = site_closing(gateway, now)
    terms = policy.LeaseBounds(
        gateway.lease_length, access.entitlement.until, closing, gateway.lease_step, gateway.lease_reach
    )
    until = policy.renewed_until(terms, now=now, until=old)
    if until <= old:
        return None
    claimed = db.scalars(
        update(AccessSession)
        .where(AccessSession.id == access.id, AccessSession.ended_at.is_(None), AccessSession.until == old)
        .values(until=until, last_seen_at=now if is_present else AccessSession.last_seen_at)
        .returning(AccessSession.id)
        .execution_options(synchronize_session="fetch")
    ).first()
    if claimed is None:
        return None
    if is_present:
        see(db, gateway_id=gateway.id, client=client, now=now)
    starts_at = max(now, old)
    return leases.grant(
        db, access=access, gateway=gateway, client=client, starts_at=starts_at, until=until, now=now
    )
