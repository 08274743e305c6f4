"""The rows of day passes: what a pass is worth, the batches printed, and every pass. No code is ever stored."""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, Json, Key, Slug, word


class PlanKind(enum.StrEnum):
    """The way in which a plan counts time from the first use."""

    UNTIL_MIDNIGHT = "until_midnight"
    ROLLING_HOURS = "rolling_hours"
    UNTIL_CLOSING = "until_closing"
    FIXED_MINUTES = "fixed_minutes"


class VoidReason(enum.StrEnum):
    SPOILED = "spoiled"
    LOST = "lost"
    UNUSED = "unused"
    REPLACED = "replaced"
    # Taken back from its holder.
    REVOKED = "revoked"


class Plan(Base):
    """The plan of a pass. `auth.vouchers.plans.until` says when one ends; empty lists mean "everywhere"."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("length_minutes >= 0 AND grace_minutes >= 0 AND least_minutes >= 0", name="minutes"),
        CheckConstraint(
            "length_minutes > 0 OR kind IN ('until_midnight', 'until_closing')", name="length_minutes"
        ),
        CheckConstraint("devices > 0", name="devices"),
        CheckConstraint("rate_down_kbps >= 0 AND rate_up_kbps >= 0", name="rates"),
    )

    id: Mapped[Key]
    slug: Mapped[Slug]
    # By language: {"fr": "Journée", "en": "Day"}.
    names: Mapped[dict[str, str]] = mapped_column(Json)
    kind: Mapped[PlanKind] = mapped_column(word(PlanKind))
    # For rolling hours and fixed minutes.
    length_minutes: Mapped[int] = mapped_column(default=0)
    # For until closing: how long after it.
    grace_minutes: Mapped[int] = mapped_column(default=0)
    # One that is first used late lasts so long at least, past midnight or closing.
    least_minutes: Mapped[int] = mapped_column(default=0)
    # The calendar end: nothing of this plan lasts longer.
    ends_at: Mapped[datetime | None]
    # At once.
    devices: Mapped[int] = mapped_column(default=1)
    # Replace the ceilings of network and site; empty means theirs.
    rate_down_kbps: Mapped[int | None]
    rate_up_kbps: Mapped[int | None]
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    sites: Mapped[list[str]] = mapped_column(Json, default=list)
    # Whether more are issued: those that were stay good.
    is_offered: Mapped[bool] = mapped_column(default=True, server_default=true())


class Batch(Base):
    """Passes issued together. `count` is how many at first; replacements add to them."""

    __tablename__ = "voucher_batches"

    id: Mapped[Key]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    count: Mapped[int]
    note: Mapped[str] = mapped_column(String(200), default="")
    event: Mapped[str] = mapped_column(String(120), default="")
    issued_at: Mapped[datetime] = mapped_column(index=True)
    # Who, and at which desk (a site's slug; empty for the command line).
    issued_by: Mapped[str] = mapped_column(String(120))
    desk_site: Mapped[str] = mapped_column(String(64), default="")
    # Before this instant, the midnight that begins the first day, no pass of the batch lets anybody in.
    starts_at: Mapped[datetime | None]
    # The last instant of use, decided when it was issued: later changes of the plan do not move it.
    ends_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]

    plan: Mapped[Plan] = relationship()


class BatchKey(Base):
    """What the codes of some passes of a batch are drawn from, encrypted, until its day is over (`auth.reprints`)."""

    __tablename__ = "batch_keys"

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("voucher_batches.id", ondelete="CASCADE"), index=True)
    until: Mapped[datetime] = mapped_column(index=True)
    # Opens with the installation's secret alone.
    encrypted_key: Mapped[str] = mapped_column(String(400))


class Voucher(Base):
    """One pass. Its state follows from `used_at`, `until`, `voided_at` and its batch's end: it is stored nowhere.

    `digest` is the keyed hash of the code. `number` counts within the batch, so that a ticket is found without its
    code. `until` is fixed by the first use; a replacement takes that of the pass it replaces.
    """

    __tablename__ = "vouchers"
    __table_args__ = (
        UniqueConstraint("batch_id", "number"),
        CheckConstraint("used_at IS NULL OR until IS NOT NULL", name="used"),
        CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void"),
    )

    id: Mapped[Key]
    batch_id: Mapped[int] = mapped_column(ForeignKey("voucher_batches.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    until: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[VoidReason | None] = mapped_column(word(VoidReason))
    voided_by: Mapped[str | None] = mapped_column(String(120))
    # The pass that this one replaces; each is replaced once.
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("vouchers.id"), unique=True)

    batch: Mapped[Batch] = relationship()

    @property
    def mark(self) -> str:
        """The number beside the code on a ticket: ``12-7`` is the seventh pass of batch 12."""
        return f"{self.batch_id}-{self.number}"
