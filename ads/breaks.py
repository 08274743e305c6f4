"""Breaks that have begun: what a client is being shown, so that a captive window that was closed goes on where it was.

One row for each device at a gateway, under a pseudonym, until it accepts or an hour has passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Executable, bindparam, delete, select
from sqlalchemy.orm import Session

from ads.models import Impression, OpenBreak
from db.prepared import Prepared
from db.statements import Insert, for_either, table_of

# As long as a ticket is good: later another break begins.
BREAK_LIFE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Break:
    """Since when (`began_at`), what is shown, and since when that (`shown_at`): another message may take its place."""

    subject: str
    nonce: str
    creative_id: int
    began_at: datetime
    shown_at: datetime
    draw: int | None
    previous_id: int | None
    choice_digest: str | None


def find(db: Session, subject: str, *, now: datetime) -> Break | None:
    """The break that this client is in; None where its message was accepted, or it began too long ago."""
    row = _FIND.first(db, subject=subject, oldest=now - BREAK_LIFE)
    return None if row is None else Break(*row)


def is_spent(db: Session, nonce: str) -> bool:
    """Whether this message was accepted."""
    return db.scalar(select(Impression.id).where(Impression.nonce == nonce)) is not None


def write(db: Session, breaks: Iterable[Break]) -> None:
    """Remember them, each in the place of its client's former one. Harmless to repeat."""
    rows = [asdict(one) for one in sorted(breaks, key=lambda one: one.subject)]
    if rows:
        db.execute(_WRITE.on(db), rows)


def forget(db: Session, *, before: datetime) -> None:
    """Drop those that began before this."""
    db.execute(delete(OpenBreak).where(OpenBreak.began_at < before))


def _writing(insert: Insert) -> Executable:
    fresh = insert(_breaks)
    others = {
        column.name: fresh.excluded[column.name] for column in _breaks.columns if not column.primary_key
    }
    statement: Executable = fresh.on_conflict_do_update(index_elements=[_breaks.c.subject], set_=others)
    return statement


_breaks = table_of(OpenBreak)
_WRITE = for_either(_writing)
_FIND = Prepared(
    select(*(_breaks.c[name] for name in Break.__dataclass_fields__)).where(
        _breaks.c.subject == bindparam("subject"),
        _breaks.c.began_at > bindparam("oldest"),
        ~select(Impression.id).where(Impression.nonce == _breaks.c.nonce).exists(),
    )
)
