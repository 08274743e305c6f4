"""The purge: what is past its term leaves by itself, in small steps, and the books of each run must add up.

Each call of `step` is one small transaction of the caller's: killed between or within any two, the next one goes on. A
run is of all that was past its term when it began. It does not begin where the clock is implausible, or where more of
a table would go than ever goes in the ordinary: a person confirms that first.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth.audit import log, purge
from auth.audit.actions import PURGE_REFUSED, PURGED, AuditAction, ObjectKind
from auth.audit.actor import SYSTEM, Actor, named
from sessions.data_classes import DataClass
from sessions.retention import clock_check, holds, lock, periods
from sessions.retention.errors import SamePerson
from sessions.retention.models import LegalHold, PurgeCount, PurgeRefusal, PurgeRun
from sessions.retention.purge_policies import Cutoffs, Measure, PurgePolicy

# Twice a day: nothing stays a whole day past its term.
EVERY = timedelta(hours=12)
STEP = 500
# Above both of these, a person is asked first.
MOST_PERCENT = 20
MOST_ROWS = 1000


class Phase(enum.StrEnum):
    """What a step did."""

    # Nothing to do until the next run.
    RESTED = "rested"
    REFUSED = "refused"
    BEGAN = "began"
    DELETED = "deleted"
    FINISHED = "finished"

    @property
    def is_last(self) -> bool:
        return self in (Phase.RESTED, Phase.REFUSED, Phase.FINISHED)


@dataclass(frozen=True, slots=True)
class Stepped:
    phase: Phase
    run: PurgeRun | None = None
    rows: int = 0


def step(
    db: Session,
    shelves: Sequence[PurgePolicy],
    *,
    now: datetime,
    most: int = STEP,
    at_once: bool = False,
    confirmed_by: Actor | None = None,
) -> Stepped:
    """Do the next small thing. `at_once` does not wait for the next run's time; `confirmed_by` is the person who has
    seen what would go, and by which clock, and wants it: somebody else than whoever shortened a term. Raises
    `SamePerson`."""
    lock.take(db)
    if confirmed_by is not None and confirmed_by.name in periods.shortened_by(db):
        raise SamePerson
    run = db.scalars(select(PurgeRun).where(PurgeRun.finished_at.is_(None))).first()
    if run is not None and confirmed_by is None and not clock_check.look(db, now=now):
        # By that clock the holds would seem to be over.
        return Stepped(Phase.REFUSED)
    if run is not None:
        return _go_on(db, run, shelves, now=now, most=most)
    if not at_once and confirmed_by is None and _ran_of_late(db, now):
        return Stepped(Phase.RESTED)
    return _begin(db, shelves, now=now, confirmed_by=confirmed_by)


def cutoffs_at(db: Session, now: datetime) -> Cutoffs:
    """The instant for each class before which its rows are past retention."""
    return {data_class: kept.term.before(now) for data_class, kept in periods.in_force(db).items()}


def measure(db: Session, shelves: Sequence[PurgePolicy], *, now: datetime) -> list[Measure]:
    """Count the rows past retention now, and those of them on hold, for each table."""
    return _measured(db, shelves, cutoffs_at(db, now), holds.active(db, now=now))


def counts(db: Session, run: PurgeRun) -> list[PurgeCount]:
    """The books of one run."""
    return list(db.scalars(select(PurgeCount).where(PurgeCount.run_id == run.id).order_by(PurgeCount.table)))


def runs(db: Session, *, most: int) -> list[PurgeRun]:
    """The runs that began last, refused or not, newest first."""
    return list(db.scalars(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(most)))


def last_run(db: Session) -> PurgeRun | None:
    """The run that began last, refused or not."""
    return db.scalars(select(PurgeRun).order_by(PurgeRun.id.desc()).limit(1)).first()


def last_finished(db: Session) -> PurgeRun | None:
    """The last run that went to its end."""
    done = select(PurgeRun).where(PurgeRun.finished_at.is_not(None), PurgeRun.refused.is_(None))
    return db.scalars(done.order_by(PurgeRun.id.desc()).limit(1)).first()


def _begin(
    db: Session, shelves: Sequence[PurgePolicy], *, now: datetime, confirmed_by: Actor | None
) -> Stepped:
    if confirmed_by is not None:
        clock_check.believe(db, now=now)
    elif not clock_check.look(db, now=now):
        since = clock_check.doubted_from(db)
        return _refuse(
            db, PurgeRefusal.CLOCK, {"last believed": since.isoformat() if since else None}, now=now
        )
    periods.carry_out(db, now=now)
    cutoffs = cutoffs_at(db, now)
    measures = _measured(db, shelves, cutoffs, holds.active(db, now=now))
    if confirmed_by is None and (many := _too_many(measures)):
        return _refuse(db, PurgeRefusal.RUNAWAY, many, now=now)
    until = {data_class.value: at.isoformat() for data_class, at in cutoffs.items()}
    by = confirmed_by.name if confirmed_by is not None else None
    run = PurgeRun(as_of=now, cutoffs=until, position=0, confirmed_by=by)
    db.add(run)
    db.flush()
    db.add_all(
        PurgeCount(
            run_id=run.id,
            table=one.table,
            data_class=one.data_class,
            total=one.total,
            due=one.due,
            held=one.held,
        )
        for one in measures
    )
    db.flush()
    kept = periods.in_force(db)[DataClass.TRAIL]
    up_to = purge.due_to(db, before=cutoffs[DataClass.TRAIL])
    purge.declare(
        db,
        up_to=up_to,
        before=cutoffs[DataClass.TRAIL],
        rule=f"trail, {kept.term.amount} {kept.term.unit}: {kept.basis}",
        now=now,
    )
    return Stepped(Phase.BEGAN, run)


def _go_on(
    db: Session, run: PurgeRun, shelves: Sequence[PurgePolicy], *, now: datetime, most: int
) -> Stepped:
    # A term that was made longer since, and a hold that was placed since, act at once.
    begun = {DataClass(name): datetime.fromisoformat(at) for name, at in run.cutoffs.items()}
    cutoffs = {name: min(begun[name], at) for name, at in cutoffs_at(db, run.as_of).items()}
    held = holds.active(db, now=now)
    while run.position < len(shelves):
        gone = shelves[run.position].clear(db, cutoffs, held, most=most)
        if gone:
            for table, rows in gone.items():
                db.execute(
                    update(PurgeCount)
                    .where(PurgeCount.run_id == run.id, PurgeCount.table == table)
                    .values(deleted=PurgeCount.deleted + rows)
                    .execution_options(synchronize_session=False)
                )
            return Stepped(Phase.DELETED, run, sum(gone.values()))
        run.position += 1
    return _finish(db, run, _measured(db, shelves, begun, held), now=now)


def _finish(db: Session, run: PurgeRun, measures: list[Measure], *, now: datetime) -> Stepped:
    after = {one.table: one for one in measures}
    books = counts(db, run)
    for one in books:
        found = after[one.table]
        one.held, one.left = found.held, found.due - found.held
    run.finished_at = now
    run.adds_up = all(one.due == one.deleted + one.held + (one.left or 0) for one in books)
    db.flush()
    if any(one.due for one in books) or run.confirmed_by:
        _append(db, PURGED, run, {one.table: _in_short(one) for one in books if one.due}, now=now)
    return Stepped(Phase.FINISHED, run, sum(one.deleted for one in books))


def _refuse(db: Session, refusal: PurgeRefusal, detail: dict[str, Any], *, now: datetime) -> Stepped:
    run = PurgeRun(as_of=now, finished_at=now, refused=refusal, detail=detail)
    db.add(run)
    db.flush()
    _append(
        db,
        PURGE_REFUSED,
        run,
        {"why": refusal.value} | {key: str(value) for key, value in detail.items()},
        now=now,
    )
    return Stepped(Phase.REFUSED, run)


def _append(
    db: Session, action: AuditAction, run: PurgeRun, detail: dict[str, str], *, now: datetime
) -> None:
    log.append(
        db,
        action,
        ObjectKind.PURGE.named(run.id),
        actor=named(run.confirmed_by) if run.confirmed_by else SYSTEM,
        detail=detail | ({} if run.adds_up is not False else {"adds up": "no"}),
        now=now,
    )


def _measured(
    db: Session, shelves: Sequence[PurgePolicy], cutoffs: Cutoffs, held: Sequence[LegalHold]
) -> list[Measure]:
    """One measure for each table: counters stand on two shelves, and one of the two has all that is due."""
    by_table: dict[str, Measure] = {}
    for shelf in shelves:
        for one in shelf.measure(db, cutoffs, held):
            before = by_table.get(one.table)
            by_table[one.table] = one if before is None or one.due >= before.due else before
    return list(by_table.values())


def _too_many(measures: list[Measure]) -> dict[str, Any]:
    """The tables of which too much would go: how much, of how much."""
    return {
        one.table: f"{one.due - one.held} of {one.total}"
        for one in measures
        if one.due - one.held > max(MOST_ROWS, one.total * MOST_PERCENT // 100)
    }


def _ran_of_late(db: Session, now: datetime) -> bool:
    last = db.scalars(select(PurgeRun.as_of).order_by(PurgeRun.id.desc()).limit(1)).first()
    return last is not None and last <= now < last + EVERY


def _in_short(one: PurgeCount) -> str:
    return f"due {one.due}, deleted {one.deleted}, held {one.held}, left {one.left}"
