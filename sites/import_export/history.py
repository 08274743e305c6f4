"""The history of records: who changed what, when, from what to what. Every import writes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.base import Base, Json, Key

# Text by column, as a table would have it.
Cells = Mapping[str, str]


class RecordChange(Base):
    """One change of one record: the columns that it changed, as they were and as they are since.

    `before` is None for a record that was new. `undoes_id` is the change that this one took back.
    """

    __tablename__ = "record_changes"
    __table_args__ = (Index("ix_record_changes_kind_key", "kind", "key"),)

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(index=True)
    # The name of an actor, as in the audit log.
    by: Mapped[str] = mapped_column(String(80))
    before: Mapped[dict[str, str] | None] = mapped_column(Json)
    after: Mapped[dict[str, str]] = mapped_column(Json)
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("record_changes.id", ondelete="SET NULL"))


def add(
    db: Session,
    kind: str,
    key: str,
    before: Cells | None,
    after: Cells,
    *,
    by: str,
    now: datetime,
    undoes: int | None = None,
) -> RecordChange:
    """Write a change down, in the transaction that makes it."""
    was = None if before is None else dict(before)
    change = RecordChange(kind=kind, key=key, at=now, by=by, before=was, after=dict(after), undoes_id=undoes)
    db.add(change)
    return change


def of_record(db: Session, kind: str, key: str, *, most: int = 50) -> list[RecordChange]:
    """The changes of one record, the newest first."""
    mine = select(RecordChange).where(RecordChange.kind == kind, RecordChange.key == key)
    return list(db.scalars(mine.order_by(RecordChange.id.desc()).limit(most)))


def revision(db: Session, kind: str, key: str) -> int:
    """The number of a record's last change; 0 where none is written down."""
    mine = (RecordChange.kind == kind, RecordChange.key == key)
    return db.scalar(select(func.max(RecordChange.id)).where(*mine)) or 0


def find(db: Session, kind: str, key: str, change_id: int) -> RecordChange | None:
    """One change, if it is one of this record."""
    change = db.get(RecordChange, change_id)
    return change if change is not None and (change.kind, change.key) == (kind, key) else None
