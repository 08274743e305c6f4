"""A patron's device joins the encrypted network by its certificate: the sign-in that has no page.

What a sign-in asks is asked here too, but for the PIN, which is not there: it was right when the certificate was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.actor import Actor
from auth.devices import service as devices
from auth.devices.errors import ClosedLibrary, GoneCard, RevokedDevice
from auth.devices.models import Device
from auth.errors import AuthError, WrongCredentials, WrongPlace
from db.engine import SessionMaker, reading
from gateways.types import Client, MacAddress
from sessions import clients, end, nas_signin, patrons, start
from sessions.arrival import Acceptance, Arrival
from sessions.clients import SeenAccess
from sessions.first_leases import once_more
from sessions.models import AccessSession, EndReason
from sessions.nas_signin import HeldLease
from sites.limits import is_closed
from sites.models import Gateway, SigninMethod

if TYPE_CHECKING:
    from auth.encrypted_tokens import EncryptedTokens
    from auth.patrons.directory import Directory
    from auth.pseudonyms import Pseudonyms


@dataclass(frozen=True, slots=True)
class Joining:
    """A device that has shown the certificate with this serial number, and that it has the key, at a gateway."""

    gateway: Gateway
    mac: MacAddress
    serial: str


def join(
    make_session: SessionMaker,
    joining: Joining,
    *,
    directory: Directory,
    pseudonyms: Pseudonyms,
    tokens: EncryptedTokens,
    now: datetime,
) -> HeldLease | None:
    """Let the device in; the lease that it has now, None where its session has just ended. No transaction waits for the
    directory.

    One that is online already goes on, and the directory is not asked again until its session is over: access points
    ask anew whenever a device walks from one to the next. Raises `AuthError`, whose `subject` says whom it is about.
    """
    gateway = joining.gateway
    with reading(make_session) as db:
        device = devices.by_serial(db, joining.serial, now=now)
        running = _running(db, joining, device, now=now)
    if running is not None:
        return running
    try:
        _ask(device, gateway, directory=directory, pseudonyms=pseudonyms, tokens=tokens, now=now)
        return once_more(lambda: _open(make_session, joining, device, now=now))
    except AuthError as error:
        error.subject = device.subject
        raise


def _running(db: Session, joining: Joining, device: Device, *, now: datetime) -> HeldLease | None:
    """The lease that this device has here already."""
    gateway = joining.gateway
    access = clients.online(db, network_id=gateway.network_id, mac=joining.mac, now=now)
    if access is None or access.subject != device.subject or device.mac != joining.mac:
        return None
    return nas_signin.lease_of(db, gateway=gateway, number=access.id, now=now)


def _open(make_session: SessionMaker, joining: Joining, device: Device, *, now: datetime) -> HeldLease | None:
    gateway = joining.gateway
    with make_session.begin() as db:
        if not devices.claim(db, device.id, mac=joining.mac, now=now):
            raise RevokedDevice
        arrival = Arrival(gateway, Client(joining.mac, ()), _accepted(device))
        allowance = patrons.allowance_of(device.subject, gateway, now)
        opened = start.open_access(db, arrival, allowance=allowance, now=now)
        return nas_signin.lease_of(db, gateway=gateway, number=opened.access_id, now=now)


def _ask(
    device: Device,
    gateway: Gateway,
    *,
    directory: Directory,
    pseudonyms: Pseudonyms,
    tokens: EncryptedTokens,
    now: datetime,
) -> None:
    """Whether the patron may come in here now. Raises `AuthError`."""
    if not gateway.network.allows(SigninMethod.PATRON):
        raise WrongPlace
    if is_closed(gateway, now):
        raise ClosedLibrary
    found = directory.find(devices.login_of(device, tokens=tokens, now=now))
    if patrons.pseudonym_of(found, pseudonyms) != device.subject:
        raise GoneCard
    try:
        directory.look_at(found, today=gateway.site.local_day(now))
    except WrongCredentials as error:
        raise GoneCard from error


def _accepted(device: Device) -> Acceptance:
    return Acceptance(device.terms_version, device.terms_language, device.terms_digest)


def stays_of(db: Session, device: Device) -> list[int]:
    """The open sessions of the card that a device joined with last: its own, however it signed in."""
    open_ones = select(AccessSession.id).where(
        AccessSession.subject == device.subject,
        AccessSession.mac == device.mac,
        AccessSession.ended_at.is_(None),
    )
    return list(db.scalars(open_ones)) if device.mac else []


def revoke(db: Session, device_id: int, *, access: AccessSession | SeenAccess, now: datetime) -> list[int]:
    """Revoke a device of the person of this session, at that person's wish; the sessions that ended with it."""
    device = devices.revoke(db, device_id, subject=access.subject, now=now)
    ended = stays_of(db, device) if device is not None else []
    for number in ended:
        end.end(db, number, reason=EndReason.LEFT, now=now)
    return ended


def revoke_by(
    db: Session, device_id: int, *, access: AccessSession, actor: Actor, now: datetime
) -> list[int]:
    """The same by staff, who came from that session; with audit entries."""
    network = access.network.slug
    device = devices.revoke_by(db, device_id, subject=access.subject, network=network, actor=actor, now=now)
    return end.end_all_by(db, stays_of(db, device), actor=actor, now=now) if device is not None else []
