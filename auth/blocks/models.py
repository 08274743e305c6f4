"""The rows of blocks: who may not come in, where, until when, and why."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key, word


class BlockKind(enum.StrEnum):
    """What a block holds for: `Block.target` is then a MAC address, or a patron's pseudonym."""

    DEVICE = "device"
    PERSON = "person"


class BlockCause(enum.StrEnum):
    """Why, in the few words that the guest is told."""

    DISTURBANCE = "disturbance"
    MISUSE = "misuse"
    LOST = "lost"
    DECISION = "decision"


class Block(Base):
    """No way in for a device or a person, on one network or (`network_id` empty) on all, until `until` or `lifted_at`.

    `note` is for staff alone; a person is a pseudonym here too.
    """

    __tablename__ = "blocks"

    id: Mapped[Key]
    kind: Mapped[BlockKind] = mapped_column(word(BlockKind))
    target: Mapped[str] = mapped_column(String(64))
    network_id: Mapped[int | None] = mapped_column(ForeignKey("networks.id"))
    cause: Mapped[BlockCause] = mapped_column(word(BlockCause))
    note: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[str | None] = mapped_column(String(80))
    lift_reason: Mapped[str | None] = mapped_column(String(200))

    def is_in_force(self, now: datetime) -> bool:
        return self.lifted_at is None and now < self.until


Index("ix_blocks_target", Block.target)
