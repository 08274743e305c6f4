"""Taking passes back and writing them off, singly or by the batch; suspending a batch. Each is on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, ScalarSelect, and_, func, or_, select, update
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import (
    BATCH_RESUMED,
    BATCH_REVOKED,
    BATCH_SUSPENDED,
    BATCH_VOIDED,
    PASS_REVOKED,
    PASS_VOIDED,
    REVOCATION_UNDONE,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from auth.vouchers.issuing import EndSessions, is_alive
from auth.vouchers.models import Batch, VoidReason, Voucher
from auth.vouchers.scope import home_network

UNDO = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Passes that something is done to: all of some batches, and single ones."""

    batch_ids: frozenset[int] = frozenset()
    voucher_ids: frozenset[int] = frozenset()

    @property
    def condition(self) -> ColumnElement[bool]:
        """The same for queries of `Voucher`."""
        of_batches, of_passes = Voucher.batch_id.in_(self.batch_ids), Voucher.id.in_(self.voucher_ids)
        if not self.batch_ids:
            return of_passes
        return or_(of_batches, of_passes) if self.voucher_ids else of_batches


@dataclass(frozen=True, slots=True)
class Revoked:
    """The passes taken back, and how many sessions ended by it."""

    voucher_ids: list[int]
    sessions: int


# Id, batch and number of a pass that was changed.
_Changed = Sequence[Row[int, int, int]]


def of_batch(batch_id: int) -> Chosen:
    """All passes of a batch."""
    return Chosen(batch_ids=frozenset({batch_id}))


def of_ids(voucher_ids: Collection[int]) -> Chosen:
    """These passes."""
    return Chosen(voucher_ids=frozenset(voucher_ids))


def void(db: Session, which: Chosen, *, reason: VoidReason, actor: Actor, now: datetime) -> list[int]:
    """Write off unused passes: spoiled, lost, left over; the ids. `undo` restores them for a minute."""
    unused = and_(which.condition, Voucher.used_at.is_(None))
    gone = _void(db, unused, reason=reason, actor=actor, now=now)
    _write(db, which, gone, (BATCH_VOIDED, PASS_VOIDED), {"reason": reason.value}, actor=actor, now=now)
    return [one.id for one in gone]


def revoke(
    db: Session, which: Chosen, *, actor: Actor, now: datetime, end_sessions: EndSessions | None = None
) -> Revoked:
    """Take passes back, in use or not; those that were alive. `undo` restores them for a minute.

    `end_sessions` is what `sessions.vouchers.revoke` gives.
    """
    gone = _void(db, which.condition, reason=VoidReason.REVOKED, actor=actor, now=now)
    ids = [one.id for one in gone]
    ended = end_sessions(ids) if end_sessions is not None else {}
    _write(db, which, gone, (BATCH_REVOKED, PASS_REVOKED), {}, actor=actor, now=now, sessions=ended)
    return Revoked(ids, sum(ended.values()))


def undoable(which: Chosen, *, now: datetime) -> ScalarSelect[datetime | None]:
    """The instant of the last revocation or writing off of the last minute; NULL where there was none."""
    last = select(func.max(Voucher.voided_at)).where(
        which.condition, Voucher.void_reason != VoidReason.REPLACED, Voucher.voided_at > now - UNDO
    )
    return last.scalar_subquery()


def may_undo(db: Session, which: Chosen, *, now: datetime) -> bool:
    """Whether there is a revocation or writing off that `undo` would give back."""
    return db.scalar(select(undoable(which, now=now))) is not None


def undo(db: Session, which: Chosen, *, actor: Actor, now: datetime) -> list[int]:
    """Give back what was revoked or written off last, within the last minute; the ids. What was replaced stays dead.

    Sessions that ended stay ended: their guests type the code again.
    """
    statement = (
        update(Voucher)
        .where(
            which.condition,
            Voucher.void_reason != VoidReason.REPLACED,
            Voucher.voided_at == undoable(which, now=now),
        )
        .values(voided_at=None, void_reason=None, voided_by=None)
        .returning(Voucher.id, Voucher.batch_id, Voucher.number)
        .execution_options(synchronize_session=False)
    )
    back = db.execute(statement).all()
    _write(db, which, back, (REVOCATION_UNDONE, REVOCATION_UNDONE), {}, actor=actor, now=now)
    return [one.id for one in back]


