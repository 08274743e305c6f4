"""The seals of the audit log: who has the database and not the installation's secret can write no entry.

    seal = HMAC-SHA-256(key, number ‖ entry_hash ‖ written_at ‖ kept)     number as 8 bytes, big-endian; the time in
                                                                          microseconds, 8 bytes; kept as one byte

Each entry has one beside its link (`auth.audit.chain`). It stays when the content is purged, and so do the time, by
which the purge is checked against its term, and the mark of entries that no purge may take.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from auth.audit.append_only import never_changed, run_after_create
from auth.audit.chain import AuditLink
from config import Secret
from db.base import Base

# Where a session keeps what seals its entries (`sqlalchemy.orm.Session.info`).
INFO = "trail seals"


class AuditSeal(Base):
    """The seal of one entry. Never changed, never deleted. `at` is empty where the entry was purged before there were
    seals."""

    __tablename__ = "trail_seals"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime | None]
    kept: Mapped[bool]
    seal: Mapped[bytes] = mapped_column(LargeBinary(32))


APPEND_ONLY = never_changed(AuditSeal.__tablename__)
run_after_create(AuditSeal, APPEND_ONLY)


class AuditSeals:
    """Makes and checks seals. One for each process."""

    def __init__(self, secret: Secret) -> None:
        self._key = hmac.new(secret.reveal().encode(), b"arobase trail seal", "sha256").digest()

    def sign(self, number: int, entry_hash: bytes, *, at: datetime | None, kept: bool) -> AuditSeal:
        return AuditSeal(number=number, at=at, kept=kept, seal=self._mac(number, entry_hash, at, kept))

    def fits(self, link: AuditLink, seal: AuditSeal | None) -> bool:
        """Whether this is our seal of the entry behind this link."""
        if seal is None:
            return False
        return hmac.compare_digest(
            self._mac(link.number, link.entry_hash, seal.at, seal.kept), bytes(seal.seal)
        )

    def _mac(self, number: int, entry_hash: bytes, at: datetime | None, kept: bool) -> bytes:
        micros = 0 if at is None else round(at.timestamp() * 1_000_000)
        parts = (
            number.to_bytes(8, "big"),
            entry_hash,
            micros.to_bytes(8, "big", signed=True),
            bytes([kept]),
        )
        return hmac.new(self._key, b"".join(parts), "sha256").digest()


def of_session(db: Session) -> AuditSeals | None:
    """What seals the entries of this session; None for a tool that has no secret."""
    found = db.info.get(INFO)
    return found if isinstance(found, AuditSeals) else None
