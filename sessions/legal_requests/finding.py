"""The stretches of access that a scope covers, how exact the answer is and why, and what casts doubt on it."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from gateways.types import SHARED_PORTS
from sessions.legal_requests.scopes import RequestScope, ScopeKind
from sessions.models import AccessSession, EndReason, Lease
from sessions.port_blocks import PortBlock
from sites.models import Gateway, Network, SigninMethod, Site

# As far as clocks are commonly off: what would differ by so much is said.
CLOCK_ERROR = timedelta(minutes=1)
LEGAL_TERM = timedelta(days=365)


class Exactness(enum.StrEnum):
    ONE = "one session"
    SEVERAL = "several candidates"
    NONE = "none"
    LISTED = "listed"


class Why(enum.StrEnum):
    BLOCK = "the ports were one client's alone"
    ALONE = "ports were shared, but nobody else was online behind the address"
    SHARED = "the port is one of those that clients without a block of their own share"
    ALL_PORTS = "clients behind this address shared all ports"
    NO_PORT = "no port was given"
    TOLERANCE = "the ports changed hands within the tolerance of the clock"
    NOBODY = "nobody had this address and port then"
    UNKNOWN_ADDRESS = "no gateway of ours has or had this address"
    WINDOW = "every stretch of access inside the span"


class Doubt(enum.StrEnum):
    CLOCK = "a clock that is wrong by a minute would change the answer"
    ZONE = "nothing was found, but something at the same time of day in the other zone"
    OFFSET = "the offset that was given is neither UTC nor that of the town on that day"
    FUTURE = "the instant lies in the future"
    OLD = "older than the term of keeping: rows may be gone"
    TWICE = "this hour existed twice on that night"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One session behind one origin, from `begins` to `ends`, lease after lease.

    `at_instant`: it covers the very instant that was asked for, and not only its tolerance.
    """

    access_id: int
    subject: str
    method: SigninMethod
    mac: str
    address: str
    network: str
    site: str
    gateway: str
    origin: PortBlock
    begins: datetime
    ends: datetime
    began: datetime
    ended: datetime | None
    end_reason: EndReason | None
    at_instant: bool = True


@dataclass(frozen=True, slots=True)
class Identification:
    exactness: Exactness
    why: Why
    stretches: tuple[Stretch, ...]
    doubts: tuple[Doubt, ...] = ()

    @property
    def sessions(self) -> int:
        return len({stretch.access_id for stretch in self.stretches})


def find(
    db: Session, scope: RequestScope, *, networks: Iterable[str] = (), zone: ZoneInfo, now: datetime
) -> Identification:
    """Find what the log holds about `scope` in these networks (none: all), and nothing beyond it.

    `zone` is the town's: an instant that fits neither it nor UTC is doubted.
    """
    networks = tuple(networks)
    if scope.kind is not ScopeKind.ORIGIN:
        assert scope.since is not None and scope.until is not None
        found = _stretches(db, [_matches(scope)], scope.since, scope.until, networks)
        clipped = tuple(_clip(each, scope.since, scope.until) for each in found)
        old = (Doubt.OLD,) if scope.since < now - LEGAL_TERM else ()
        exactness = Exactness.LISTED if clipped else Exactness.NONE
        return Identification(exactness, Why.WINDOW if clipped else Why.NOBODY, clipped, old)
    assert scope.at is not None
    tolerance = timedelta(seconds=scope.tolerance_seconds)
    found = _behind(db, scope, scope.at, tolerance, networks)
    exactness, why = _judge(db, scope, found, networks)
    return Identification(exactness, why, tuple(found), tuple(_doubts(db, scope, found, networks, zone, now)))


def _behind(
    db: Session, scope: RequestScope, at: datetime, tolerance: timedelta, networks: tuple[str, ...]
) -> list[Stretch]:
    """Everybody who may have been behind the address and port at `at`, give or take the tolerance."""
    since, until = at - tolerance, at + tolerance + timedelta(microseconds=1)
    found = _stretches(db, _behind_address(db, scope), since, until, networks)
    return [replace(each, at_instant=each.begins <= at < each.ends) for each in found]


def _behind_address(db: Session, scope: RequestScope) -> list[ColumnElement[bool]]:
    address = scope.public_address or ""
    if ipaddress.ip_address(address).version == 6:
        # IPv6 is not translated: the address is the client's own.
        return [Lease.address == address]
    behind = Lease.public_address == address
    if scope.port is not None:
        mine = and_(Lease.port_first <= scope.port, Lease.port_last >= scope.port)
        if SHARED_PORTS[0] <= scope.port <= SHARED_PORTS[1]:
            mine = or_(mine, Lease.port_first.is_(None))
        behind = and_(behind, mine)
    # Leases from before anybody told the portal the address: any of them may have been behind it.
    untold = and_(Lease.gateway_id.in_(_gateways_behind(db, address)), Lease.public_address.is_(None))
    return [behind, untold]


def _gateways_behind(db: Session, address: str) -> list[int]:
    rows = db.execute(select(Gateway.id, Gateway.public_addresses))
    return [number for number, addresses in rows if address in addresses]


def _matches(scope: RequestScope) -> ColumnElement[bool]:
    match scope.kind:
        case ScopeKind.DEVICE:
            return AccessSession.mac == scope.value
        case ScopeKind.ADDRESS:
            return Lease.address == scope.value
        case ScopeKind.SITE:
            return Site.slug == scope.value
        case _:
            return AccessSession.subject == scope.value