def alive(db: Session, which: Chosen, *, now: datetime) -> tuple[int, int]:
    """How many of these passes are alive, and how many of those are in use."""
    row = db.execute(
        select(func.count(Voucher.id), func.count(Voucher.used_at))
        .join(Batch)
        .where(which.condition, *is_alive(now), or_(Batch.ends_at.is_(None), Batch.ends_at > now))
    ).one()
    return row[0], row[1]


def suspend(db: Session, batch_id: int, *, actor: Actor, now: datetime) -> bool:
    """Stop admission with passes of this batch until `resume`; False where it was stopped. Open sessions go on."""
    if not _set_suspended(db, batch_id, Batch.suspended_at.is_(None), at=now):
        return False
    _append(db, BATCH_SUSPENDED, batch_id, {}, actor=actor, now=now)
    return True


def resume(db: Session, batch_id: int, *, actor: Actor, now: datetime) -> bool:
    """End the suspension; False where there was none."""
    if not _set_suspended(db, batch_id, Batch.suspended_at.is_not(None), at=None):
        return False
    _append(db, BATCH_RESUMED, batch_id, {}, actor=actor, now=now)
    return True


def _void(
    db: Session, which: ColumnElement[bool], *, reason: VoidReason, actor: Actor, now: datetime
) -> _Changed:
    statement = (
        update(Voucher)
        .where(which, *is_alive(now))
        .values(voided_at=now, void_reason=reason, voided_by=actor.name[:120])
        .returning(Voucher.id, Voucher.batch_id, Voucher.number)
        .execution_options(synchronize_session=False)
    )
    return db.execute(statement).all()


def _set_suspended(db: Session, batch_id: int, which: ColumnElement[bool], *, at: datetime | None) -> bool:
    statement = (
        update(Batch)
        .where(Batch.id == batch_id, which)
        .values(suspended_at=at)
        .returning(Batch.id)
        .execution_options(synchronize_session="fetch")
    )
    return db.scalars(statement).first() is not None


def _write(
    db: Session,
    which: Chosen,
    changed: _Changed,
    actions: tuple[AuditAction, AuditAction],
    detail: log.Detail,
    *,
    actor: Actor,
    now: datetime,
    sessions: Mapping[int, int] | None = None,
) -> None:
    """One entry for each batch that was chosen as a whole, and one for each single pass; `sessions` ended, by pass.

    All rows are changed by now, so that no row lock is waited for while the audit log's head is locked.
    """
    of_batch, of_pass = actions
    for batch_id in sorted(which.batch_ids & {one.batch_id for one in changed}):
        ids = [one.id for one in changed if one.batch_id == batch_id]
        ended = {} if sessions is None else {"sessions": sum(sessions.get(id, 0) for id in ids)}
        _append(db, of_batch, batch_id, {"passes": len(ids), **detail, **ended}, actor=actor, now=now)
    for one in sorted(changed, key=lambda one: one.id):
        if one.batch_id not in which.batch_ids:
            ended = {} if sessions is None else {"sessions": sessions.get(one.id, 0)}
            details = {"mark": f"{one.batch_id}-{one.number}", **detail, **ended}
            _append(db, of_pass, one.batch_id, details, actor=actor, now=now, voucher_id=one.id)


def _append(
    db: Session,
    action: AuditAction,
    batch_id: int,
    detail: log.Detail,
    *,
    actor: Actor,
    now: datetime,
    voucher_id: int | None = None,
) -> None:
    log.append(
        db,
        action,
        ObjectKind.PASS.named(voucher_id) if voucher_id is not None else ObjectKind.BATCH.named(batch_id),
        actor=actor,
        network=home_network(db, db.get_one(Batch, batch_id), actor.networks),
        detail=detail,
        now=now,
    )
