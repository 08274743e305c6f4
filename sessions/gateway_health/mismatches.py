"""Mismatches between a gateway's report and the leases, and for how many reports each has lasted."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, and_, bindparam, case, insert, or_, select
from sqlalchemy.orm import Session

from db.base import UtcDateTime
from db.prepared import Prepared
from db.statements import table_of
from sessions.end import GATEWAY_SILENT
from sessions.models import Lease, Mismatch, MismatchKind, Remedy
from sites.models import Feed

# A report may have been on its way while a change was confirmed, and a kernel's clock is not ours.
GRACE = timedelta(seconds=10)


def note(db: Session, *, gateway_id: int, held: frozenset[int], now: datetime) -> None:
    """Compare a report with the leases, and keep the evidence of what does not fit from report to report."""
    confirmed = _CONFIRMED.scalar(db, gateway=gateway_id) or 0
    asked = {"gateway": gateway_id, "confirmed": confirmed, "at": now}
    leases = _LEASES.all(db, **asked, before=now - GRACE, after=now + GRACE)
    expected = {number for number, is_expected, _ in leases if is_expected}
    excused = {number for number, _, is_excused in leases if is_excused}
    current = {(number, MismatchKind.MISSING) for number in expected - held}
    current |= {(number, MismatchKind.SURPLUS) for number in held - excused}
    if not current and _ANY_UNSETTLED.first(db, gateway=gateway_id) is None:
        return
    known = {
        (row.number, row.kind): row
        for row in db.scalars(_UNSETTLED, {"gateway": gateway_id}, execution_options=_FRESH)
    }
    for key, row in known.items():
        if key in current:
            _confirm(row, now)
        elif row.version is None:
            db.delete(row)
        elif row.version <= confirmed:
            # It was notified again, and complied.
            row.settled_at, row.remedy = now, Remedy.TOLD_AGAIN
    new = [
        {"gateway_id": gateway_id, "number": number, "kind": kind, "since": now, "last_at": now, "reports": 1}
        for number, kind in sorted(current - known.keys())
    ]
    db.flush()
    if new:
        db.execute(insert(_drifts), new)


def _flag(condition: ColumnElement[bool]) -> ColumnElement[int]:
    # NULL, where a lease was never confirmed, is no.
    return case((condition, 1), else_=0)


def _confirm(row: Mismatch, now: datetime) -> None:
    """The same once more; after a silence the count begins anew."""
    if now - row.last_at >= GATEWAY_SILENT:
        row.since, row.reports = now, 0
    row.reports, row.last_at = row.reports + 1, now


_drifts, _leases, _feeds = table_of(Mismatch), table_of(Lease), table_of(Feed)
_CONFIRMED = Prepared(select(_feeds.c.confirmed_version).where(_feeds.c.gateway_id == bindparam("gateway")))
_AT, _BEFORE, _AFTER = (bindparam(name, type_=UtcDateTime()) for name in ("at", "before", "after"))
_REACHED = bindparam("confirmed", type_=BigInteger())
# The gateway should let its client pass, and has said that it does.
_IS_EXPECTED = and_(
    _leases.c.released_at.is_(None),
    _leases.c.confirmed_at <= _BEFORE,
    _leases.c.version <= _REACHED,
    _leases.c.starts_at <= _AT,
    _leases.c.until > _AFTER,
)
# It may let it pass: it does not know otherwise yet, or only for a moment.
_IS_EXCUSED = or_(
    _leases.c.released_at.is_(None), _leases.c.released_at > _BEFORE, _leases.c.version > _REACHED
)
_LEASES = Prepared(
    select(_leases.c.access_id, _flag(_IS_EXPECTED), _flag(_IS_EXCUSED)).where(
        _leases.c.gateway_id == bindparam("gateway"), _leases.c.until > _BEFORE
    )
)
_unsettled = _drifts.c.gateway_id == bindparam("gateway"), _drifts.c.settled_at.is_(None)
_UNSETTLED = select(Mismatch).where(*_unsettled)
# Nearly always there is none.
_ANY_UNSETTLED = Prepared(select(_drifts.c.id).where(*_unsettled).limit(1))
_FRESH = {"populate_existing": True}
