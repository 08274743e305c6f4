"""Leases: written here, read by every kind of gateway."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Executable, String, Table, bindparam, insert, literal_column, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from db.each import ForEach
from db.notify import NOTIFY
from db.prepared import Prepared, Reply
from db.session import driver_of
from db.statements import ForEither, table_of
from gateways.destinations import Destination
from gateways.registry import names
from gateways.types import Client, IpAddress
from sessions import policy, port_blocks
from sessions.models import AccessSession, Lease
from sites.limits import rates
from sites.models import Feed, Gateway


class OwnRates(Protocol):
    """What an entitlement says of rates, in kbit/s; None leaves those of the place."""

    @property
    def rate_down_kbps(self) -> int | None: ...
    @property
    def rate_up_kbps(self) -> int | None: ...


def next_feed_version(db: Session, gateway_id: int) -> int:
    """The next version of this gateway's feed; the commit notifies its followers.

    The row stays locked until the commit, so versions become visible in their order: a follower that has seen N will
    never find a lower one later.
    """
    version: int = _STAMP.scalar(db, stamped=gateway_id)
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
) -> Reply:
    """Write a further lease for `access` at `gateway`: as `write`. `gateway` comes with its site and network."""
    return write(
        db,
        access_id=access.id,
        own_rates=access.entitlement,
        gateway=gateway,
        client=client,
        starts_at=starts_at,
        until=until,
        now=now,
    )


def write(
    db: Session,
    *,
    access_id: int,
    own_rates: OwnRates,
    gateway: Gateway,
    client: Client,
    starts_at: datetime,
    until: datetime,
    now: datetime,
    destinations: Sequence[Destination] | None = None,
    resolver: IpAddress | None = None,
) -> Reply:
    """Write a lease for an access session at `gateway`; its id, when it is asked. `gateway` comes with its site and
    network.

    The lease says what the gateway can keep: its end in the gateway's steps of time, and no rates where it keeps none.

    It is sent with the commit where nothing follows: all leases of a gateway are written one after the other, and what
    stands between this and the commit is what the next one waits for.
    """
    down, up = enforced_rates(own_rates, gateway)
    if gateway.ports_per_client:
        # Port blocks are claimed one at a time.
        lock(db, gateway.id)
    origin = port_blocks.claim(db, access_id=access_id, gateway=gateway, mac=client.mac, now=now)
    return _grant(
        db,
        access_id=access_id,
        gateway_id=gateway.id,
        site_id=gateway.site_id,
        mac=client.mac,
        # Some gateways ask for a client before it has an address.
        address=str(client.addresses[0]) if client.addresses else "",
        created_at=now,
        starts_at=starts_at,
        until=policy.in_steps(until, now=now, step=gateway.lease_step, reach=gateway.lease_reach),
        rate_down_kbps=down,
        rate_up_kbps=up,
        public_address=origin.address,
        port_first=origin.first,
        port_last=origin.last,
        destinations=None if destinations is None else [str(each) for each in destinations],
        resolver=None if resolver is None else str(resolver),
    )


def _grant(db: Session, *, gateway_id: int, **values: Any) -> Reply:
    if driver_of(db).writes.name == "postgresql":
        return _STAMP_AND_GRANT.later(db, stamped=gateway_id, **values)
    return _GRANT.later(db, gateway_id=gateway_id, version=next_feed_version(db, gateway_id), **values)


def enforced_rates(own: OwnRates, gateway: Gateway) -> tuple[int, int]:
    """Down and up in kbit/s at this gateway: the entitlement's own, else the place's; 0 is none."""
    if not gateway.capabilities.limits_rates:
        return 0, 0
    place = rates(gateway.site, gateway.network)
    return (
        place.down_kbps if own.rate_down_kbps is None else own.rate_down_kbps,
        place.up_kbps if own.rate_up_kbps is None else own.rate_up_kbps,
    )


def release(db: Session, access_id: int, *, now: datetime) -> int:
    """Release every running lease of this access session at gateways that can revoke; the number of leases.

    A lease that cannot be revoked stays, since its client does pass until its end.
    """
    revoking = names(lambda kind: kind.revokes)
    by_gateway: dict[int, list[int]] = {}
    for lease_id, gateway_id, kind in _RUNNING.all(db, access=access_id, at=now):
        if kind in revoking:
            by_gateway.setdefault(gateway_id, []).append(lease_id)
    for gateway_id in sorted(by_gateway):
        take_back(db, by_gateway[gateway_id], gateway_id=gateway_id, now=now)
    return sum(map(len, by_gateway.values()))


def release_at(db: Session, access_id: int, *, gateway_id: int, now: datetime) -> int:
    """Release the running leases of a session at a gateway that says that the client passes there no more."""
    running = db.scalars(
        select(Lease.id).where(
            Lease.access_id == access_id,
            Lease.gateway_id == gateway_id,
            Lease.released_at.is_(None),
            Lease.until > now,
        )
    ).all()
    if running:
        take_back(db, running, gateway_id=gateway_id, now=now, release_confirmed_at=now)
    return len(running)


def take_back(
    db: Session,
    lease_ids: Sequence[int],
    *,
    gateway_id: int,
    now: datetime,
    release_confirmed_at: datetime | None = None,
) -> None:
    """Release these leases of one gateway; with `release_confirmed_at`, it has said so itself."""
    version = next_feed_version(db, gateway_id)
    for lease_id in lease_ids:
        _TAKE_BACK.later(db, lease=lease_id, at=now, version=version, confirmed=release_confirmed_at)


def tell_ends(db: Session, access_id: int) -> None:
    """Tell the end of this session to those gateways that do not keep the deadline by themselves."""
    leases = db.execute(
        select(Lease.id, Lease.gateway_id)
        .join(Gateway, Gateway.id == Lease.gateway_id)
        .where(
            Lease.access_id == access_id,
            Lease.released_at.is_(None),
            Gateway.kind.in_(names(lambda kind: kind.must_be_told_ends)),
        )
        .order_by(Lease.gateway_id)
    ).all()
    for lease_id, gateway_id in leases:
        db.execute(
            update(Lease)
            .where(Lease.id == lease_id)
            .values(version=next_feed_version(db, gateway_id))
            .execution_options(synchronize_session=False)
        )


def restate(db: Session, *, gateway_id: int, macs: Collection[str], now: datetime) -> None:
    """Tell the gateway once more of these cards' running leases there, since an address of theirs is new."""
    changed = (
        list(db.scalars(_RUNNING_OF, {"gateway": gateway_id, "macs": list(macs), "at": now})) if macs else []
    )
    if changed:
        version = next_feed_version(db, gateway_id)
        db.execute(
            update(Lease)
            .where(Lease.id.in_(changed))
            .values(version=version)
            .execution_options(synchronize_session=False)
        )


