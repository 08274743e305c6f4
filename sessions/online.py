"""How many people's devices are online: now, and over the last day. Devices of registers are not counted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sessions.models import AccessSession
from sites.models import Network, SigninMethod

DAY, STEP = timedelta(days=1), timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class LastDay:
    """How many were online at each quarter of an hour, from `since` (a day ago) to now, both included."""

    since: datetime
    counts: tuple[int, ...]

    @property
    def now(self) -> int:
        return self.counts[-1]

    @property
    def most(self) -> int:
        return max(self.counts)

    @property
    def most_at(self) -> datetime:
        """When the most were online, the first time."""
        return self.since + self.counts.index(self.most) * STEP


def last_day(db: Session, *, now: datetime, networks: Collection[str] = ()) -> LastDay:
    """The last day on these networks (slugs; none named: all)."""
    since = now - DAY
    end = func.coalesce(AccessSession.ended_at, AccessSession.until, type_=AccessSession.until.type)
    ran = select(AccessSession.started_at, end).where(AccessSession.method != SigninMethod.MANAGED)
    if networks:
        mine = select(Network.id).where(Network.slug.in_(sorted(networks)))
        ran = ran.where(AccessSession.network_id.in_(mine))
    # Each half by an index of its own.
    halves = (AccessSession.ended_at.is_(None), AccessSession.ended_at > since)
    rows = [row for half in halves for row in db.execute(ran.where(half)).all()]
    starts = sorted(started for started, _ in rows)
    ends = sorted(ended for _, ended in rows)
    instants = [since + number * STEP for number in range(DAY // STEP + 1)]
    return LastDay(since, tuple(bisect_right(starts, at) - bisect_right(ends, at) for at in instants))
