"""The authority of the installation: made once, renewed or replaced by the operator, its key encrypted in its row.

Its key is encrypted with one made of the installation's secret, as all secrets of the portal are: every process can
sign, backups hold nothing that a thief could use, and there is no further file to keep.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import AUTHORITY_MADE, AUTHORITY_RENEWED, ObjectKind
from auth.audit.actor import Actor
from auth.devices import certificates
from auth.devices.certificates import KeyPair
from auth.devices.models import CertificateAuthority
from auth.tokens import InvalidToken

if TYPE_CHECKING:
    from auth.encrypted_tokens import EncryptedTokens

PURPOSE = "certificate authority"
# As long as the row may be looked at: longer than any certificate.
KEPT = timedelta(days=7300)


class ExistingAuthority(Exception):
    """There is one already."""


class NoAuthority(Exception):
    """None has been made yet."""


def newest(db: Session) -> CertificateAuthority | None:
    """The authority in force, if one was made."""
    return db.scalars(select(CertificateAuthority).order_by(CertificateAuthority.id.desc()).limit(1)).first()


def in_force(db: Session, *, tokens: EncryptedTokens, now: datetime) -> KeyPair:
    """Certificate and key of the authority in force. Raises `NoAuthority`."""
    row = newest(db)
    if row is None:
        raise NoAuthority
    try:
        return KeyPair(row.certificate, tokens.decrypt(PURPOSE, row.encrypted_key, now=now)["key"])
    except InvalidToken as error:
        # Another secret of the installation than the one that it was made with.
        raise NoAuthority from error


def make(
    db: Session,
    name: str,
    *,
    tokens: EncryptedTokens,
    actor: Actor,
    now: datetime,
    is_replacing: bool = False,
) -> CertificateAuthority:
    """Make an authority; its row. Raises `ExistingAuthority` unless it `is_replacing` one.

    After a replacement no certificate of before is good, and every device needs a new profile.
    """
    if newest(db) is not None and not is_replacing:
        raise ExistingAuthority
    made = certificates.make_authority(name, now=now)
    row = _keep(db, made, tokens=tokens, now=now)
    log.append(db, AUTHORITY_MADE, ObjectKind.AUTHORITY.named(row.id), actor=actor, now=now)
    return row


def renew(db: Session, *, tokens: EncryptedTokens, actor: Actor, now: datetime) -> CertificateAuthority:
    """Give the authority a new certificate of the same key: devices of before go on. Raises `NoAuthority`."""
    before = in_force(db, tokens=tokens, now=now)
    made = certificates.make_authority(certificates.name_of(before.certificate), now=now, key=before.key)
    row = _keep(db, made, tokens=tokens, now=now)
    log.append(db, AUTHORITY_RENEWED, ObjectKind.AUTHORITY.named(row.id), actor=actor, now=now)
    return row


def _keep(db: Session, made: KeyPair, *, tokens: EncryptedTokens, now: datetime) -> CertificateAuthority:
    encrypted = tokens.encrypt(PURPOSE, {"key": made.key}, now=now, life=KEPT)
    row = CertificateAuthority(certificate=made.certificate, encrypted_key=encrypted, created_at=now)
    db.add(row)
    db.flush()
    return row
