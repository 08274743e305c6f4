"""The codes of passes that nobody has used, drawn again until the batch's day is over, by any desk that may print them.

Each form that makes passes draws their codes from a key of its own. That key is kept encrypted beside its batch for as
long as the day lasts, and deleted with it: docs/adr/0015 weighs this.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from auth.api_tokens.idempotency import CodeGenerator, redraw
from auth.audit import log
from auth.audit.actions import CODES_REOPENED, ObjectKind
from auth.audit.actor import Actor
from auth.encrypted_tokens import EncryptedTokens
from auth.vouchers.issuing import IssuedVoucher
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Batch, BatchKey
from auth.vouchers.scope import home_network
from auth.vouchers.states import passes_of
from auth.vouchers.totals import VoucherState
from db.secure_erase import overwrite
from sites.opening_hours import next_midnight

# Passes for a day that is further away are not kept printable until then.
LONGEST = timedelta(days=31)


def keep(
    db: Session,
    batch: Batch,
    *,
    sealer: EncryptedTokens,
    key: bytes,
    first: int,
    count: int,
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Keep the key that drew `count` passes of this batch from number `first` on, until the batch's day is over."""
    until = end_of_day(batch, zone, now=now)
    if until <= now:
        return
    claims = {"key": key.hex(), "first": first, "count": count}
    encrypted = sealer.encrypt(_purpose(batch.id), claims, now=now, life=until - now)
    db.add(BatchKey(batch_id=batch.id, until=until, encrypted_key=encrypted))


def end_of_day(batch: Batch, zone: ZoneInfo, *, now: datetime) -> datetime:
    """The midnight that ends the day on which the passes are handed out: today, or their first day if that is later."""
    first = max(now, batch.starts_at or now)
    ends = [next_midnight(first, zone), now + LONGEST, *([batch.ends_at] if batch.ends_at else [])]
    return min(ends)


def printable_until(db: Session, batch_id: int, *, now: datetime) -> datetime | None:
    """Until when unused passes of this batch can be printed again; None where they cannot."""
    kept = select(func.max(BatchKey.until)).where(BatchKey.batch_id == batch_id, BatchKey.until > now)
    return db.scalar(kept)


def unused(
    db: Session, batch_id: int, *, sealer: EncryptedTokens, keys: VoucherKeys, now: datetime
) -> tuple[IssuedVoucher, ...]:
    """The passes of a batch that are left, codes and all, in the order of their numbers; none once its day is over."""
    left = {voucher.mark for voucher, state in passes_of(db, batch_id, now=now) if state == VoucherState.LEFT}
    rows = select(BatchKey).where(BatchKey.batch_id == batch_id, BatchKey.until > now).order_by(BatchKey.id)
    drawn: list[IssuedVoucher] = []
    for row in db.scalars(rows):
        kept = sealer.decrypt(_purpose(batch_id), row.encrypted_key, now=now)
        draw = CodeGenerator(bytes.fromhex(kept["key"]))
        drawn += redraw(db, draw, keys, batch_id=batch_id, first=kept["first"], count=kept["count"])
    return tuple(one for one in drawn if one.mark in left)


def record(db: Session, batch: Batch, *, count: int, actor: Actor, now: datetime) -> None:
    """Write down that somebody has opened the codes of a batch again."""
    log.append(
        db,
        CODES_REOPENED,
        ObjectKind.BATCH.named(batch.id),
        actor=actor,
        network=home_network(db, batch, actor.networks),
        detail={"count": count},
        now=now,
    )


def forget(db: Session, *, now: datetime) -> int:
    """Delete the keys of days that are over; how many."""
    over = BatchKey.until <= now
    if db.scalar(select(BatchKey.id).where(over).limit(1)) is None:
        return 0
    overwrite(db)
    return len(db.execute(delete(BatchKey).where(over).returning(BatchKey.id)).all())


def _purpose(batch_id: int) -> str:
    """No row opens as another batch's."""
    return f"batch key {batch_id}"
