"""The portal's own table of cards as staff see it: counted, looked through, and what a file would do to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import PATRONS_IMPORTED, ObjectKind
from auth.audit.actor import Actor
from auth.patrons.csv_import import Imported, PreparedCard, write
from auth.patrons.local import PatronRecord
from auth.patrons.login_names import normalise_login


@dataclass(frozen=True, slots=True)
class CardCount:
    """How many cards there are, and how many of them let nobody in: blocked, or past their last day."""

    cards: int
    blocked: int
    over: int


def count(db: Session, *, today: date) -> CardCount:
    over = PatronRecord.expires_on < today
    row = db.execute(
        select(
            func.count(), func.count(case((PatronRecord.blocked, 1))), func.count(case((over, 1)))
        ).select_from(PatronRecord)
    ).one()
    return CardCount(*row)


def listed(db: Session, *, beginning: str = "", after: str = "", most: int = 100) -> Sequence[PatronRecord]:
    """The cards whose number begins so, in order of their numbers, from the one after `after` on."""
    statement = select(PatronRecord).where(PatronRecord.card > after).order_by(PatronRecord.card).limit(most)
    folded = normalise_login(beginning)
    if folded:
        statement = statement.where(PatronRecord.card.startswith(folded, autoescape=True))
    return db.scalars(statement).all()


def take_in(db: Session, cards: Sequence[PreparedCard], *, actor: Actor, now: datetime) -> Imported:
    """Write prepared cards, with an audit entry that names none of them."""
    done = write(db, cards)
    log.append(
        db,
        PATRONS_IMPORTED,
        ObjectKind.PATRONS.value,
        actor=actor,
        detail={"added": done.added, "changed": done.changed, "unchanged": done.unchanged},
        now=now,
    )
    return done
