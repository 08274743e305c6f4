"""The use cases of devices with a certificate: enrol one, find it when it joins, list and revoke."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import DEVICE_REVOKED, ObjectKind
from auth.audit.actor import Actor
from auth.devices import authority, certificates
from auth.devices.certificates import KeyPair
from auth.devices.errors import NoSecureNetwork, OverDevice, RevokedDevice, TooManyDevices, UnknownDevice
from auth.devices.models import Device
from auth.tokens import InvalidToken

if TYPE_CHECKING:
    from auth.encrypted_tokens import EncryptedTokens

# Short enough that a device which was sold or forgotten stops by itself within the season; a lost one is revoked.
LIFE = timedelta(days=90)
MOST_DEVICES = 5
LONGEST_NAME = 40
PURPOSE = "device login"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Who asks for a certificate: the patron, proven, and what was accepted with it."""

    subject: str
    login: str
    device: str
    # One request makes one device, however often its file is fetched.
    nonce: str
    terms_version: str
    terms_language: str
    terms_digest: str
    # The card's own end.
    card_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device's row, and what goes to the device alone."""

    device: Device
    pair: KeyPair
    authority: str


def enrol(db: Session, wish: Enrolment, *, tokens: EncryptedTokens, now: datetime) -> Enrolled:
    """Make a device's certificate; for a request that has one already, another in its place.

    Raises `TooManyDevices`, `NoSecureNetwork`, and `RevokedDevice` where it was revoked meanwhile.
    """
    try:
        signing = authority.in_force(db, tokens=tokens, now=now)
    except authority.NoAuthority as error:
        raise NoSecureNetwork from error
    device = _made_before(db, wish.nonce) or _insert(db, wish, signing, tokens=tokens, now=now)
    if device.revoked_at is not None:
        raise RevokedDevice
    pair, device.serial = certificates.make_device(signing, until=device.until, now=now)
    db.flush()
    return Enrolled(device, pair, signing.certificate)


def _made_before(db: Session, nonce: str) -> Device | None:
    return db.scalars(select(Device).where(Device.nonce == nonce).with_for_update()).one_or_none()


def _insert(
    db: Session, wish: Enrolment, signing: KeyPair, *, tokens: EncryptedTokens, now: datetime
) -> Device:
    if len(good_ones(db, wish.subject, now=now)) >= MOST_DEVICES:
        raise TooManyDevices
    until = min(now + LIFE, wish.card_until or now + LIFE, certificates.ends_at(signing.certificate))
    device = Device(
        serial=secrets.token_hex(20),
        subject=wish.subject,
        # X.509 knows whole seconds (RFC 5280 section 4.1.2.5).
        until=until.replace(microsecond=0),
        encrypted_login=tokens.encrypt(PURPOSE, {"login": wish.login}, now=now, life=until - now),
        nonce=wish.nonce,
        name=wish.device.strip()[:LONGEST_NAME],
        issued_at=now,
        terms_version=wish.terms_version,
        terms_language=wish.terms_language,
        terms_digest=wish.terms_digest,
    )
    try:
        with db.begin_nested():
            db.add(device)
    except IntegrityError:
        # The same request, sent twice at once: the other one was first.
        return _made_before(db, wish.nonce) or device
    return device


def by_serial(db: Session, serial: str, *, now: datetime) -> Device:
    """The device with this certificate. Raises `UnknownDevice`, and `RevokedDevice` or `OverDevice` with its person."""
    device = db.scalars(select(Device).where(Device.serial == _written(serial))).one_or_none()
    if device is None:
        raise UnknownDevice
    if device.is_good(now):
        return device
    error = RevokedDevice() if device.revoked_at is not None else OverDevice()
    error.subject = device.subject
    raise error


def login_of(device: Device, *, tokens: EncryptedTokens, now: datetime) -> str:
    """The card's number, for the directory. Raises `OverDevice`."""
    try:
        login: str = tokens.decrypt(PURPOSE, device.encrypted_login, now=now)["login"]
    except InvalidToken as error:
        raise OverDevice from error
    return login


def claim(db: Session, device_id: int, *, mac: str, now: datetime) -> bool:
    """Note that a device joins now with this card; False where it was revoked, or its time ended, meanwhile."""
    claimed = (
        update(Device)
        .where(Device.id == device_id, Device.revoked_at.is_(None), Device.until > now)
        .values(mac=mac, joined_at=now)
        .returning(Device.id)
        .execution_options(synchronize_session=False)
    )
    return db.scalar(claimed) is not None


def good_ones(db: Session, subject: str, *, now: datetime) -> Sequence[Device]:
    """The person's devices that may join, oldest first."""
    mine = select(Device).where(Device.subject == subject, Device.revoked_at.is_(None), Device.until > now)
    return db.scalars(mine.order_by(Device.id)).all()


def of_person(db: Session, subject: str) -> Sequence[Device]:
    """All devices of a person that are on record, newest first."""
    return db.scalars(select(Device).where(Device.subject == subject).order_by(Device.id.desc())).all()


def count_good(db: Session, *, now: datetime) -> int:
    """How many devices may join."""
    good = select(func.count()).select_from(Device).where(Device.revoked_at.is_(None), Device.until > now)
    return db.scalar(good) or 0


def revoke(db: Session, device_id: int, *, subject: str, now: datetime) -> Device | None:
    """Revoke a device of this person; None where it is none of theirs, or was revoked before."""
    revoked = (
        update(Device)
        .where(Device.id == device_id, Device.subject == subject, Device.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(Device)
        .execution_options(synchronize_session="fetch")
    )
    return db.scalars(revoked).one_or_none()


def revoke_by(
    db: Session, device_id: int, *, subject: str, network: str, actor: Actor, now: datetime
) -> Device | None:
    """The same by staff, with an audit entry."""
    device = revoke(db, device_id, subject=subject, now=now)
    if device is not None:
        log.append(
            db, DEVICE_REVOKED, ObjectKind.DEVICE.named(device_id), actor=actor, network=network, now=now
        )
    return device


def revoke_all(db: Session, *, now: datetime) -> int:
    """Revoke every device: their authority is replaced. How many."""
    good = update(Device).where(Device.revoked_at.is_(None), Device.until > now).values(revoked_at=now)
    done = db.scalars(good.returning(Device.id).execution_options(synchronize_session=False))
    return len(done.all())


def _written(serial: str) -> str:
    """A serial number in the one form that rows have. Raises `UnknownDevice` for what is none."""
    try:
        return f"{int(serial, 16):040x}" if len(serial) <= 40 else ""
    except ValueError as error:
        raise UnknownDevice from error
