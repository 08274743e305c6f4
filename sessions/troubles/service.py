"""Keep the table of troubles as the detectors find things, and read it for pages, alerts and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, delete, select, update
from sqlalchemy.orm import Session

from auth.staff.roles import Authority, covers, may
from db.statements import Insert, for_either, table_of
from sessions.retention.models import ClockWatch
from sessions.troubles.kinds import KINDS, SWEEP_SILENT, Severity, TroubleKind
from sessions.troubles.models import Trouble

# What is back within this time is the same trouble: a line that comes and goes is told once. Whoever tells of an end
# waits as long.
SETTLED_AFTER = timedelta(minutes=10)
# How far behind the table may say that a trouble was last seen.
SEEN_EVERY = timedelta(minutes=1)
# The sweep remembers the time every minute.
SWEEP_SILENT_AFTER = timedelta(minutes=5)
KEPT = timedelta(days=365)
WORST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector has found: `networks` are slugs (none: the whole town), `detail` plain values for the words."""

    kind: TroubleKind
    subject: str
    since: datetime
    networks: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


Find = Callable[[Session, datetime], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Detector:
    """One look at one thing: `find` gives all there is of `kinds`, so that what it does not give is over.

    It may fail: its troubles then stay as they were.
    """

    name: str
    kinds: tuple[TroubleKind, ...]
    find: Find
    every: timedelta = timedelta(seconds=30)


def record(
    db: Session,
    kinds: Sequence[TroubleKind],
    found: Iterable[Found],
    *,
    now: datetime,
    subject: str | None = None,
) -> None:
    """Have the table say what was found of these kinds (with `subject`: of that alone). Harmless to run twice, or in
    two places."""
    current = {(one.kind.name, one.subject): one for one in found}
    lasting = select(Trouble).where(
        Trouble.kind.in_([kind.name for kind in kinds]), Trouble.over_at.is_(None)
    )
    for row in db.scalars(lasting if subject is None else lasting.where(Trouble.subject == subject)):
        one = current.pop((row.kind, row.subject), None)
        if one is None:
            row.over_at = now
        else:
            _go_on(row, one, now)
    for one in current.values():
        if not _is_back(db, one, now):
            db.execute(_BEGIN.on(db), _values(one, now))
    db.flush()


def open_troubles(db: Session, *, authority: Authority | None = None) -> list[Trouble]:
    """What is broken now, the worst first and the oldest first among equals: all, or what `authority` may see."""
    rows = db.scalars(select(Trouble).where(Trouble.over_at.is_(None)))
    return _sorted(row for row in rows if row.kind in KINDS and (authority is None or _sees(authority, row)))


def past_troubles(db: Session, *, since: datetime, authority: Authority | None = None) -> list[Trouble]:
    """What is over since then, the latest first."""
    rows = db.scalars(select(Trouble).where(Trouble.over_at >= since).order_by(Trouble.over_at.desc()))
    return [row for row in rows if row.kind in KINDS and (authority is None or _sees(authority, row))]


def sweep_silence(db: Session, *, now: datetime) -> Trouble | None:
    """The trouble that no sweep can write down: that it does not run. It is no row of the table."""
    watch = db.get(ClockWatch, 1)
    if watch is None or watch.doubted_from is not None or now < watch.seen_at + SWEEP_SILENT_AFTER:
        return None
    return Trouble(
        kind=SWEEP_SILENT.name, subject="", networks=[], detail={}, since=watch.seen_at, last_seen_at=now
    )


def forget(db: Session, *, before: datetime) -> None:
    """Drop the troubles that were over before."""
    db.execute(delete(Trouble).where(Trouble.over_at < before).execution_options(synchronize_session=False))


def kind_of(row: Trouble) -> TroubleKind:
    """The declaration behind a row."""
    return KINDS[row.kind]


def _sees(authority: Authority, row: Trouble) -> bool:
    if not may(authority, kind_of(row).action):
        return False
    return not authority.networks or any(covers(authority, network) for network in row.networks)


def _sorted(rows: Iterable[Trouble]) -> list[Trouble]:
    return sorted(rows, key=lambda row: (WORST_FIRST.index(kind_of(row).severity), row.since, row.subject))


def _go_on(row: Trouble, one: Found, now: datetime) -> None:
    if row.detail != one.detail or row.networks != list(one.networks):
        row.detail, row.networks = one.detail, list(one.networks)
    if now >= row.last_seen_at + SEEN_EVERY:
        row.last_seen_at = now


def _is_back(db: Session, one: Found, now: datetime) -> bool:
    """Open it again, if it was over for a moment only."""
    latest = (
        select(Trouble.id)
        .where(
            Trouble.kind == one.kind.name,
            Trouble.subject == one.subject,
            Trouble.over_at > now - SETTLED_AFTER,
        )
        .order_by(Trouble.over_at.desc())
        .limit(1)
    )
    values = {"over_at": None, "over_told_at": None, "last_seen_at": now, "detail": one.detail}
    back = db.execute(
        update(Trouble)
        .where(Trouble.id == latest.scalar_subquery(), Trouble.over_told_at.is_(None))
        .values(values)
        .returning(Trouble.id)
        .execution_options(synchronize_session=False)
    )
    return back.first() is not None


def _values(one: Found, now: datetime) -> dict[str, Any]:
    return {
        "kind": one.kind.name,
        "subject": one.subject,
        "networks": list(one.networks),
        "detail": one.detail,
        "since": min(one.since, now),
        "last_seen_at": now,
    }


def _begin(insert: Insert) -> Executable:
    begun: Executable = insert(table_of(Trouble)).on_conflict_do_nothing()
    return begun


_BEGIN = for_either(_begin)
