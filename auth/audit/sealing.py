"""Seals for entries that are older than seals are."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.chain import TrailLink
from auth.audit.log import KEPT, TrailEntry
from auth.audit.signatures import TrailSeal, TrailSeals


def seal_all(db: Session, seals: TrailSeals) -> int:
    """Vouch for the entries that are older than seals are, as they stand; how many."""
    sealed = select(TrailSeal.number).where(TrailSeal.number == TrailLink.number)
    older = (
        select(TrailLink, TrailEntry)
        .outerjoin(TrailEntry, TrailEntry.number == TrailLink.number)
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