def fill_addresses(db: Session, *, gateway_id: int, clients: Iterable[Client]) -> None:
    """Give the leases and stays that were made before their client had an address the one that it has now."""
    rows = sorted((client.mac, str(client.addresses[0])) for client in clients)
    _FILL.all(db, rows, gateway=gateway_id)
    _FILL_STAY.all(db, rows, gateway=gateway_id)


def ask_again(db: Session, *, gateway_id: int, mac: str, now: datetime) -> None:
    """Have the gateway confirm this card's running leases anew: it has said that it does not let the card pass."""
    stale = list(db.scalars(_RUNNING_OF, {"gateway": gateway_id, "macs": [mac], "at": now}))
    if stale:
        version = next_feed_version(db, gateway_id)
        db.execute(
            update(Lease)
            .where(Lease.id.in_(stale))
            .values(confirmed_at=None, refused=None, version=version)
            .execution_options(synchronize_session=False)
        )


def lock(db: Session, gateway_id: int) -> None:
    """Have whoever else would change leases at this gateway wait until the commit."""
    db.execute(_LOCK, {"gateway": gateway_id})


def gateways_of(db: Session, access_id: int) -> list[Gateway]:
    """The gateways at which the session has or had a lease."""
    behind = select(Gateway).join(Lease, Lease.gateway_id == Gateway.id).where(Lease.access_id == access_id)
    return list(db.scalars(behind.distinct()))


