"""The links of the audit log: hashes that stay when what they cover has been purged.

    content_digest = SHA-256(salt ‖ canonical)                  a salt of 256 random bits for each entry
    entry_hash     = SHA-256(previous entry_hash ‖ number ‖ content_digest)      the number as 8 bytes, big-endian

The first entry follows 32 zero bytes. Once canonical bytes and salt are gone, the digest says nothing about them.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from auth.audit.append_only import never_changed, run_after_create
from db.base import Base

NOTHING = bytes(32)


class AuditLink(Base):
    """The link of one entry. Never changed, never deleted."""

    __tablename__ = "trail_links"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    entry_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


APPEND_ONLY = never_changed(AuditLink.__tablename__)
run_after_create(AuditLink, APPEND_ONLY)


def new_salt() -> bytes:
    return secrets.token_bytes(32)


def content_digest(salt: bytes, canonical: bytes) -> bytes:
    return hashlib.sha256(salt + canonical).digest()


def entry_hash(previous: bytes, number: int, digest: bytes) -> bytes:
    return hashlib.sha256(previous + number.to_bytes(8, "big") + digest).digest()
