"""Vouchers with the state that the books count them in, and those that replaced or were replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select
from sqlalchemy.orm import Session, aliased, joinedload

from auth.vouchers.models import Batch, Voucher
from auth.vouchers.totals import state_at
from db.base import UtcDateTime


@dataclass(frozen=True, slots=True)
class VoucherNow:
    """A voucher with its state, the one that it replaces, and the one that replaced it."""

    voucher: Voucher
    state: str
    replaces: Voucher | None
    replaced_by: Voucher | None


def passes_of(
    db: Session, batch_id: int, *, now: datetime, most: int | None = None, after: int = 0
) -> list[tuple[Voucher, str]]:
    """The vouchers of a batch, each with its state, in the order of their numbers, beginning after number `after`."""
    statement = (
        select(Voucher, state_at(literal(now, UtcDateTime())))
        .join(Batch, Batch.id == Voucher.batch_id)
        .where(Voucher.batch_id == batch_id, Voucher.number > after)
        .order_by(Voucher.number)
        .limit(most)
    )
    return [(voucher, state) for voucher, state in db.execute(statement)]


def voucher_now(db: Session, voucher_id: int, *, now: datetime) -> VoucherNow:
    """The voucher, read anew from the database. Raises sqlalchemy's `NoResultFound` where there is none."""
    before, after = aliased(Voucher), aliased(Voucher)
    row = db.execute(
        select(Voucher, state_at(literal(now, UtcDateTime())), before, after)
        .join(Batch, Batch.id == Voucher.batch_id)
        .outerjoin(before, before.id == Voucher.replaces_id)
        .outerjoin(after, after.replaces_id == Voucher.id)
        .where(Voucher.id == voucher_id)
        .options(joinedload(Voucher.batch))
        .execution_options(populate_existing=True)
    ).one()
    return VoucherNow(*row)
