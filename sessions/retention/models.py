"""The rows of keeping: the terms, the holds, what each purge did, and what the clock was seen to do."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, JsonObject, Key, word
from sessions.data_classes import DataClass


class TermUnit(enum.StrEnum):
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"


class StartEvent(enum.StrEnum):
    """The event from which a retention period runs."""

    CONNECTION_END = "connection_end"
    ACCOUNT_END = "account_end"
    # When it happened.
    EVENT = "event"


class RetentionRule(Base):
    """The retention period of a class of data and its legal basis, from valid_from on, until valid_to (exclusive).

    `valid_to` is empty while the row is in force.
    """

    __tablename__ = "retention_rules"
    __table_args__ = (CheckConstraint("term > 0", name="term"),)

    id: Mapped[Key]
    data_class: Mapped[DataClass] = mapped_column(word(DataClass))
    basis: Mapped[str] = mapped_column(String(400))
    term: Mapped[int]
    unit: Mapped[TermUnit] = mapped_column(word(TermUnit))
    starts_at: Mapped[StartEvent] = mapped_column(word(StartEvent))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]
    # Who asked for it; empty for what the law said at the beginning.
    changed_by: Mapped[str | None] = mapped_column(String(80))


_holds_now = RetentionRule.valid_to.is_(None)
Index(
    "uq_retention_rules_current",
    RetentionRule.data_class,
    unique=True,
    sqlite_where=_holds_now,
    postgresql_where=_holds_now,
)


class TermChange(Base):
    """A shorter term that somebody asked for. Once a second person has confirmed it, it waits for its day."""

    __tablename__ = "term_changes"

    id: Mapped[Key]
    data_class: Mapped[DataClass] = mapped_column(word(DataClass))
    basis: Mapped[str] = mapped_column(String(400))
    term: Mapped[int]
    unit: Mapped[TermUnit] = mapped_column(word(TermUnit))
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(String(80))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(String(80))
    # Carried out, or withdrawn by this person.
    ended_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None] = mapped_column(String(80))


_is_open = TermChange.ended_at.is_(None)
# One at a time for each class.
Index(
    "uq_term_changes_open",
    TermChange.data_class,
    unique=True,
    sqlite_where=_is_open,
    postgresql_where=_is_open,
)


class LegalHold(Base):
    """A legal hold, which excludes rows from the purge: every field that is given must match; the window is half-open.

    It holds at once. Unless a second person confirms it within a week it lapses, and at its end in any case. One that
    was confirmed is lifted by two, as well.
    """

    __tablename__ = "legal_holds"

    id: Mapped[Key]
    reference: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(400))
    # Whose it is; it covers rows of this network alone. Empty: the whole town's.
    network_id: Mapped[int | None] = mapped_column(ForeignKey("networks.id"))
    mac: Mapped[str | None] = mapped_column(String(17))
    address: Mapped[str | None] = mapped_column(String(45))
    subject: Mapped[str | None] = mapped_column(String(64))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("sites.id"))
    since: Mapped[datetime | None]
    until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None] = mapped_column(String(80))
    expires_at: Mapped[datetime]
    lift_asked_at: Mapped[datetime | None]
    lift_asked_by: Mapped[str | None] = mapped_column(String(80))
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(80))


class PurgeRefusal(enum.StrEnum):
    """Why a purge did not begin."""

    CLOCK = "clock"
    RUNAWAY = "runaway"


class PurgeRun(Base):
    """One purge, of all that was past its term at `as_of`. Killed anywhere, it goes on where it was."""

    __tablename__ = "purge_runs"

    id: Mapped[Key]
    as_of: Mapped[datetime] = mapped_column(index=True)
    # For each class the instant before which things were past their term when it began.
    cutoffs: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    # The shelf it is at.
    position: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    refused: Mapped[PurgeRefusal | None] = mapped_column(word(PurgeRefusal))
    # What the refusal went by, in plain values.
    detail: Mapped[JsonObject] = mapped_column(default=dict)
    confirmed_by: Mapped[str | None] = mapped_column(String(80))
    # Whether what was counted before is what was deleted plus what is there afterwards.
    adds_up: Mapped[bool | None]


class PurgeCount(Base):
    """The books of one purge for one table: due before = deleted + held + left."""

    __tablename__ = "purge_counts"

    run_id: Mapped[int] = mapped_column(ForeignKey("purge_runs.id"), primary_key=True)
    table: Mapped[str] = mapped_column("table_name", String(40), primary_key=True)
    data_class: Mapped[DataClass] = mapped_column(word(DataClass))
    total: Mapped[int]
    due: Mapped[int]
    deleted: Mapped[int] = mapped_column(default=0)
    held: Mapped[int]
    left: Mapped[int | None]


class ClockWatch(Base):
    """The latest time that was believed, and again as `doubted_from` while the clock is implausible. One row."""

    __tablename__ = "clock_watch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime]
    doubted_from: Mapped[datetime | None]
