"""Crisis messages of the town: shown in the place of all others, and the access is free of waiting meanwhile.

Whoever comes reads the message and goes on with one tap. Whoever is online stays online: near its end a session is
extended by itself, as if somebody had accepted, for as long as the override lasts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, joinedload

from ads.errors import NoSuchOverride, WrongOverrideEnd
from ads.models import CivicOverride
from auth.audit import log
from auth.audit.actions import OVERRIDE_STARTED, OVERRIDE_STOPPED, ObjectKind
from auth.audit.actor import Actor
from gateways.types import Client, parse_mac
from sessions import policy, present, renewal
from sessions.models import AccessSession
from sites.models import Gateway, Network, SigninMethod, Site

LONGEST = timedelta(days=7)


def start(
    db: Session,
    texts: dict[str, dict[str, str]],
    *,
    sites: Sequence[str] = (),
    ends_at: datetime,
    actor: Actor,
    now: datetime,
) -> CivicOverride:
    """Show this message at these sites (none named: all) from now on. Raises `WrongOverrideEnd`."""
    if not now < ends_at <= now + LONGEST:
        raise WrongOverrideEnd
    override = CivicOverride(
        texts=texts, sites=list(sites), starts_at=now, ends_at=ends_at, started_by=actor.name
    )
    db.add(override)
    db.flush()
    detail = {"sites": tuple(sites), "ends_at": ends_at.isoformat()}
    log.append(
        db, OVERRIDE_STARTED, ObjectKind.OVERRIDE.named(override.id), actor=actor, now=now, detail=detail
    )
    return override


def stop(db: Session, override_id: int, *, actor: Actor, now: datetime) -> None:
    """End it before its time. Raises `NoSuchOverride` where it is over already."""
    stopped = db.scalars(
        update(CivicOverride)
        .where(
            CivicOverride.id == override_id, CivicOverride.stopped_at.is_(None), CivicOverride.ends_at > now
        )
        .values(stopped_at=now, stopped_by=actor.name)
        .returning(CivicOverride.id)
        .execution_options(synchronize_session="fetch")
    ).first()
    if stopped is None:
        raise NoSuchOverride
    log.append(db, OVERRIDE_STOPPED, ObjectKind.OVERRIDE.named(override_id), actor=actor, now=now)


def standing(db: Session, *, now: datetime) -> list[CivicOverride]:
    """Those that are shown somewhere now, the newest last."""
    found = select(CivicOverride).where(CivicOverride.stopped_at.is_(None), CivicOverride.ends_at > now)
    return list(db.scalars(found.order_by(CivicOverride.id)))


def recent(db: Session, *, most: int = 20) -> list[CivicOverride]:
    """The newest ones, also those that are over, the newest first."""
    return list(db.scalars(select(CivicOverride).order_by(CivicOverride.id.desc()).limit(most)))


def carry_on(db: Session, *, now: datetime) -> int:
    """Extend the free sessions at sites with an override that may be renewed now; how many.

    A device that has been silent for longer than its network allows is not carried on, where the gateway would know.
    On a gateway that cannot extend a lease, the guest reads the message and goes on with one tap when it has ended.
    """
    overrides = standing(db, now=now)
    if not overrides:
        return 0
    longest = timedelta(seconds=db.scalar(select(func.max(Network.renewal_seconds))) or 0)
    due = db.scalars(
        select(AccessSession)
        .join(AccessSession.site)
        .where(
            AccessSession.ended_at.is_(None),
            AccessSession.method == SigninMethod.FREE,
            AccessSession.until > now,
            AccessSession.until <= now + longest,
        )
        .options(
            joinedload(AccessSession.entitlement),
            joinedload(AccessSession.site),
            joinedload(AccessSession.gateway).joinedload(Gateway.network),
            joinedload(AccessSession.gateway).joinedload(Gateway.site),
        )
        # In one order, so that two rounds at once do not wait for each other.
        .order_by(AccessSession.gateway_id, AccessSession.id)
    ).all()
    return sum(_extend(db, access, now=now) for access in due if _is_held(overrides, access.site, now))


def _is_held(overrides: Sequence[CivicOverride], site: Site, now: datetime) -> bool:
    return any(one.holds(site.slug, now) for one in overrides)


def _extend(db: Session, access: AccessSession, *, now: datetime) -> bool:
    gateway = access.gateway
    idle = timedelta(seconds=gateway.network.idle_seconds if gateway.capabilities.reports_presence else 0)
    if policy.is_idle(now=now, last_seen_at=access.last_seen_at, idle=idle):
        return False
    if not policy.may_renew(now=now, until=access.until, window=gateway.renewal_window):
        return False
    client = Client(parse_mac(access.mac), (ipaddress.ip_address(access.address),))
    lease = renewal.renew(db, present.of(access), gateway=gateway, client=client, now=now, is_present=False)
    return lease is not None