def gateway_ids_of(db: Session, access_id: int) -> set[int]:
    """The same by their ids."""
    return {gateway_id for (gateway_id,) in _BEHIND.all(db, access=access_id)}


def running(db: Session, access_id: int, *, now: datetime) -> list[Lease]:
    """The leases of one access session that let it pass now or later, last deadline first."""
    return list(
        db.scalars(
            select(Lease)
            .where(Lease.access_id == access_id, Lease.released_at.is_(None), Lease.until > now)
            .order_by(Lease.until.desc(), Lease.id.desc())
        )
    )


_feeds, _leases, _gateways = table_of(Feed), table_of(Lease), table_of(Gateway)
_stamp = (
    update(_feeds)
    .where(_feeds.c.gateway_id == bindparam("stamped"))
    .values(version=_feeds.c.version + 1)
    .returning(_feeds.c.version)
)
_STAMP = Prepared(ForEither(sqlite=_stamp, postgresql=_stamp.returning(NOTIFY)))


def _fill(table: Table, given: Any) -> Executable:
    return (
        update(table)
        .where(
            table.c.gateway_id == bindparam("gateway"),
            table.c.mac == given.card,
            # As its index has it (`ix_leases_without_address`), not as a value.
            table.c.address == literal_column("''"),
        )
        .values(address=given.now_at)
    )


_ADDRESSED: dict[str, TypeEngine[Any]] = {"card": String(), "now_at": String()}
_accesses = table_of(AccessSession)
_FILL = ForEach(functools.partial(_fill, _leases), _ADDRESSED)
_FILL_STAY = ForEach(functools.partial(_fill, _accesses), _ADDRESSED)
_RUNNING = Prepared(
    select(_leases.c.id, _leases.c.gateway_id, _gateways.c.kind)
    .join(_gateways, _gateways.c.id == _leases.c.gateway_id)
    .where(
        _leases.c.access_id == bindparam("access"),
        _leases.c.released_at.is_(None),
        _leases.c.until > bindparam("at"),
    )
)
_TAKE_BACK = Prepared(
    update(_leases)
    .where(_leases.c.id == bindparam("lease"))
    .values(
        released_at=bindparam("at"), version=bindparam("version"), release_confirmed_at=bindparam("confirmed")
    )
)
_BEHIND = Prepared(select(_leases.c.gateway_id).where(_leases.c.access_id == bindparam("access")).distinct())
_LOCK = select(_feeds.c.version).where(_feeds.c.gateway_id == bindparam("gateway")).with_for_update()
_GRANT = Prepared(insert(_leases).returning(_leases.c.id))
# Both in one statement, where the database can.
_stamped = _stamp.cte("stamped")
_GIVEN = (
    *("access_id", "site_id", "mac", "address", "created_at", "starts_at", "until", "rate_down_kbps"),
    *("rate_up_kbps", "public_address", "port_first", "port_last", "destinations", "resolver"),
)
_STAMP_AND_GRANT = Prepared(
    insert(_leases)
    .from_select(
        [*_GIVEN, "gateway_id", "version"],
        select(
            *(bindparam(name, type_=_leases.c[name].type) for name in _GIVEN),
            bindparam("stamped", type_=_leases.c.gateway_id.type),
            _stamped.c.version,
        ),
    )
    .returning(_leases.c.id, NOTIFY)
)
_RUNNING_OF = select(_leases.c.id).where(
    _leases.c.gateway_id == bindparam("gateway"),
    _leases.c.mac.in_(bindparam("macs", expanding=True)),
    _leases.c.until > bindparam("at"),
    _leases.c.released_at.is_(None),
)
