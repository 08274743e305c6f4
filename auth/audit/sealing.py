"""Seals for entries that are older than seals are."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.chain import AuditLink
from auth.audit.log import KEPT, AuditEntry
from auth.audit.signatures import AuditSeal, AuditSeals


def seal_all(db: Session, seals: AuditSeals) -> int:
    """Vouch for the entries that are older than seals are, as they stand; how many."""
    sealed = select(AuditSeal.number).where(AuditSeal.number == AuditLink.number)
    older = (
        select(AuditLink, AuditEntry)
        .outerjoin(AuditEntry, AuditEntry.number == AuditLink.number)
        .where(~sealed.exists())
    )
    made = [
        seals.sign(
            link.number,
            link.entry_hash,
            at=entry.at if entry else None,
            kept=entry is not None and entry.action in KEPT,
        )
        for link, entry in db.execute(older)
    ]
    db.add_all(made)
    db.flush()
    return len(made)
