"""The books of passes: printed = used + void + expired + left, for every batch, at every instant.

A pass that was used once counts as used for ever, whatever became of it afterwards. Of the others, one that was
written off is void, one whose last instant of use is over has expired, and the rest is left. Each pass is in exactly
one of the four, because one CASE says in which.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, and_, case, column, func, literal, or_, select, values
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.expression import Select

from auth.vouchers.models import Batch, Voucher
from db.base import UtcDateTime
from sites import opening_hours

MOST_DAYS = 400
INSTANT = timedelta(microseconds=1)


class VoucherState(enum.StrEnum):
    LEFT = "left"
    USED = "used"
    VOID = "void"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Books:
    """How many passes there are, and what became of them."""

    printed: int = 0
    used: int = 0
    void: int = 0
    expired: int = 0
    left: int = 0


def books(db: Session, batch_id: int, *, at: datetime) -> Books:
    """The books of one batch as they stood at an instant; what happened at that instant is in them."""
    return every_books(db, at=at, batch_ids=[batch_id]).get(batch_id, Books())


def every_books(db: Session, *, at: datetime, batch_ids: Iterable[int] | None = None) -> dict[int, Books]:
    """The books of all batches, or of these, by batch, in one query."""
    counted = _counted(Voucher.batch_id, literal(at, UtcDateTime()))
    if batch_ids is not None:
        counted = counted.where(Voucher.batch_id.in_(list(batch_ids)))
    return _fold(db.execute(counted).all())


def daily_books(db: Session, batch_id: int, *, zone: ZoneInfo, now: datetime) -> dict[date, Books]:
    """The books of one batch at the end of each local day since its issue, today's as they stand now; one query."""
    issued_at = db.scalar(select(Batch.issued_at).where(Batch.id == batch_id))
    if issued_at is None:
        return {}
    ends = _day_ends(issued_at, now=now, zone=zone)
    day = values(column("ends_at", UtcDateTime()), name="days").data([(end,) for end in ends]).cte("days")
    counted = _counted(day.c.ends_at, day.c.ends_at).where(Voucher.batch_id == batch_id)
    by_end: dict[datetime, Books] = _fold(db.execute(counted).all())
    return {end.astimezone(zone).date(): by_end[end] for end in ends if end in by_end}


def state_at(at: ColumnElement[datetime]) -> ColumnElement[str]:
    """In which of the four a pass is at an instant, for queries that join `Voucher` and `Batch`."""
    used = and_(Voucher.used_at.is_not(None), Voucher.used_at <= at)
    void = and_(Voucher.voided_at.is_not(None), Voucher.voided_at <= at)
    # A replacement is born with the end of the pass it replaces; the others have none before their first use.
    expired = or_(
        and_(Batch.ends_at.is_not(None), Batch.ends_at <= at),
        and_(Voucher.until.is_not(None), Voucher.until <= at),
    )
    return case(
        (used, VoucherState.USED.value),
        (void, VoucherState.VOID.value),
        (expired, VoucherState.EXPIRED.value),
        else_=VoucherState.LEFT.value,
    )


def _counted(
    group: ColumnElement[Any] | InstrumentedAttribute[Any], at: ColumnElement[datetime]
) -> Select[Any, str, int]:
    state = state_at(at).label("state")
    return (
        select(group, state, func.count())
        .select_from(Voucher)
        .join(Batch)
        .where(Voucher.issued_at <= at)
        .group_by(group, state)
    )


def _fold(rows: Iterable[Row[Any, str, int]]) -> dict[Any, Books]:
    """One `Books` for each group."""
    counts: dict[Any, dict[str, int]] = {}
    for group, state, number in rows:
        counts.setdefault(group, {})[state] = number
    return {group: Books(printed=sum(of.values()), **of) for group, of in counts.items()}


def _day_ends(first: datetime, *, now: datetime, zone: ZoneInfo) -> list[datetime]:
    """The last instant of each local day from that of `first` on, and `now` for today; the last 400 of them."""
    ends: list[datetime] = []
    at = first
    while (midnight := opening_hours.next_midnight(at, zone)) <= now:
        ends.append(midnight - INSTANT)
        at = midnight
    return [*ends, now][-MOST_DAYS:]
