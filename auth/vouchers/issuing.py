"""Issuing passes, and taking them back. Codes leave this module once, in what `issue` and `replace` give."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from auth.vouchers import codes, rate_limits
from auth.vouchers.errors import EndedPlan, ImpossibleCount, ImprudentBatch, Irreplaceable
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Batch, Plan, VoidReason, Voucher

MOST_IN_A_BATCH = 10_000
# One lucky guess in fifty days, with everybody guessing day and night: it opens one pass until its end.
MOST_LUCKY_GUESSES_PER_DAY = 0.02
UNDO = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssuedVoucher:
    """A pass to print: the code, which is shown only now, and the mark by which the desk finds it for ever."""

    code: str = field(repr=False)
    mark: str


@dataclass(frozen=True, slots=True)
class IssuedBatch:
    """A new batch and its tickets, in the order of their numbers."""

    batch: Batch
    tickets: tuple[IssuedVoucher, ...]

    @property
    def codes(self) -> list[str]:
        return [ticket.code for ticket in self.tickets]


@dataclass(frozen=True, slots=True)
class Order:
    """What a desk asks for: how many passes, why, who asks, at which desk (a site's slug), and their last instant."""

    count: int
    issued_by: str
    desk_site: str = ""
    note: str = ""
    event: str = ""
    ends_at: datetime | None = None


def draw_at_random(_number: int, _attempt: int) -> str:
    """A code that nobody can draw again."""
    return codes.make()


def issue(
    db: Session,
    *,
    keys: VoucherKeys,
    plan: Plan,
    order: Order,
    now: datetime,
    draw: Callable[[int, int], str] = draw_at_random,
) -> IssuedBatch:
    """Make a batch of passes. `draw` gives the code for a number; with a higher attempt, another one.

    Raises `ImpossibleCount`, `EndedPlan`, or `ImprudentBatch` where so many codes would make guessing pay.
    """
    if not 1 <= order.count <= MOST_IN_A_BATCH:
        raise ImpossibleCount(MOST_IN_A_BATCH)
    ends_at = min((end for end in (plan.ends_at, order.ends_at) if end is not None), default=None)
    if ends_at is not None and ends_at <= now:
        raise EndedPlan(ends_at)
    _check_prudence(db, order.count, now=now)
    batch = Batch(
        plan=plan,
        count=order.count,
        note=order.note[:200],
        event=order.event[:120],
        issued_at=now,
        issued_by=order.issued_by[:120],
        desk_site=order.desk_site,
        ends_at=ends_at,
    )
    db.add(batch)
    db.flush()
    made = _insert(db, keys, batch, draw, now=now)
    return IssuedBatch(
        batch, tuple(IssuedVoucher(made[n], f"{batch.id}-{n}") for n in range(1, order.count + 1))
    )


def replace(
    db: Session,
    *,
    keys: VoucherKeys,
    voucher_id: int,
    by: str,
    now: datetime,
    draw: Callable[[int, int], str] = draw_at_random,
) -> IssuedVoucher:
    """A new ticket for a lost or spoiled one: the old pass dies, the new one is linked to it and has what was left.

    The old pass's sessions go on until somebody ends them: see `sessions.vouchers.replace`. Raises `Irreplaceable`.
    """
    old = db.execute(
        update(Voucher)
        .where(Voucher.id == voucher_id, *_alive(now))
        .values(voided_at=now, void_reason=VoidReason.REPLACED, voided_by=by[:120])
        .returning(Voucher.batch_id, Voucher.until)
        .execution_options(synchronize_session=False)
    ).first()
    if old is None:
        raise Irreplaceable
    # The lock keeps two replacements at once from taking the same number.
    batch = db.scalars(select(Batch).where(Batch.id == old.batch_id).with_for_update()).one()
    if batch.ends_at is not None and batch.ends_at <= now:
        raise Irreplaceable
    last = db.scalar(select(func.max(Voucher.number)).where(Voucher.batch_id == batch.id)) or 0
    for attempt in itertools.count():
        code = draw(last + 1, attempt)
        row = _row(keys, batch, last + 1, code, now=now) | {"until": old.until, "replaces_id": voucher_id}
        if db.scalars(_insert_if_new(db).values(row).returning(Voucher.id)).first() is not None:
            return IssuedVoucher(code, f"{batch.id}-{last + 1}")
    raise AssertionError("there are codes enough")


def of_batch(batch_id: int) -> ColumnElement[bool]:
    """All passes of a batch, for `void`, `revoke` and `undo`."""
    return Voucher.batch_id == batch_id


def of_ids(voucher_ids: Iterable[int]) -> ColumnElement[bool]:
    """These passes, for `void`, `revoke` and `undo`."""
    return Voucher.id.in_(list(voucher_ids))


def void(db: Session, which: ColumnElement[bool], *, reason: VoidReason, by: str, now: datetime) -> list[int]:
    """Write off passes that nobody has used: spoiled, lost, left over; the ids. `undo` restores them for a minute."""
    return _void(db, and_(which, Voucher.used_at.is_(None)), reason=reason, by=by, now=now)


def alive(db: Session, which: ColumnElement[bool], *, now: datetime) -> tuple[int, int]:
    """How many of these passes are alive, and how many of those are in use."""
    row = db.execute(
        select(func.count(Voucher.id), func.count(Voucher.used_at))
        .join(Batch)
        .where(which, *_alive(now), or_(Batch.ends_at.is_(None), Batch.ends_at > now))
    ).one()
    return row[0], row[1]


def revoke(db: Session, which: ColumnElement[bool], *, by: str, now: datetime) -> list[int]:
    """Take passes back, in use or not; the ids of those that were alive. `undo` restores them for a minute.

    Their sessions go on until somebody ends them: see `sessions.vouchers.revoke`.
    """
    return _void(db, which, reason=VoidReason.REVOKED, by=by, now=now)


def undoable(which: ColumnElement[bool], *, now: datetime) -> ScalarSelect[datetime | None]:
    """The instant of the last revocation or writing off of the last minute; NULL where there was none."""
    last = select(func.max(Voucher.voided_at)).where(
        which, Voucher.void_reason != VoidReason.REPLACED, Voucher.voided_at > now - UNDO
    )
    return last.scalar_subquery()


def undo(db: Session, which: ColumnElement[bool], *, now: datetime) -> list[int]:
    """Give back what was revoked or written off last, within the last minute; the ids. What was replaced stays dead.

    Sessions that ended stay ended: their guests type the code again.
    """
    statement = (
        update(Voucher)
        .where(
            which,
            Voucher.void_reason != VoidReason.REPLACED,
            Voucher.voided_at == undoable(which, now=now),
        )
        .values(voided_at=None, void_reason=None, voided_by=None)
        .returning(Voucher.id)
        .execution_options(synchronize_session=False)
    )
    return list(db.scalars(statement))


def suspend(db: Session, batch_id: int, *, now: datetime) -> bool:
    """Let nobody more in with passes of this batch, until `resume`; False where it was so. Who is online stays so."""
    return _set_suspended(db, batch_id, Batch.suspended_at.is_(None), at=now)


def resume(db: Session, batch_id: int) -> bool:
    """End the suspension; False where there was none."""
    return _set_suspended(db, batch_id, Batch.suspended_at.is_not(None), at=None)


def batches(db: Session, *, most: int = 100) -> list[Batch]:
    """The last batches with their plans, the newest first."""
    newest = select(Batch).options(joinedload(Batch.plan)).order_by(Batch.id.desc()).limit(most)
    return list(db.scalars(newest))


def live_codes(db: Session, *, now: datetime) -> int:
    """How many codes would let somebody in, were they guessed now."""
    alive = select(func.count()).select_from(Voucher).join(Batch).where(*_alive(now))
    return db.scalar(alive.where(or_(Batch.ends_at.is_(None), Batch.ends_at > now))) or 0


def _check_prudence(db: Session, count: int, *, now: datetime) -> None:
    live, guesses = live_codes(db, now=now), rate_limits.guesses_per_day()
    expected = (live + count) * guesses / codes.POSSIBLE
    if expected > MOST_LUCKY_GUESSES_PER_DAY:
        raise ImprudentBatch(
            count=count,
            live=live,
            guesses=guesses,
            possible=codes.POSSIBLE,
            expected=expected,
            most=MOST_LUCKY_GUESSES_PER_DAY,
        )


def _insert(
    db: Session, keys: VoucherKeys, batch: Batch, draw: Callable[[int, int], str], *, now: datetime
) -> dict[int, str]:
    """Fill the batch; the codes by number. A code that exists already, by a chance in millions, is drawn again."""
    made: dict[int, str] = {}
    wanted = set(range(1, batch.count + 1))
    for attempt in itertools.count():
        if not wanted:
            break
        made |= {number: draw(number, attempt) for number in wanted}
        db.execute(_insert_if_new(db), [_row(keys, batch, n, made[n], now=now) for n in sorted(wanted)])
        wanted -= set(db.scalars(select(Voucher.number).where(Voucher.batch_id == batch.id)))
    return made


def _insert_if_new(db: Session) -> postgresql.Insert | sqlite.Insert:
    dialect = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    return dialect(Voucher).on_conflict_do_nothing(index_elements=[Voucher.digest])


def _row(keys: VoucherKeys, batch: Batch, number: int, code: str, *, now: datetime) -> dict[str, object]:
    return {"batch_id": batch.id, "number": number, "digest": keys.digest(code), "issued_at": now}


def _alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Voucher.voided_at.is_(None), or_(Voucher.until.is_(None), Voucher.until > now)


def _void(
    db: Session, which: ColumnElement[bool], *, reason: VoidReason, by: str, now: datetime
) -> list[int]:
    statement = (
        update(Voucher)
        .where(which, *_alive(now))
        .values(voided_at=now, void_reason=reason, voided_by=by[:120])
        .returning(Voucher.id)
        .execution_options(synchronize_session=False)
    )
    return list(db.scalars(statement))


def _set_suspended(db: Session, batch_id: int, which: ColumnElement[bool], *, at: datetime | None) -> bool:
    statement = (
        update(Batch)
        .where(Batch.id == batch_id, which)
        .values(suspended_at=at)
        .returning(Batch.id)
        .execution_options(synchronize_session="fetch")
    )
    return db.scalars(statement).first() is not None
