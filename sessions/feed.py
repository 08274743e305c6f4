"""The lease feed: what one gateway must know, whole or since a version, and what it says back."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    bindparam,
    case,
    exists,
    func,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Session, aliased

from db.each import ForEach
from db.notify import NOTIFY, notify
from db.prepared import Prepared
from db.statements import ForEither, table_of
from gateways.destinations import parse_destinations
from gateways.types import Client, Grant, MacAddress
from sessions import port_blocks
from sessions.gateway_health import outages
from sessions.models import AccessSession, ClientObservation, Lease, Mismatch, MismatchKind
from sites.models import Feed as FeedRecord

# Values, or their places in a statement that is rendered once.
Number = int | BindParameter[int]
Instant = datetime | BindParameter[datetime]
# So many leases are asked for one by one: a statement rendered once costs a fifth of one with a list.
FEW = 8


class _Running(NamedTuple):
    """A running lease, as its gateway is told of it."""

    access_id: int
    mac: str
    address: str
    until: datetime
    rate_down_kbps: int
    rate_up_kbps: int
    public_address: str | None
    port_first: int | None
    port_last: int | None
    destinations: list[str] | None
    resolver: str | None


@dataclass(frozen=True, slots=True)
class Feed:
    """Changes up to `version`. When `full`, `grants` is the whole truth."""

    version: int
    full: bool
    grants: tuple[Grant, ...]
    ends: tuple[int, ...]


def read(db: Session, *, gateway_id: int, since: int, now: datetime) -> Feed:
    """The changes at this gateway after version `since`; everything where `since` is not one of ours.

    A changed session is given in its present state: its last running lease, or its end.
    """
    version = _VERSION.scalar(db, gateway=gateway_id) or 0
    full = since <= 0 or since > version
    changed: set[int] = set()
    if not full:
        if since < version:
            changed = {row[0] for row in _CHANGED.all(db, gateway=gateway_id, since=since)}
        if not changed:
            return Feed(version, False, (), ())
    grants = _grants(db, gateway_id, None if full else changed, now=now)
    ends = tuple(sorted(changed - {grant.number for grant in grants}))
    return Feed(version, full, grants, ends)


def without(feed: Feed, is_left_out: Callable[[Grant], bool]) -> Feed:
    """The feed without these grants: their clients must not pass."""
    left_out = {grant.number for grant in feed.grants if is_left_out(grant)}
    if not left_out:
        return feed
    grants = tuple(grant for grant in feed.grants if grant.number not in left_out)
    ends = feed.ends if feed.full else tuple(sorted({*feed.ends, *left_out}))
    return replace(feed, grants=grants, ends=ends)


def confirm(
    db: Session, *, gateway_id: int, version: int, refused: dict[int, str], now: datetime
) -> list[int]:
    """The gateway's kernel has everything up to `version` but `refused`; the ids of the leases newly confirmed.

    A late or repeated confirmation takes nothing back, and none reaches beyond the feed's own version.
    """
    # Lock the feed's row first, as every change of its leases does: another order could deadlock.
    version_now, seen_at = _LOCK.first(db, gateway=gateway_id) or (0, None)
    version = min(version, version_now)
    asked = {"gateway": gateway_id, "at": now, "reached": version}
    for number, reason in refused.items():
        _REFUSE.run(db, number=number, reason=reason[:200], **asked)
    confirmed = [row[0] for row in _CONFIRM_ALL.all(db, **asked)]
    seen = outages.end(db, gateway_id=gateway_id, seen_at=seen_at, now=now)
    _REACH.run(db, gateway=gateway_id, reached=version, seen=seen)
    return confirmed


def unconfirmed(
    db: Session, *, gateway_id: int, now: datetime, or_since: datetime | None = None
) -> tuple[Grant, ...]:
    """The grants whose last lease this gateway has neither confirmed nor refused, whatever its version.

    With `or_since` also those that it has confirmed since then: for gateways whose word anybody could have said.
    """
    open_ones: ColumnElement[bool] = Lease.confirmed_at.is_(None)
    if or_since is not None:
        open_ones |= Lease.confirmed_at > or_since
    waiting = select(Lease.access_id).where(
        *_running(gateway_id, now), open_ones, Lease.released_at.is_(None)
    )
    numbers = set(db.scalars(waiting))
    return _grants(db, gateway_id, numbers, now=now) if numbers else ()


def oldest_stay(db: Session, *, gateway_id: int, now: datetime) -> datetime | None:
    """When the oldest of the access sessions began that this gateway is to let pass now; None where there is none."""
    return db.scalar(
        select(func.min(AccessSession.started_at))
        .join(Lease, Lease.access_id == AccessSession.id)
        .where(Lease.gateway_id == gateway_id, Lease.until > now, Lease.released_at.is_(None))
    )


@dataclass(frozen=True, slots=True)
class End:
    """A client that the gateway let pass and is to let pass no more; `number` is its access session's."""

    number: int
    mac: MacAddress
    address: str


