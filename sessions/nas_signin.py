"""Whom a gateway that asks about each device may let pass, and until when: the lease that it has there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Executable, Select, bindparam, select, true
from sqlalchemy.orm import Session

from db.each import ForEach
from db.prepared import Prepared
from gateways.types import Client, IpAddress
from sessions import clients, roaming
from sessions.models import AccessSession, ClientObservation, Lease
from sites.models import Gateway


class HeldLease(NamedTuple):
    """What a gateway may know of the lease of an access session there."""

    access_id: int
    gateway_id: int
    mac: str
    address: str
    until: datetime
    rate_down_kbps: int
    rate_up_kbps: int
    confirmed_at: datetime | None


def lease_of(db: Session, *, gateway: Gateway, number: int, now: datetime) -> HeldLease | None:
    """The running lease of this open access session at this gateway that ends last."""
    row = _RUNNING.first(db, gateway=gateway.id, number=number, at=now)
    return None if row is None else HeldLease(*row)


def leases_of(
    db: Session, *, gateway: Gateway, numbers: Collection[int], now: datetime
) -> dict[int, HeldLease]:
    """The same of several access sessions, by number."""
    found = _RUNNING_OF_EACH.all(db, [(number,) for number in sorted(numbers)], gateway=gateway.id, at=now)
    return {lease.access_id: lease for lease in map(HeldLease._make, found)}


def known_device(db: Session, *, gateway: Gateway, client: Client, now: datetime) -> HeldLease | None:
    """The lease of a device that has an open session on the network of `gateway`, wherever that began.

    A session that is at another gateway goes on here too, as `roaming.go_on` bounds it.
    """
    access = clients.online(db, network_id=gateway.network_id, mac=client.mac, now=now)
    if access is None:
        return None
    lease = lease_of(db, gateway=gateway, number=access.id, now=now)
    if lease is None:
        roaming.go_on(db, gateway=gateway, client=client, now=now)
        lease = lease_of(db, gateway=gateway, number=access.id, now=now)
    return lease


def is_at(db: Session, lease: HeldLease, address: IpAddress) -> bool:
    """Whether the device of a lease was seen behind this address at its gateway."""
    if lease.address == str(address):
        return True
    seen = select(ClientObservation.mac).where(
        ClientObservation.gateway_id == lease.gateway_id, ClientObservation.address == str(address)
    )
    return db.scalar(seen) == lease.mac


def _running(number: Any) -> Select[Any]:
    return (
        select(*(getattr(Lease, name) for name in HeldLease._fields))
        .join(AccessSession, AccessSession.id == Lease.access_id)
        .where(
            Lease.gateway_id == bindparam("gateway"),
            Lease.access_id == number,
            Lease.until > bindparam("at"),
            Lease.released_at.is_(None),
            AccessSession.ended_at.is_(None),
        )
        .order_by(Lease.until.desc(), Lease.id.desc())
        .limit(1)
    )


def _running_of_each(given: Any) -> Executable:
    found = _running(given.number).lateral()
    return select(*found.c).select_from(given.number.table.join(found, true()))


_RUNNING = Prepared(_running(bindparam("number")))
_RUNNING_OF_EACH = ForEach(
    lambda given: _running(given.number), {"number": BigInteger()}, build_many=_running_of_each
)
