"""Make what the registers want so: start, renew, change and end the sessions of managed devices.

Each device has one access session on each network on which it is wanted, with a lease at each gateway of it. Leases are
short and renewed again and again, so that the time without a portal is bounded; none lasts beyond what its register
allows, and the gateway keeps that end by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, joinedload

from auth.blocks import service as blocks
from auth.entitlements import Allowance
from auth.managed import Managed, may_serve
from gateways.types import Client
from sessions import end, leases, start
from sessions.managed.providers import PROVIDERS
from sessions.models import AccessSession, EndReason, Lease
from sessions.sightings import seen_addresses
from sites.models import Gateway, SigninMethod

# How long a device goes on where the portal is away, and how much before the end a lease is renewed.
LEASE, RENEWED_BEFORE = timedelta(hours=6), timedelta(hours=3)
# Where a running lease cannot be extended: the device is interrupted for a moment at its end.
UNEXTENDED_LEASE = timedelta(days=1)
# The session log is kept by sessions: one that never ended would never leave it.
LONGEST_SESSION = timedelta(days=30)
# Ends nearer than this to each other are the same.
TOLERANCE = timedelta(seconds=1)

# A card on a network.
Key = tuple[int, str]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one round did: sessions started and ended, and leases renewed or changed."""

    started: int = 0
    ended: int = 0
    granted: int = 0


@dataclass(slots=True)
class _Target:
    """A device that is to be online on one network, at these gateways."""

    managed: Managed
    gateways: dict[int, Gateway] = field(default_factory=dict)


def reconcile(db: Session, *, now: datetime) -> Reconciled:
    """Do one round, by all registers. Harmless to run twice, or in two places."""
    return fit(db, (each for provider in PROVIDERS for each in provider(db, now)), now=now)


def fit(db: Session, wanted: Iterable[Managed], *, now: datetime) -> Reconciled:
    """Let exactly these devices be online. Of two records of one card the first holds."""
    targets = _targets(db, wanted, now)
    running = _running(db, now)
    ended = started = granted = 0
    open_ones: dict[Key, AccessSession] = {}
    for access in _open(db):
        target = targets.get((access.network_id, access.mac))
        if target is not None and access.subject == target.managed.subject and not _is_old(access, now):
            open_ones[access.network_id, access.mac] = access
            continue
        reason = EndReason.POLICY if target is None else EndReason.EXPIRED
        ended += end.end(db, access.id, reason=reason, now=now)
    for key, target in targets.items():
        held = open_ones.get(key)
        number = _start(db, target, now=now) if held is None else held.id
        if number is None:
            continue
        started += held is None
        granted += _fit_leases(db, number, target, running.get(number, {}), now=now)
    return Reconciled(started, ended, granted)


def _targets(db: Session, wanted: Iterable[Managed], now: datetime) -> dict[Key, _Target]:
    devices = [each for each in wanted if each.until is None or each.until > now]
    gateways = _gateways(db, {number for each in devices for number in each.gateway_ids})
    blocked = {(block.target, block.network_id) for block in blocks.in_force(db, now=now)}
    targets: dict[Key, _Target] = {}
    for device in devices:
        for number in sorted(device.gateway_ids & gateways.keys()):
            gateway = gateways[number]
            if not blocked.isdisjoint({(device.mac, None), (device.mac, gateway.network_id)}):
                continue
            if not may_serve(
                gateway,
                is_restricted=device.destinations is not None,
                has_resolver=device.resolver is not None,
            ):
                continue
            target = targets.setdefault((gateway.network_id, device.mac), _Target(device))
            if target.managed is device:
                target.gateways[number] = gateway
            else:
                log.warning("%s and %s have one card", target.managed.subject, device.subject)
    return targets


def _gateways(db: Session, numbers: set[int]) -> dict[int, Gateway]:
    if not numbers:
        return {}
    found = select(Gateway).where(Gateway.id.in_(sorted(numbers)), ~Gateway.is_retired)
    whole = found.options(joinedload(Gateway.site), joinedload(Gateway.network))
    return {gateway.id: gateway for gateway in db.scalars(whole)}


def _open(db: Session) -> list[AccessSession]:
    found = select(AccessSession).where(
        AccessSession.method == SigninMethod.MANAGED, AccessSession.ended_at.is_(None)
    )
    return list(db.scalars(found.order_by(AccessSession.id), execution_options={"populate_existing": True}))