def unconfirmed_ends(db: Session, *, gateway_id: int, now: datetime) -> tuple[End, ...]:
    """The ends of leases that this gateway had, and of which it has not said that their clients pass no more.

    A lease that is over is none of them, nor is a client that has come back since.
    """
    again = aliased(Lease)
    came_back = exists().where(
        again.access_id == Lease.access_id,
        again.gateway_id == gateway_id,
        again.released_at.is_(None),
        again.until > now,
    )
    rows = db.execute(
        select(Lease.access_id, Lease.mac, Lease.address)
        .where(*_unconfirmed_end(gateway_id, now), ~came_back)
        .order_by(Lease.id)
    )
    return tuple(
        {row.access_id: End(row.access_id, MacAddress(row.mac), row.address) for row in rows}.values()
    )


def never_had(db: Session, *, gateway_id: int, now: datetime) -> tuple[int, ...]:
    """Access sessions whose leases were taken back before this gateway had confirmed any of them."""
    taken_back = select(Lease.access_id).where(*_taken_back(gateway_id, now)).group_by(Lease.access_id)
    return tuple(db.scalars(taken_back.having(func.count(Lease.confirmed_at) == 0)))


def confirm_some(
    db: Session,
    *,
    gateway_id: int,
    numbers: Collection[int],
    ended: Collection[int] = (),
    refused_ends: Mapping[int, str] | None = None,
    now: datetime,
) -> list[int]:
    """The gateway lets pass the clients of the access sessions `numbers`, and no more those of `ended`; the ids of the
    leases newly confirmed. Of `refused_ends` (number: reason) it says that it goes on to let them pass.

    For gateways that answer client by client. The version that they are taken to have confirmed is the feed's own as
    soon as neither a grant nor an end is left to confirm.
    """
    version, _ = _LOCK.first(db, gateway=gateway_id) or (0, None)
    asked = {"gateway": gateway_id, "at": now}
    confirmed = [number for (number,) in _CONFIRM.all(db, [(number,) for number in sorted(numbers)], **asked)]
    if ended or refused_ends:
        ends = _taken_back(gateway_id, now)
        answered = {"release_confirmed_at": now, "release_refused": None}
        _answer_ends(db, *ends, Lease.access_id.in_(list(ended)), **answered)
        for number, reason in (refused_ends or {}).items():
            _answer_ends(db, *ends, Lease.access_id == number, release_refused=reason[:200])
    _CATCH_UP.run(db, reached=version, **asked)
    notify(db)
    return confirmed


def _answer_ends(db: Session, *which: ColumnElement[bool], **values: datetime | str | None) -> None:
    db.execute(update(Lease).where(*which).values(**values).execution_options(synchronize_session=False))


def _unconfirmed_end(gateway_id: Number, now: Instant) -> tuple[ColumnElement[bool], ...]:
    """Of the leases of this gateway, those that it had, that were taken back, and that it still has for all we know."""
    return (*_taken_back(gateway_id, now), Lease.confirmed_at.is_not(None))


def _taken_back(gateway_id: Number, now: Instant) -> tuple[ColumnElement[bool], ...]:
    """Of the leases of this gateway, those of whose end it has not spoken, whether or not it ever had them."""
    return (
        Lease.gateway_id == gateway_id,
        Lease.until > now,
        Lease.released_at.is_not(None),
        Lease.release_confirmed_at.is_(None),
    )


def _waiting(gateway_id: Number, now: Instant) -> tuple[ColumnElement[bool], ...]:
    """Of the leases of this gateway, those on which it has not spoken."""
    return *_running(gateway_id, now), Lease.confirmed_at.is_(None)


def _running(gateway_id: Number, now: Instant) -> tuple[ColumnElement[bool], ...]:
    """Of the leases of this gateway, those that it may let pass."""
    return Lease.gateway_id == gateway_id, Lease.refused.is_(None), Lease.until > now


def _grants(
    db: Session, gateway_id: int, numbers: Collection[int] | None, *, now: datetime
) -> tuple[Grant, ...]:
    asked = {"gateway": gateway_id, "at": now}
    last: dict[int, _Running] = {}
    if numbers is not None and len(numbers) <= FEW:
        rows = [row for number in numbers for row in _RUNNING_ONE.all(db, number=number, **asked)]
    elif numbers is not None:
        rows = list(map(tuple, db.execute(_RUNNING.where(_leases.c.access_id.in_(numbers)), asked)))
    else:
        rows = _RUNNING_ALL.all(db, **asked)
    for row in map(_Running._make, rows):
        last[row.access_id] = row
    addresses = _addresses(
        db, gateway_id, {row.mac for row in last.values()} if numbers is not None else None
    )
    return tuple(
        Grant(
            number=row.access_id,
            client=Client(
                MacAddress(row.mac),
                tuple(
                    ipaddress.ip_address(address)
                    for address in sorted({row.address, *addresses.get(row.mac, ())} - {""})
                ),
            ),
            until=row.until.timestamp(),
            rate_down_kbps=row.rate_down_kbps,
            rate_up_kbps=row.rate_up_kbps,
            ports=port_blocks.PortBlock(row.public_address, row.port_first, row.port_last).ports(),
            destinations=None if row.destinations is None else parse_destinations(row.destinations),
            resolver=ipaddress.ip_address(row.resolver) if row.resolver else None,
        )
        for row in last.values()
    )


