"""The rows of troubles."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, JsonObject, Key


class Trouble(Base):
    """Something that is broken, or was: `over_at` is empty while it lasts.

    `kind` is a name in `sessions.troubles.kinds`; one that a newer version wrote may be unknown to this one.
    """

    __tablename__ = "troubles"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(40))
    # What is broken, in the kind's own terms: a gateway's name, the number of a hold.
    subject: Mapped[str] = mapped_column(String(160))
    # Slugs of the networks that it concerns; none: the whole town.
    networks: Mapped[list[str]] = mapped_column(Json, default=list)
    # Plain values for its words.
    detail: Mapped[JsonObject] = mapped_column(default=dict)
    since: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    over_at: Mapped[datetime | None] = mapped_column(index=True)
    # When an alert of its beginning, and of its end, has left.
    told_at: Mapped[datetime | None]
    over_told_at: Mapped[datetime | None]


# A thing is broken in one way once at a time.
_lasting = Trouble.over_at.is_(None)
Index(
    "uq_troubles_lasting",
    Trouble.kind,
    Trouble.subject,
    unique=True,
    sqlite_where=_lasting,
    postgresql_where=_lasting,
)
