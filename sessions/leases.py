"""Leases: written here, read by every kind of gateway."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from db.notify import BELL
from db.statements import ForEither, table_of
from gateways.types import Client
from sessions import port_blocks
from sessions.models import AccessSession, Lease
from sites.limits import rates
from sites.models import Gateway


def stamp(db: Session, gateway_id: int) -> int:
    """The next version of this gateway's feed; the commit wakes whoever follows it.

    The row stays locked until the commit, so versions become visible in their order: a follower that has seen N will
    never find a lower one later.
    """
    version: int = db.scalars(_STAMP.on(db), {"stamped": gateway_id}).one()
    return version


def grant(
    db: Session,
    *,
    access: AccessSession,
    gateway: Gateway,
    client: Client,
    starts_at: datetime,
    until: datetime,
    now: datetime,
) -> int:
    """Write a lease for `access` at `gateway`; its id. `gateway` comes with its site and network."""
    rate, own = rates(gateway.site, gateway.network), access.entitlement
    # From here on the gateway's row is ours until the commit: nobody else looks for a free block meanwhile.
    version = stamp(db, gateway.id)
    origin = port_blocks.claim(db, access_id=access.id, gateway=gateway, mac=client.mac, now=now)
    values = {
        "access_id": access.id,
        "gateway_id": gateway.id,
        "site_id": gateway.site_id,
        "mac": client.mac,
        "address": str(client.addresses[0]),
        "created_at": now,
        "starts_at": starts_at,
        "until": until,
        "rate_down_kbps": rate.down_kbps if own.rate_down_kbps is None else own.rate_down_kbps,
        "rate_up_kbps": rate.up_kbps if own.rate_up_kbps is None else own.rate_up_kbps,
        "version": version,
        "public_address": origin.address,
        "port_first": origin.first,
        "port_last": origin.last,
    }
    lease_id: int = db.scalars(_GRANT, values).one()
    return lease_id


def release(db: Session, access_ids: Iterable[int], *, now: datetime) -> int:
    """Take back every running lease of these access sessions, at every gateway; the number of leases."""
    running = select(Lease.id, Lease.gateway_id).where(
        Lease.access_id.in_(list(access_ids)), Lease.released_at.is_(None), Lease.until > now
    )
    by_gateway: dict[int, list[int]] = {}
    for lease_id, gateway_id in db.execute(running):
        by_gateway.setdefault(gateway_id, []).append(lease_id)
    for gateway_id in sorted(by_gateway):
        version = stamp(db, gateway_id)
        db.execute(
            update(Lease)
            .where(Lease.id.in_(by_gateway[gateway_id]))
            .values(released_at=now, version=version)
            .execution_options(synchronize_session=False)
        )
    return sum(map(len, by_gateway.values()))


def restate(db: Session, *, gateway_id: int, macs: Collection[str], now: datetime) -> None:
    """Tell the gateway once more of these cards' running leases there, since an address of theirs is new."""
    changed = (
        list(db.scalars(_RUNNING_OF, {"gateway": gateway_id, "macs": list(macs), "at": now})) if macs else []
    )
    if changed:
        version = stamp(db, gateway_id)
        db.execute(
            update(Lease)
            .where(Lease.id.in_(changed))
            .values(version=version)
            .execution_options(synchronize_session=False)
        )


def running(db: Session, access_id: int, *, now: datetime) -> list[Lease]:
    """The leases of one access session that let it pass now or later, last deadline first."""
    return list(
        db.scalars(
            select(Lease)
            .where(Lease.access_id == access_id, Lease.released_at.is_(None), Lease.until > now)
            .order_by(Lease.until.desc(), Lease.id.desc())
        )
    )


_gateways, _leases = table_of(Gateway), table_of(Lease)
_stamp = (
    update(_gateways)
    .where(_gateways.c.id == bindparam("stamped"))
    .values(feed_version=_gateways.c.feed_version + 1)
    .returning(_gateways.c.feed_version)
)
_STAMP = ForEither(sqlite=_stamp, postgresql=_stamp.returning(BELL))
_GRANT = insert(_leases).returning(_leases.c.id)
_RUNNING_OF = select(_leases.c.id).where(
    _leases.c.gateway_id == bindparam("gateway"),
    _leases.c.mac.in_(bindparam("macs", expanding=True)),
    _leases.c.until > bindparam("at"),
    _leases.c.released_at.is_(None),
)
