"""Passes and the sessions they have open: whether a place is left, and what ends when a pass is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from auth.vouchers import issuing
from auth.vouchers.errors import AlreadyUsed
from auth.vouchers.issuing import IssuedVoucher, draw_at_random
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Voucher
from db.statements import table_of
from gateways.types import Client
from sessions import end
from sessions.models import AccessSession, EndReason
from sites.models import Gateway


@dataclass(frozen=True, slots=True)
class Revoked:
    """The passes taken back, and how many sessions ended by it."""

    voucher_ids: list[int]
    sessions: int


def refuse_when_full(
    db: Session, voucher: Voucher, *, keys: VoucherKeys, gateway: Gateway, client: Client, now: datetime
) -> None:
    """Raise `AlreadyUsed` where other devices have all places of a pass that was just looked up. Nothing is locked.

    It only spares those who come late the queue for the row of the pass, and holds nothing for the others: who gets
    the last place is for `sessions.start`.
    """
    if voucher.used_at is None:
        return
    online = [
        (network_id, mac)
        for network_id, mac in db.execute(_ONLINE, {"subject": keys.subject(voucher.id), "at": now})
    ]
    if len(online) >= voucher.batch.plan.devices and (gateway.network_id, client.mac) not in online:
        raise AlreadyUsed


def revoke(db: Session, which: ColumnElement[bool], *, keys: VoucherKeys, by: str, now: datetime) -> Revoked:
    """Take passes back and end their sessions; the gateways follow within seconds.

    `which` comes from `voucher_batches.of_batch` or `of_ids`; `voucher_batches.undo` gives the passes back for a
    minute.
    """
    taken = issuing.revoke(db, which, by=by, now=now)
    return Revoked(taken, end_sessions(db, taken, keys=keys, now=now))


def replace(
    db: Session,
    *,
    keys: VoucherKeys,
    voucher_id: int,
    by: str,
    now: datetime,
    draw: Callable[[int, int], str] = draw_at_random,
) -> IssuedVoucher:
    """A new ticket for a lost or spoiled one, as `voucher_batches.replace`; whoever is online with the old one is not
    any more."""
    ticket = issuing.replace(db, keys=keys, voucher_id=voucher_id, by=by, now=now, draw=draw)
    end_sessions(db, [voucher_id], keys=keys, now=now)
    return ticket


def end_sessions(db: Session, voucher_ids: Iterable[int], *, keys: VoucherKeys, now: datetime) -> int:
    """End the open sessions of these passes; how many."""
    open_ones = (
        select(AccessSession.id)
        .where(AccessSession.subject.in_(_subjects(db, voucher_ids, keys)), AccessSession.ended_at.is_(None))
        .order_by(AccessSession.id)
    )
    return sum(
        end.end(db, access_id, reason=EndReason.STAFF, now=now) for access_id in db.scalars(open_ones).all()
    )


def online(db: Session, which: ColumnElement[bool], *, keys: VoucherKeys, now: datetime) -> int:
    """How many devices are online with these passes now."""
    ids = list(db.scalars(select(Voucher.id).where(which)))
    open_ones = select(func.count(AccessSession.id)).where(
        AccessSession.subject.in_(_subjects(db, ids, keys)),
        AccessSession.ended_at.is_(None),
        AccessSession.until > now,
    )
    return db.scalar(open_ones) or 0


def _subjects(db: Session, voucher_ids: Iterable[int], keys: VoucherKeys) -> list[str]:
    """The pseudonyms of those that anybody has ever used: a batch of thousands has few of them."""
    used = select(Voucher.id).where(Voucher.id.in_(list(voucher_ids)), Voucher.used_at.is_not(None))
    return [keys.subject(voucher_id) for voucher_id in db.scalars(used)]


_accesses = table_of(AccessSession)
_ONLINE = select(_accesses.c.network_id, _accesses.c.mac).where(
    _accesses.c.subject == bindparam("subject"),
    _accesses.c.ended_at.is_(None),
    _accesses.c.until > bindparam("at"),
)
