"""What is told to whom: each trouble once, each end once, and what did not get through again later."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, ScalarResult, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from db.statements import Insert, for_either, table_of
from sessions.alerts.models import Message, Stage
from sessions.alerts.quiet_hours import QuietHours
from sessions.troubles.kinds import KINDS, Severity
from sessions.troubles.models import Trouble
from sessions.troubles.service import SETTLED_AFTER, WORST_FIRST

# What comes back within this time after it was told is not told again.
REPEATED_AFTER = timedelta(hours=1)
FIRST_RETRY, LONGEST_RETRY = timedelta(minutes=1), timedelta(minutes=30)
KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Target:
    """Whom or what to tell, and when not. `name` is what messages keep: ``mail:3``, ``webhook``."""

    name: str
    least: Severity = Severity.WAITING
    quiet: QuietHours | None = None
    woken_by_broken: bool = False

    def hears(self, severity: Severity, *, at: datetime, zone: ZoneInfo) -> bool:
        """Whether it may be told of such a trouble at this moment."""
        if WORST_FIRST.index(severity) > WORST_FIRST.index(self.least):
            return False
        is_quiet = self.quiet is not None and self.quiet.hold(at, zone)
        return not is_quiet or (self.woken_by_broken and severity is Severity.BROKEN)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is ours to send now."""

    id: int
    stage: Stage
    trouble: Trouble


def claim(db: Session, target: Target, *, zone: ZoneInfo, now: datetime) -> list[Claimed]:
    """What to tell this target now: nobody else is given the same until its next attempt is due.

    A trouble that went before anybody was told of it is not told at all.
    """
    heard = [kind.name for kind in KINDS.values() if target.hears(kind.severity, at=now, zone=zone)]
    _drop_untold(db, target, heard)
    fresh = [(number, Stage.BEGAN) for number in _begun(db, target, heard, now=now)]
    fresh += [(number, Stage.OVER) for number in _ended(db, target, heard, now=now)]
    for number, stage in fresh:
        values = {"trouble_id": number, "target": target.name, "stage": stage, "failure": ""}
        db.execute(_CLAIM.on(db), {**values, "claimed_at": now, "try_at": now, "attempts": 0})
    return _take(db, target, heard, now=now)


def sent(db: Session, messages: Collection[int], *, now: datetime) -> None:
    """The other side has taken these."""
    _set(db, messages, sent_at=now, failure="")
    for stage, column in ((Stage.BEGAN, Trouble.told_at), (Stage.OVER, Trouble.over_told_at)):
        told = select(Message.trouble_id).where(Message.id.in_(messages), Message.stage == stage)
        db.execute(
            update(Trouble)
            .where(Trouble.id.in_(told), column.is_(None))
            .values({column: now})
            .execution_options(synchronize_session=False)
        )


def failed(db: Session, messages: Collection[int], *, reason: str) -> None:
    """The other side has not taken these; they are tried again when they are due."""
    _set(db, messages, failure=reason[:200])


def recent(db: Session, *, most: int = 30) -> Sequence[tuple[Message, Trouble]]:
    """The latest messages with their troubles, the newest first."""
    rows = db.execute(
        select(Message, Trouble)
        .join(Trouble, Trouble.id == Message.trouble_id)
        .order_by(Message.claimed_at.desc(), Message.id.desc())
        .limit(most)
    )
    return [(row[0], row[1]) for row in rows]


def undelivered(db: Session, *, before: datetime) -> dict[str, tuple[datetime, str]]:
    """Targets that something could not be brought to since before then: since when, and why."""
    rows = db.execute(
        select(Message.target, Message.claimed_at, Message.failure)
        .where(Message.sent_at.is_(None), Message.failure != "", Message.claimed_at < before)
        .order_by(Message.claimed_at.desc())
    )
    return {row.target: (row.claimed_at, row.failure) for row in rows}


def count_failed(db: Session) -> int:
    """How many messages were tried and have not got through yet."""
    waiting = select(func.count()).where(Message.sent_at.is_(None), Message.failure != "")
    return db.scalar(waiting) or 0


def _drop_untold(db: Session, target: Target, heard: Sequence[str]) -> None:
    over = select(Trouble.id).where(Trouble.over_at.is_not(None))
    gone = select(Trouble.id).where(Trouble.kind.not_in(list(KINDS)))
    db.execute(
        delete(Message)
        .where(
            Message.target == target.name,
            Message.sent_at.is_(None),
            Message.stage == Stage.BEGAN,
            Message.trouble_id.in_(over) | Message.trouble_id.in_(gone),
        )
        .execution_options(synchronize_session=False)
    )


def _begun(db: Session, target: Target, heard: Sequence[str], *, now: datetime) -> ScalarResult[int]:
    earlier, told = aliased(Trouble), aliased(Message)
    of_late = (
        exists()
        .where(told.trouble_id == earlier.id, told.target == target.name, told.stage == Stage.BEGAN)
        .where(told.sent_at > now - REPEATED_AFTER)
        .where(earlier.kind == Trouble.kind, earlier.subject == Trouble.subject)
    )
    return db.scalars(
        select(Trouble.id)
        .where(Trouble.over_at.is_(None), Trouble.kind.in_(heard))
        .where(~_message(target, Stage.BEGAN), ~of_late)
        .order_by(Trouble.id)
    )


def _ended(db: Session, target: Target, heard: Sequence[str], *, now: datetime) -> ScalarResult[int]:
    began = _message(target, Stage.BEGAN).where(Message.sent_at.is_not(None))
    return db.scalars(
        select(Trouble.id)
        .where(Trouble.over_at <= now - SETTLED_AFTER, Trouble.kind.in_(heard))
        .where(began, ~_message(target, Stage.OVER))
        .order_by(Trouble.id)
    )


def _message(target: Target, stage: Stage):  # type: ignore[no-untyped-def]
    return exists().where(
        Message.trouble_id == Trouble.id, Message.target == target.name, Message.stage == stage
    )


def _take(db: Session, target: Target, heard: Sequence[str], *, now: datetime) -> list[Claimed]:
    due = db.execute(
        select(Message, Trouble)
        .join(Trouble, Trouble.id == Message.trouble_id)
        .where(Message.target == target.name, Message.sent_at.is_(None), Message.try_at <= now)
        .where(Trouble.kind.in_(heard))
        .order_by(Message.id)
    ).all()
    taken = []
    for message, trouble in due:
        mine = db.execute(
            update(Message)
            .where(Message.id == message.id, Message.sent_at.is_(None), Message.try_at <= now)
            .values(try_at=now + retry_after(message.attempts), attempts=Message.attempts + 1)
            .returning(Message.id)
            .execution_options(synchronize_session=False)
        )
        if mine.first() is not None:
            taken.append(Claimed(message.id, message.stage, trouble))
    return taken


def retry_after(attempts: int) -> timedelta:
    """How long after this many attempts the next one is due: twice as long each time, half an hour at most."""
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)


def _set(db: Session, messages: Collection[int], **values: object) -> None:
    db.execute(
        update(Message)
        .where(Message.id.in_(messages))
        .values(values)
        .execution_options(synchronize_session=False)
    )


def _claim(insert: Insert) -> Executable:
    once: Executable = insert(table_of(Message)).on_conflict_do_nothing(
        index_elements=["trouble_id", "target", "stage"]
    )
    return once


_CLAIM = for_either(_claim)
