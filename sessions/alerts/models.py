"""The rows of alerts: the people who are told, and each message about a trouble to each of them."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key, word
from sessions.alerts.quiet_hours import QuietHours
from sessions.troubles.kinds import Severity


class Stage(enum.StrEnum):
    """What of a trouble a message tells."""

    BEGAN = "began"
    OVER = "over"


class Recipient(Base):
    """An address that alerts go to by e-mail. Quiet hours are minutes of the town's day: [quiet_from, quiet_until)."""

    __tablename__ = "alert_recipients"
    __table_args__ = (
        CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet_hours"),
        CheckConstraint("quiet_from BETWEEN 0 AND 1439", name="quiet_from"),
        CheckConstraint("quiet_until BETWEEN 0 AND 1439", name="quiet_until"),
    )

    id: Mapped[Key]
    address: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(8))
    # Of this severity, or worse.
    least: Mapped[Severity] = mapped_column(word(Severity))
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    # Whether what is broken is told in quiet hours all the same.
    woken_by_broken: Mapped[bool] = mapped_column(default=False)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(80))
    retired_at: Mapped[datetime | None]

    @property
    def quiet(self) -> QuietHours | None:
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return QuietHours(self.quiet_from, self.quiet_until)


# An address is told once.
_active = Recipient.retired_at.is_(None)
Index(
    "uq_alert_recipients_active",
    Recipient.address,
    unique=True,
    sqlite_where=_active,
    postgresql_where=_active,
)


class Message(Base):
    """One thing told about one trouble to one target, once: ``mail:3``, or ``webhook``.

    The row is the claim to tell it. `sent_at` is when the other side took it; until then it is tried again from
    `try_at` on.
    """

    __tablename__ = "alert_messages"
    __table_args__ = (UniqueConstraint("trouble_id", "target", "stage"),)

    id: Mapped[Key]
    trouble_id: Mapped[int] = mapped_column(ForeignKey("troubles.id", ondelete="CASCADE"))
    target: Mapped[str] = mapped_column(String(40))
    stage: Mapped[Stage] = mapped_column(word(Stage))
    claimed_at: Mapped[datetime] = mapped_column(index=True)
    try_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    # Why the last attempt failed; empty where none did.
    failure: Mapped[str] = mapped_column(String(200), default="")


_unsent = Message.sent_at.is_(None)
Index("ix_alert_messages_unsent", Message.try_at, sqlite_where=_unsent, postgresql_where=_unsent)
