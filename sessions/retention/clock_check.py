"""Whether the clock can be believed before anything is deleted by it.

Every round remembers the time. A round that comes much later than the one before is either a machine that was off for
long, or a clock that jumped: then nothing is deleted until the clock is back, or a person has said that it is right.
What the jump wrote itself (rows received "in ten years") proves nothing, so it is remembered that there was one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from sessions.retention.models import ClockWatch, PurgeRun
from sites.models import Feed

JUMP = timedelta(days=7)
# Not every round needs a line of its own.
REMEMBERED_EVERY = timedelta(minutes=1)


def look(db: Session, *, now: datetime) -> bool:
    """Whether `now` is plausible; remembers what was seen."""
    watch = db.get(ClockWatch, 1)
    if watch is None:
        reference = _newest(db)
        watch = ClockWatch(id=1, seen_at=reference or now, doubted_from=None)
        db.add(watch)
    if watch.doubted_from is not None and now <= watch.doubted_from + JUMP:
        # It is back where it was.
        watch.doubted_from = None
    if watch.doubted_from is None and now > watch.seen_at + JUMP:
        watch.doubted_from = watch.seen_at
    if watch.doubted_from is not None:
        return False
    if now > watch.seen_at + REMEMBERED_EVERY:
        watch.seen_at = now
    return True


def doubted_from(db: Session) -> datetime | None:
    """The last time that was believed, while the clock is doubted."""
    watch = db.get(ClockWatch, 1)
    return watch.doubted_from if watch else None


def last_seen(db: Session) -> datetime | None:
    """When a round last remembered the time: within a minute or so, while the sweep runs and the clock is believed."""
    watch = db.get(ClockWatch, 1)
    return watch.seen_at if watch else None


def believe(db: Session, *, now: datetime) -> None:
    """A person says that the clock is right."""
    look(db, now=now)
    watch = db.get_one(ClockWatch, 1)
    watch.seen_at, watch.doubted_from = now, None


def _newest(db: Session) -> datetime | None:
    """The newest time that this machine wrote down, where no round has been remembered yet."""
    times = [
        db.scalar(select(func.max(AuditEntry.at))),
        db.scalar(select(func.max(Feed.seen_at))),
        db.scalar(select(func.max(PurgeRun.as_of))),
    ]
    return max((at for at in times if at is not None), default=None)
