"""The rows of this room: what a credential is worth, and the budgets against guessing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Key, word
from sites.models import SigninMethod


class Entitlement(Base):
    """One person's allowance on one network. The person owns the time; devices only use it.

    `subject` is a pseudonym (see `auth.pseudonyms`). `until` is empty where only leases bound the time, as on the
    free network. The row is reused once it is over: the access sessions are the history.
    """

    __tablename__ = "entitlements"
    __table_args__ = (UniqueConstraint("subject", "network_id"),)

    id: Mapped[Key]
    subject: Mapped[str] = mapped_column(String(64))
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"))
    method: Mapped[SigninMethod] = mapped_column(word(SigninMethod))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    devices: Mapped[int]
    # Ceilings in kbit/s that replace those of network and site; empty means theirs.
    rate_down_kbps: Mapped[int | None]
    rate_up_kbps: Mapped[int | None]


class Attempt(Base):
    """A counter of recent attempts. `key` names what the rate limit protects, never in clear."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
