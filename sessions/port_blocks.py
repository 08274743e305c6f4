"""Which source ports a client has to itself at a gateway, so that a public address and port say who it was.

Where a gateway's record names public addresses and a number of ports, each access session gets a block of that many
behind one of the addresses, and keeps it over its leases there. What is in use is read from the lease table; two
requests cannot find the same block, as each holds the row of the gateway's feed until its commit.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from gateways.types import FIRST_BLOCK_PORT, LAST_BLOCK_PORT, SHARED_PORTS, PortRange
from sessions.models import Lease
from sites.models import Gateway

# A block rests this long after its last lease: by then what still comes back for the one is not taken for the other's.
QUARANTINE = timedelta(minutes=10)
ALL_PORTS = (1, 65535)


@dataclass(frozen=True, slots=True)
class PortBlock:
    """The source of a lease's flows as the Internet sees it: three columns of `Lease`."""

    address: str | None = None
    first: int | None = None
    last: int | None = None

    def is_block(self) -> bool:
        """Whether these ports are one client's alone."""
        return self.first is not None and (self.first, self.last) != ALL_PORTS

    def ports(self) -> PortRange | None:
        """The ports as the gateway gets them: None where it may take any."""
        if self.address is None or (self.first, self.last) == ALL_PORTS:
            return None
        first, last = SHARED_PORTS if self.first is None or self.last is None else (self.first, self.last)
        return PortRange(ipaddress.IPv4Address(self.address), first, last)


@dataclass(frozen=True, slots=True)
class PortBlockUse:
    """An origin that is in use or rests, by the lease of which session and device."""

    access_id: int
    mac: str
    origin: PortBlock


def claim(db: Session, *, access_id: int, gateway: Gateway, mac: str, now: datetime) -> PortBlock:
    """The origin of a new lease at `gateway`, whose row the caller has locked."""
    size = gateway.ports_per_client
    if not size:
        return shared(gateway)
    return choose(
        gateway.public_addresses, size, _in_use(db, gateway.id, now=now), access_id=access_id, mac=mac
    )


def shared(gateway: Gateway) -> PortBlock:
    """The origin of every lease at a gateway where all clients share all ports."""
    addresses = gateway.public_addresses
    return PortBlock(addresses[0], *ALL_PORTS) if len(addresses) == 1 else PortBlock()


def choose(
    addresses: Sequence[str], size: int, uses: Collection[PortBlockUse], *, access_id: int, mac: str
) -> PortBlock:
    """What this session has already; what the same device had before it; a free block; or none, when all are in use.

    Without a block the session is served from the ports that all who have none share. Pure.
    """
    own = [
        use.origin for use in uses if use.access_id == access_id and use.origin.address in (*addresses, None)
    ]
    if own:
        # Its flows run on these ports: another block would cut them.
        return own[-1]
    others = {place for use in uses if use.mac != mac for place in _places(use.origin, size)}
    earlier = [use.origin for use in uses if use.mac == mac and use.origin.is_block()]
    for origin in reversed(earlier):
        fits = origin.address in addresses and origin in (
            _block(*place, size) for place in _places(origin, size)
        )
        if fits and not others.intersection(_places(origin, size)):
            return origin
    count = (LAST_BLOCK_PORT - FIRST_BLOCK_PORT + 1) // size
    every = [(address, index) for index in range(count) for address in addresses]
    # Each begins to look elsewhere, so that a block that has just become free is the last to be taken again.
    start = access_id % len(every)
    for place in every[start:] + every[:start]:
        if place not in others:
            return _block(*place, size)
    return PortBlock(addresses[access_id % len(addresses)])


def _places(origin: PortBlock, size: int) -> list[tuple[str, int]]:
    """The blocks of this size, as address and index, that a block reaches into: several after a change of size."""
    if origin.address is None or origin.first is None or origin.last is None or not origin.is_block():
        return []
    first, last = ((port - FIRST_BLOCK_PORT) // size for port in (origin.first, origin.last))
    return [(origin.address, index) for index in range(first, last + 1)]


def _block(address: str, index: int, size: int) -> PortBlock:
    first = FIRST_BLOCK_PORT + index * size
    return PortBlock(address, first, first + size - 1)


def _in_use(db: Session, gateway_id: int, *, now: datetime) -> list[PortBlockUse]:
    since = now - QUARANTINE
    rows = db.execute(
        select(Lease.access_id, Lease.mac, Lease.public_address, Lease.port_first, Lease.port_last)
        .where(
            Lease.gateway_id == gateway_id,
            Lease.until > since,
            or_(Lease.released_at.is_(None), Lease.released_at > since),
        )
        .order_by(Lease.id)
    )
    return [PortBlockUse(row[0], row[1], PortBlock(*row[2:])) for row in rows]