def _running(db: Session, now: datetime) -> dict[int, dict[int, list[Lease]]]:
    """The running leases of managed sessions by session and gateway, the last end last."""
    rows = db.scalars(
        select(Lease)
        .join(AccessSession, AccessSession.id == Lease.access_id)
        .where(
            AccessSession.method == SigninMethod.MANAGED,
            AccessSession.ended_at.is_(None),
            Lease.released_at.is_(None),
            Lease.until > now,
        )
        .order_by(Lease.until, Lease.id),
        execution_options={"populate_existing": True},
    )
    found: dict[int, dict[int, list[Lease]]] = {}
    for lease in rows:
        found.setdefault(lease.access_id, {}).setdefault(lease.gateway_id, []).append(lease)
    return found


def _is_old(access: AccessSession, now: datetime) -> bool:
    return access.until <= now or access.started_at + LONGEST_SESSION <= now


def _start(db: Session, target: _Target, *, now: datetime) -> int | None:
    """The new session's id; a guest's session of the card is over with it."""
    managed, gateway = target.managed, next(iter(target.gateways.values()))
    allowance = Allowance(managed.subject, SigninMethod.MANAGED, None, devices=1)
    client = _client(db, managed, gateway)
    return start.open_managed(db, client, gateway=gateway, allowance=allowance, now=now)


def _client(db: Session, managed: Managed, gateway: Gateway) -> Client:
    return Client(managed.mac, seen_addresses(db, gateway_id=gateway.id, mac=managed.mac))


def _fit_leases(
    db: Session, number: int, target: _Target, running: Mapping[int, list[Lease]], *, now: datetime
) -> int:
    """Give the session the leases that are wanted at each gateway, and take back all others; how many were written."""
    for gateway_id in sorted(running.keys() - target.gateways.keys()):
        _take_back(db, running[gateway_id], db.get_one(Gateway, gateway_id), now)
    written = [
        until
        for gateway_id, gateway in sorted(target.gateways.items())
        if (until := _fit_lease(db, number, target.managed, gateway, running.get(gateway_id, []), now=now))
    ]
    if written or running.keys() - target.gateways.keys():
        _settle(db, number, target, now)
    return len(written)


def _fit_lease(
    db: Session, number: int, managed: Managed, gateway: Gateway, running: list[Lease], *, now: datetime
) -> datetime | None:
    """When the lease that was written ends; None where what is there is as it should be."""
    last = running[-1] if running else None
    until = _until(managed, gateway, now)
    begins = now
    if last is not None:
        is_same = _is_as_wanted(last, managed, gateway)
        is_too_long = managed.until is not None and last.until > managed.until + TOLERANCE
        if is_same and not is_too_long:
            is_due = last.until - now <= RENEWED_BEFORE and gateway.capabilities.extends
            if not is_due or until <= last.until + TOLERANCE:
                return None
            begins = last.until
        elif gateway.capabilities.revokes:
            _take_back(db, running, gateway, now)
        else:
            # What it holds runs to its end there.
            return None
    leases.write(
        db,
        access_id=number,
        own_rates=managed,
        gateway=gateway,
        client=_client(db, managed, gateway),
        starts_at=begins,
        until=until,
        now=now,
        destinations=managed.destinations,
        resolver=managed.resolver,
    )
    return until


def _is_as_wanted(lease: Lease, managed: Managed, gateway: Gateway) -> bool:
    wanted = None if managed.destinations is None else [str(each) for each in managed.destinations]
    resolver = None if managed.resolver is None else str(managed.resolver)
    rates = leases.enforced_rates(managed, gateway)
    return (
        lease.mac == managed.mac
        and lease.destinations == wanted
        and lease.resolver == resolver
        and (lease.rate_down_kbps, lease.rate_up_kbps) == rates
    )


def _until(managed: Managed, gateway: Gateway, now: datetime) -> datetime:
    able = gateway.capabilities
    length = LEASE if able.extends else UNEXTENDED_LEASE
    until = now + (length if able.revokes else gateway.lease_length)
    return until if managed.until is None else min(until, managed.until)


def _take_back(db: Session, running: list[Lease], gateway: Gateway, now: datetime) -> None:
    if gateway.capabilities.revokes:
        leases.take_back(db, [lease.id for lease in running], gateway_id=gateway.id, now=now)


def _settle(db: Session, number: int, target: _Target, now: datetime) -> None:
    """The session ends with its last lease, and is at a gateway at which it is wanted."""
    until = max((lease.until for lease in leases.running(db, number, now=now)), default=now)
    db.execute(
        update(AccessSession)
        .where(AccessSession.id == number, AccessSession.ended_at.is_(None))
        .values(until=until)
        .execution_options(synchronize_session=False)
    )
    first = next(iter(target.gateways.values()))
    db.execute(
        update(AccessSession)
        .where(AccessSession.id == number, AccessSession.gateway_id.not_in(sorted(target.gateways)))
        .values(gateway_id=first.id, site_id=first.site_id)
        .execution_options(synchronize_session=False)
    )
