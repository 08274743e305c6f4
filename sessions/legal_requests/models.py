"""The rows of the register of requisitions. It is itself secret, and no purge of the log touches it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.base import Base, Json, JsonObject, Key


class RequisitionBasis(Base):
    """A right by which somebody may ask. A list that the town edits: the code of criminal procedure is renumbered."""

    __tablename__ = "requisition_bases"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(String(40), unique=True)
    text: Mapped[str] = mapped_column(String(300))
    # Whoever asks by "another right" has to name it.
    needs_text: Mapped[bool] = mapped_column(default=False)
    retired_at: Mapped[datetime | None]


class Requisition(Base):
    """One requisition as it came in. `scope` is `sessions.legal_requests.scopes.RequestScope` in plain values."""

    __tablename__ = "requisitions"

    id: Mapped[Key]
    authority: Mapped[str] = mapped_column(String(200))
    signer: Mapped[str] = mapped_column(String(120))
    reference: Mapped[str] = mapped_column(String(120))
    basis_id: Mapped[int] = mapped_column(ForeignKey("requisition_bases.id"))
    basis_text: Mapped[str] = mapped_column(String(300), default="")
    scope: Mapped[JsonObject]
    # Slugs of the networks that are searched; none: all of them. Staff of some networks register for those alone.
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    received_at: Mapped[datetime]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str] = mapped_column(String(80))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None] = mapped_column(String(80))

    basis: Mapped[RequisitionBasis] = relationship()
    answers: Mapped[list[RequisitionAnswer]] = relationship(order_by="RequisitionAnswer.id")


class RequisitionAnswer(Base):
    """A package that was given. The package itself is not kept: its digest says which one it was."""

    __tablename__ = "requisition_answers"

    id: Mapped[Key]
    requisition_id: Mapped[int] = mapped_column(ForeignKey("requisitions.id"), index=True)
    answered_at: Mapped[datetime]
    answered_by: Mapped[str] = mapped_column(String(80))
    sessions: Mapped[int]
    # SHA-256 of the package, as 64 hexadecimal digits.
    digest: Mapped[str] = mapped_column(String(64))