def _addresses(db: Session, gateway_id: int, macs: set[str] | None) -> dict[str, set[str]]:
    if macs is None:
        rows = _SEEN_ALL.all(db, gateway=gateway_id)
    elif len(macs) <= FEW:
        rows = [row for mac in macs for row in _SEEN_OF.all(db, gateway=gateway_id, mac=mac)]
    else:
        rows = list(map(tuple, db.execute(_SEEN.where(_sightings.c.mac.in_(macs)), {"gateway": gateway_id})))
    found: dict[str, set[str]] = {}
    for mac, address in rows:
        found.setdefault(mac, set()).add(address)
    return found


# A client whom the gateway lets pass without a lease has none that could change: the drift says so in its place.
_CHANGED = Prepared(
    union_all(
        select(Lease.access_id).where(
            Lease.gateway_id == bindparam("gateway"), Lease.version > bindparam("since")
        ),
        select(Mismatch.number).where(
            Mismatch.gateway_id == bindparam("gateway"),
            Mismatch.version > bindparam("since"),
            Mismatch.kind == MismatchKind.SURPLUS,
        ),
    )
)
_leases, _accesses, _feeds = table_of(Lease), table_of(AccessSession), table_of(FeedRecord)
_sightings = table_of(ClientObservation)
_GATEWAY: BindParameter[int] = bindparam("gateway")
_AT: BindParameter[datetime] = bindparam("at")
_REACHED: BindParameter[int] = bindparam("reached")
_VERSION = Prepared(select(_feeds.c.version).where(_feeds.c.gateway_id == _GATEWAY))
_LOCK = Prepared(
    select(_feeds.c.version, _feeds.c.seen_at).where(_feeds.c.gateway_id == _GATEWAY).with_for_update()
)
_RUNNING = (
    select(*(_leases.c[name] for name in _Running._fields))
    .join(_accesses, _accesses.c.id == _leases.c.access_id)
    .where(
        _leases.c.gateway_id == _GATEWAY,
        _leases.c.until > _AT,
        _leases.c.released_at.is_(None),
        _accesses.c.ended_at.is_(None),
    )
    .order_by(_leases.c.until)
)
_RUNNING_ALL, _RUNNING_ONE = (
    Prepared(_RUNNING),
    Prepared(_RUNNING.where(_leases.c.access_id == bindparam("number"))),
)
_SEEN = select(_sightings.c.mac, _sightings.c.address).where(_sightings.c.gateway_id == _GATEWAY)
_SEEN_ALL, _SEEN_OF = Prepared(_SEEN), Prepared(_SEEN.where(_sightings.c.mac == bindparam("mac")))
_told = update(_leases).where(*_waiting(_GATEWAY, _AT), Lease.version <= _REACHED)
_REFUSE = Prepared(_told.where(Lease.access_id == bindparam("number")).values(refused=bindparam("reason")))
_CONFIRM_ALL = Prepared(
    _told.where(Lease.released_at.is_(None)).values(confirmed_at=_AT).returning(_leases.c.id)
)
_reach = (
    update(_feeds)
    .where(_feeds.c.gateway_id == _GATEWAY)
    .values(
        seen_at=bindparam("seen"),
        confirmed_version=case(
            (_feeds.c.confirmed_version < _REACHED, _REACHED), else_=_feeds.c.confirmed_version
        ),
    )
)
_REACH = Prepared(ForEither(sqlite=_reach, postgresql=_reach.returning(NOTIFY)))
_CONFIRM = ForEach(
    lambda given: (
        update(_leases)
        .where(*_waiting(_GATEWAY, _AT), Lease.released_at.is_(None), Lease.access_id == given.number)
        .values(confirmed_at=_AT)
        .returning(_leases.c.id)
    ),
    {"number": BigInteger()},
)
_CATCH_UP = Prepared(
    update(_feeds)
    .where(
        _feeds.c.gateway_id == _GATEWAY,
        _feeds.c.confirmed_version < bindparam("reached"),
        ~exists(select(Lease.id).where(*_waiting(_GATEWAY, _AT), Lease.released_at.is_(None))),
        ~exists(select(Lease.id).where(*_unconfirmed_end(_GATEWAY, _AT))),
    )
    .values(confirmed_version=bindparam("reached"))
)