def _stretches(
    db: Session,
    which: list[ColumnElement[bool]],
    since: datetime,
    until: datetime,
    networks: tuple[str, ...],
) -> list[Stretch]:
    """The stretches that reach into [since, until). One query for each condition: each has an index of its own."""
    rows: dict[int, Any] = {}
    for condition in which:
        statement = (
            select(Lease, AccessSession, Network.slug, Site.slug, Gateway.identity)
            .join(AccessSession, AccessSession.id == Lease.access_id)
            .join(Gateway, Gateway.id == Lease.gateway_id)
            .join(Network, Network.id == Gateway.network_id)
            .join(Site, Site.id == Lease.site_id)
            .where(
                condition,
                Lease.starts_at < until,
                Lease.until > since,
                or_(Lease.released_at.is_(None), Lease.released_at > since),
                # What the gateway refused let nobody through.
                Lease.refused.is_(None),
            )
        )
        if networks:
            statement = statement.where(Network.slug.in_(networks))
        rows |= {row[0].id: row for row in db.execute(statement)}
    return _merge(_stretch(*rows[number]) for number in sorted(rows))


def _stretch(lease: Lease, access: AccessSession, network: str, site: str, gateway: str) -> Stretch:
    return Stretch(
        access_id=access.id,
        subject=access.subject,
        method=access.method,
        mac=lease.mac,
        address=lease.address,
        network=network,
        site=site,
        gateway=gateway,
        origin=PortBlock(lease.public_address, lease.port_first, lease.port_last),
        begins=lease.starts_at,
        ends=min(lease.until, lease.released_at or lease.until),
        began=access.started_at,
        ended=access.ended_at,
        end_reason=access.end_reason,
    )


def _merge(found: Iterable[Stretch]) -> list[Stretch]:
    """Renewals of one session in one place are one stretch."""
    merged: dict[tuple[int, str, str, PortBlock], Stretch] = {}
    for each in found:
        key = (each.access_id, each.gateway, each.address, each.origin)
        known = merged.get(key)
        if known is not None:
            each = replace(each, begins=min(known.begins, each.begins), ends=max(known.ends, each.ends))
        merged[key] = each
    return list(merged.values())


def _clip(stretch: Stretch, since: datetime, until: datetime) -> Stretch:
    """Only what lies inside the span: when it began before, that is not asked for."""
    begins, ends = max(stretch.begins, since), min(stretch.ends, until)
    ended = stretch.ended if stretch.ended is not None and since <= stretch.ended < until else None
    reason = stretch.end_reason if ended is not None else None
    return replace(stretch, begins=begins, ends=ends, began=begins, ended=ended, end_reason=reason)


def _judge(
    db: Session, scope: RequestScope, found: list[Stretch], networks: tuple[str, ...]
) -> tuple[Exactness, Why]:
    sessions = {each.access_id for each in found}
    if not sessions:
        known = (
            _gateways_behind(db, scope.public_address or "")
            or db.scalars(
                select(Lease.id)
                .where(
                    or_(Lease.public_address == scope.public_address, Lease.address == scope.public_address)
                )
                .limit(1)
            ).first()
        )
        return Exactness.NONE, Why.NOBODY if known else Why.UNKNOWN_ADDRESS
    is_own = all(each.origin.is_block() or each.address == scope.public_address for each in found)
    if len(sessions) == 1:
        return Exactness.ONE, Why.BLOCK if is_own else Why.ALONE
    if scope.port is None and not is_own_address(scope):
        return Exactness.SEVERAL, Why.NO_PORT
    if is_own:
        return Exactness.SEVERAL, Why.TOLERANCE
    shared = all(each.origin.address is not None and each.origin.first is None for each in found)
    return Exactness.SEVERAL, Why.SHARED if shared else Why.ALL_PORTS


def is_own_address(scope: RequestScope) -> bool:
    """Whether the address is one that nobody shares."""
    return ipaddress.ip_address(scope.public_address or "0.0.0.0").version == 6


def _doubts(
    db: Session,
    scope: RequestScope,
    found: list[Stretch],
    networks: tuple[str, ...],
    zone: ZoneInfo,
    now: datetime,
) -> Iterable[Doubt]:
    at = scope.at
    assert at is not None
    if at > now:
        yield Doubt.FUTURE
    if at < now - LEGAL_TERM:
        yield Doubt.OLD
    sessions = {each.access_id for each in found}
    wider = max(timedelta(seconds=scope.tolerance_seconds), CLOCK_ERROR)
    if {each.access_id for each in _behind(db, scope, at, wider, networks)} != sessions:
        yield Doubt.CLOCK
    local = at.astimezone(zone)
    offset = _told_offset(scope, at)
    if offset not in (timedelta(0), local.utcoffset()):
        yield Doubt.OFFSET
    if not found:
        wall = at + offset
        others = {wall, wall - (local.utcoffset() or timedelta(0))} - {at}
        if any(_behind(db, scope, other, wider, networks) for other in others):
            yield Doubt.ZONE
    if scope.as_written.endswith(f" {zone.key}") and (
        local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    ):
        yield Doubt.TWICE


def _told_offset(scope: RequestScope, at: datetime) -> timedelta:
    """By how much the instant, as it was told, was ahead of UTC."""
    text, _, zone = scope.as_written.partition(" ")
    if zone:
        return at.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    return datetime.fromisoformat(text).utcoffset() or timedelta(0)
