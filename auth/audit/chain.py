"""The links of the audit trail: hashes that stay when what they cover has been purged.

    content_digest = SHA-256(salt ‖ canonical)                  a salt of 256 random bits for each entry
    entry_hash     = SHA-256(previous entry_hash ‖ number ‖ content_digest)      the number as 8 bytes, big-endian

The first entry follows 32 zero bytes. Once canonical bytes and salt are gone, the digest says nothing about them.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import DDL, LargeBinary, event
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base

NOTHING = bytes(32)


class TrailLink(Base):
    """The link of one entry. Never changed, never deleted."""

    __tablename__ = "trail_links"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    entry_hash: Mapped[bytes] = mapped_column(LargeBinary(32))


_ABORT = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER trail_links_no_update BEFORE UPDATE ON trail_links {_ABORT}",
        f"CREATE TRIGGER trail_links_no_delete BEFORE DELETE ON trail_links {_ABORT}",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION trail_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the trail is append-only'; END $$",
        "CREATE TRIGGER trail_links_append_only BEFORE UPDATE OR DELETE ON trail_links "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
    ),
}
for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        _ddl = DDL(_statement).execute_if(dialect=_dialect)  # type: ignore[no-untyped-call]
        event.listen(TrailLink.__table__, "after_create", _ddl)


def new_salt() -> bytes:
    return secrets.token_bytes(32)


def content_digest(salt: bytes, canonical: bytes) -> bytes:
    return hashlib.sha256(salt + canonical).digest()


def entry_hash(previous: bytes, number: int, digest: bytes) -> bytes:
    return hashlib.sha256(previous + number.to_bytes(8, "big") + digest).digest()
