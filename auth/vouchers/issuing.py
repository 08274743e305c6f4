"""Issuing and replacing passes. Codes leave this module once, in what `issue` and `replace` give."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from auth.audit import log
from auth.audit.actions import PASS_REPLACED, PASSES_ISSUED, ObjectKind
from auth.audit.actor import Actor
from auth.vouchers import codes, rate_limits
from auth.vouchers.errors import EndedPlan, ImpossibleCount, ImprudentBatch, Irreplaceable, NoDayBetween
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Batch, Plan, VoidReason, Voucher
from auth.vouchers.scope import home_network

MOST_IN_A_BATCH = 10_000
# One lucky guess in fifty days, with everybody guessing day and night: it opens one pass until its end.
MOST_LUCKY_GUESSES_PER_DAY = 0.02
# Ends the open sessions of these passes; how many of each.
EndSessions = Callable[[Sequence[int]], Mapping[int, int]]


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
    """What a desk asks for: how many passes, why, at which desk (a site's slug), and from when until when.

    `starts_at` that is over says nothing: such passes are good at once.

    `network` (a slug): whose audit log has it, where the batch belongs to several.
    """

    count: int
    desk_site: str = ""
    note: str = ""
    event: str = ""
    ends_at: datetime | None = None
    starts_at: datetime | None = None
    network: str | None = None


def draw_at_random(_number: int, _attempt: int) -> str:
    """A code that cannot be drawn again."""
    return codes.make()


def issue(
    db: Session,
    *,
    keys: VoucherKeys,
    plan: Plan,
    order: Order,
    actor: Actor,
    now: datetime,
    draw: Callable[[int, int], str] = draw_at_random,
) -> IssuedBatch:
    """Make a batch of passes. `draw` gives the code for a number; with a higher attempt, another one.

    Raises `ImpossibleCount`, `EndedPlan`, `NoDayBetween`, or `ImprudentBatch` where guessing would pay with so many
    codes.
    """
    if not 1 <= order.count <= MOST_IN_A_BATCH:
        raise ImpossibleCount(MOST_IN_A_BATCH)
    ends_at = min((end for end in (plan.ends_at, order.ends_at) if end is not None), default=None)
    if ends_at is not None and ends_at <= now:
        raise EndedPlan(ends_at)
    starts_at = order.starts_at if order.starts_at is not None and order.starts_at > now else None
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise NoDayBetween
    _check_prudence(db, order.count, now=now)
    batch = Batch(
        plan=plan,
        count=order.count,
        note=order.note[:200],
        event=order.event[:120],
        issued_at=now,
        issued_by=actor.name[:120],
        desk_site=order.desk_site,
        starts_at=starts_at,
        ends_at=ends_at,
    )
    db.add(batch)
    db.flush()
    made = _insert(db, keys, batch, draw, now=now)
    first = starts_at.isoformat(timespec="seconds") if starts_at else ""
    described = {"desk": order.desk_site, "note": batch.note, "event": batch.event, "first use": first}
    log.append(
        db,
        PASSES_ISSUED,
        ObjectKind.BATCH.named(batch.id),
        actor=actor,
        network=order.network or home_network(db, batch, actor.networks),
        detail={
            "count": order.count,
            "plan": plan.slug,
            **{name: text for name, text in described.items() if text},
        },
        now=now,
    )
    return IssuedBatch(
        batch, tuple(IssuedVoucher(made[n], f"{batch.id}-{n}") for n in range(1, order.count + 1))
    )


def replace(
    db: Session,
    *,
    keys: VoucherKeys,
    voucher_id: int,
    actor: Actor,
    now: datetime,
    draw: Callable[[int, int], str] = draw_at_random,
    end_sessions: EndSessions | None = None,
) -> IssuedVoucher:
    """A new ticket for a lost or spoiled one: the old pass dies, the new one is linked to it and has what was left.

    `end_sessions` is what `sessions.vouchers.replace` gives. Raises `Irreplaceable`.
    """
    old = db.execute(
        update(Voucher)
        .where(Voucher.id == voucher_id, *is_alive(now))
        .values(voided_at=now, void_reason=VoidReason.REPLACED, voided_by=actor.name[:120])
        .returning(Voucher.batch_id, Voucher.number, Voucher.until)
        .execution_options(synchronize_session=False)
    ).first()
    if old is None:
        raise Irreplaceable
    # The lock keeps two replacements at once from taking the same number.
    batch = db.scalars(select(Batch).where(Batch.id == old.batch_id).with_for_update()).one()
    if batch.ends_at is not None and batch.ends_at <= now:
        raise Irreplaceable
    ticket = _insert_next(db, keys, batch, draw, until=old.until, replaces_id=voucher_id, now=now)
    if end_sessions is not None:
        end_sessions([voucher_id])
    log.append(
        db,
        PASS_REPLACED,
        ObjectKind.PASS.named(voucher_id),
        actor=actor,
        network=home_network(db, batch, actor.networks),
        detail={"mark": f"{batch.id}-{old.number}", "new": ticket.mark},
        now=now,
    )
    return ticket


def batches(db: Session, *, most: int = 100) -> list[Batch]:
    """The last batches with their plans, the newest first."""
    newest = select(Batch).options(joinedload(Batch.plan)).order_by(Batch.id.desc()).limit(most)
    return list(db.scalars(newest))


def is_alive(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions of passes that are neither void nor over, for queries of `Voucher`."""
    return Voucher.voided_at.is_(None), or_(Voucher.until.is_(None), Voucher.until > now)


def live_codes(db: Session, *, now: datetime) -> int:
    """How many codes would be accepted now, were they guessed."""
    alive = select(func.count()).select_from(Voucher).join(Batch).where(*is_alive(now))
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


def _insert_next(
    db: Session,
    keys: VoucherKeys,
    batch: Batch,
    draw: Callable[[int, int], str],
    *,
    until: datetime | None,
    replaces_id: int,
    now: datetime,
) -> IssuedVoucher:
    """Add a replacement to a batch, whose row is locked, under its next number."""
    number = 1 + (db.scalar(select(func.max(Voucher.number)).where(Voucher.batch_id == batch.id)) or 0)
    for attempt in itertools.count():
        code = draw(number, attempt)
        row = _row(keys, batch, number, code, now=now) | {"until": until, "replaces_id": replaces_id}
        if db.scalars(_insert_if_new(db).values(row).returning(Voucher.id)).first() is not None:
            return IssuedVoucher(code, f"{batch.id}-{number}")
    raise AssertionError("there are codes enough")


def _insert_if_new(db: Session) -> postgresql.Insert | sqlite.Insert:
    dialect = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    return dialect(Voucher).on_conflict_do_nothing(index_elements=[Voucher.digest])


def _row(keys: VoucherKeys, batch: Batch, number: int, code: str, *, now: datetime) -> dict[str, object]:
    return {"batch_id": batch.id, "number": number, "digest": keys.digest(code), "issued_at": now}
