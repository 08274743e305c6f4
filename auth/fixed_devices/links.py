"""The owner's page: one secret address for one device, made by staff and revoked by staff.

The secret is drawn from the installation's key and from when the link was made, so that staff can show it again; the
database holds its digest alone, by which the device is found.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit import actions, log
from auth.audit.actions import ObjectKind
from auth.audit.actor import Actor
from auth.fixed_devices.models import FixedDevice
from auth.rate_limits import RateLimit
from config import Secret

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


class OwnerLinks:
    """Makes the secrets of owners' pages: 256 bits each, so that nobody finds one by trying."""

    def __init__(self, secret: Secret) -> None:
        own = secret.reveal().encode()
        self._key = hmac.new(own, b"arobase owners of fixed devices", hashlib.sha256).digest()

    def secret_of(self, device: FixedDevice) -> str | None:
        """The secret of the link that a device has now; None where it has none."""
        if device.link_digest is None or device.link_made_at is None:
            return None
        secret = self._secret(device.id, device.link_made_at)
        # Of another installation's key, after a restore: nobody could open it.
        return secret if _digest(secret) == device.link_digest else None

    def make(self, db: Session, device: FixedDevice, *, actor: Actor, now: datetime) -> None:
        """Make a link; one that was there before opens nothing any more."""
        device.link_made_at = now
        device.link_digest = _digest(self._secret(device.id, now))
        _note(db, actions.DEVICE_LINK_MADE, device, actor=actor, now=now)

    def _secret(self, number: int, made_at: datetime) -> str:
        message = f"{number}\0{made_at.timestamp():.6f}".encode()
        digest = hmac.new(self._key, message, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def revoke(db: Session, device: FixedDevice, *, actor: Actor, now: datetime) -> None:
    """Nobody sees the owner's page from now on. Harmless to repeat."""
    if device.link_digest is None:
        return
    device.link_digest, device.link_made_at = None, None
    _note(db, actions.DEVICE_LINK_REVOKED, device, actor=actor, now=now)


def find(db: Session, secret: str) -> FixedDevice | None:
    """The device whose owner has this secret."""
    if not _SECRET.fullmatch(secret):
        return None
    return db.scalar(select(FixedDevice).where(FixedDevice.link_digest == _digest(secret)))


def limit(address: str) -> RateLimit:
    """How often somebody at one address may look, right or wrong."""
    return RateLimit(f"device-link:{address}", most=60)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _note(
    db: Session, action: actions.AuditAction, device: FixedDevice, *, actor: Actor, now: datetime
) -> None:
    named = ObjectKind.FIXED_DEVICE.named(device.slug)
    log.append(db, action, named, actor=actor, now=now, network=device.network.slug)
