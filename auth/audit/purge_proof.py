"""What the log itself says was purged, and whether what is missing can have been: by number, time and anchor."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.actions import AUDIT_LOG_PURGED
from auth.audit.anchors import Anchor
from auth.audit.chain import AuditLink
from auth.audit.log import AuditEntry
from auth.audit.purge import SHORTEST_TERM
from auth.audit.signatures import AuditSeal

# The clocks of two machines, and of one that was set.
SLACK = timedelta(hours=1)
Believed = Callable[[Session, AuditLink, AuditEntry], bool]


@dataclass(frozen=True, slots=True)
class Purges:
    """`up_to` in ascending order, each with the latest instant before which a purge that reaches so far took entries
    (None: those of a portal that did not say). `forged` is the first entry about a purge that is not believed."""

    up_to: tuple[int, ...]
    before: tuple[datetime | None, ...]
    anchors: tuple[Anchor, ...]
    forged: int | None = None

    def took(self, number: int, seal: AuditSeal | None) -> bool:
        """Whether a purge reached so far, and could take this entry."""
        return bool(self.up_to) and number <= self.up_to[-1] and not (seal is not None and seal.kept)

    def is_early(self, number: int, seal: AuditSeal | None) -> bool:
        """Whether an entry that is gone was younger than the purges say that took so much."""
        before = self.before[bisect_left(self.up_to, number)]
        if seal is not None and seal.at is not None and (before is None or seal.at >= before):
            return True
        seen = bisect_left(self.anchors, number, key=lambda anchor: anchor.number)
        # The anchor did not see it yet, so it was written afterwards.
        return before is not None and seen > 0 and self.anchors[seen - 1].at > before + SLACK


def read(db: Session, anchors: Sequence[Anchor], *, believed: Believed) -> Purges:
    """The purges of the audit log, of those entries that are `believed`."""
    statement = (
        select(AuditLink, AuditEntry)
        .join(AuditEntry, AuditEntry.number == AuditLink.number)
        .where(AuditEntry.action == AUDIT_LOG_PURGED.key)
        .order_by(AuditEntry.number)
    )
    found, forged = [], None
    for link, entry in db.execute(statement):
        up_to = entry.detail.get("up to")
        if not isinstance(up_to, int) or not believed(db, link, entry) or _is_hasty(entry):
            forged = forged or entry.number
        else:
            found.append((min(up_to, entry.number - 1), _before(entry)))
    found.sort(key=lambda purge: purge[0])
    latest = itertools.accumulate((before for _, before in reversed(found)), _later)
    return Purges(
        tuple(up_to for up_to, _ in found),
        tuple(reversed(list(latest))),
        tuple(sorted(anchors, key=lambda anchor: anchor.number)),
        forged,
    )


def _is_hasty(entry: AuditEntry) -> bool:
    """Whether it says that it took what no purge may take yet."""
    before = _before(entry)
    return before is not None and before > entry.at - SHORTEST_TERM + SLACK


def _before(entry: AuditEntry) -> datetime | None:
    said = entry.detail.get("before")
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
