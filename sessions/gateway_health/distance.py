"""How far gateways are from the table of leases, by what they have confirmed of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from sessions.models import AccessSession, Lease
from sites.models import Feed


@dataclass(frozen=True, slots=True)
class Distance:
    """Leases that run at one gateway and on which it has not spoken, or has refused; and the same of their ends.

    `waiting_since` and `ending_since` are when the oldest of those without a word was written, or taken back.
    """

    waiting: int = 0
    refused: int = 0
    ending: int = 0
    refused_ends: int = 0
    waiting_since: datetime | None = None
    ending_since: datetime | None = None

    @property
    def is_none(self) -> bool:
        return not (self.waiting or self.refused or self.ending or self.refused_ends)


def measure(db: Session, *, now: datetime) -> Mapping[int, Distance]:
    """Every gateway that is off, by its id. A lease that is over is no longer anywhere: gateways end it themselves, or
    their kind's lag says that they have not been told."""
    granted = Lease.released_at.is_(None) & Lease.confirmed_at.is_(None) & AccessSession.ended_at.is_(None)
    # One that confirms versions has said of all ends up to its own that they are kept.
    ended = and_(
        Lease.released_at.is_not(None),
        Lease.confirmed_at.is_not(None),
        Lease.release_confirmed_at.is_(None),
        Lease.version > Feed.confirmed_version,
    )
    waiting, refused = granted & Lease.refused.is_(None), granted & Lease.refused.is_not(None)
    ending, refused_end = ended & Lease.release_refused.is_(None), ended & Lease.release_refused.is_not(None)
    rows = db.execute(
        select(
            Lease.gateway_id,
            *(func.sum(case((one, 1), else_=0)) for one in (waiting, refused, ending, refused_end)),
            func.min(case((waiting, Lease.created_at))),
            func.min(case((ending, Lease.released_at))),
        )
        .join(Feed, Feed.gateway_id == Lease.gateway_id)
        .join(AccessSession, AccessSession.id == Lease.access_id)
        .where(Lease.until > now, or_(granted, ended))
        .group_by(Lease.gateway_id)
    )
    return {number: Distance(*counts) for number, *counts in rows}
