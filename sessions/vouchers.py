"""Passes and the sessions they have open: whether a place is left, and what ends when a pass is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from auth.audit.actor import Actor
from auth.vouchers import issuing, voiding
from auth.vouchers.errors import AlreadyUsed
from auth.vouchers.issuing import IssuedVoucher, draw_at_random
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Voucher
from auth.vouchers.voiding import Chosen, Revoked
from db.statements import table_of
from gateways.types import Client
from sessions import end
from sessions.models import AccessSession, EndReason
from sites.models import Gateway


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


def revoke(db: Session, which: Chosen, *, keys: VoucherKeys, actor: Actor, now: datetime) -> Revoked:
    """Take passes back and end their sessions; the gateways follow within seconds.

    `auth.vouchers.voiding.undo` gives the passes back for a minute.
    """

    def end_theirs(voucher_ids: Sequence[int]) -> Mapping[int, int]:
        return _end_sessions(db, voucher_ids, keys=keys, now=now)

    return voiding.revoke(db, which, actor=actor, now=now, end_sessions=end_theirs)


def replace(
    db: Session,
    *,
    keys: VoucherKeys,
    voucher_id: int,
    actor: Actor,
    now: datetime,
    draw: Callable[[int, int], str] = draw_at_random,
) -> IssuedVoucher:
    """A new ticket for a lost or spoiled one, as `auth.vouchers.issuing.replace`; whoever is online with the old one is
    not any more."""

    def end_theirs(voucher_ids: Sequence[int]) -> Mapping[int, int]:
        return _end_sessions(db, voucher_ids, keys=keys, now=now)

    return issuing.replace(
        db, keys=keys, voucher_id=voucher_id, actor=actor, now=now, draw=draw, end_sessions=end_theirs
    )


def online(db: Session, which: Chosen, *, keys: VoucherKeys, now: datetime) -> int:
    """How many devices are online with these passes now."""
    ids = list(db.scalars(select(Voucher.id).where(which.condition)))
    open_ones = select(func.count(AccessSession.id)).where(
        AccessSession.subject.in_(_by_subject(db, ids, keys)),
        AccessSession.ended_at.is_(None),
        AccessSession.until > now,
    )
    return db.scalar(open_ones) or 0


def _end_sessions(
    db: Session, voucher_ids: Iterable[int], *, keys: VoucherKeys, now: datetime
) -> dict[int, int]:
    """End the open sessions of these passes; how many of each."""
    by_subject = _by_subject(db, voucher_ids, keys)
    open_ones = (
        select(AccessSession.id, AccessSession.subject)
        .where(AccessSession.subject.in_(by_subject), AccessSession.ended_at.is_(None))
        .order_by(AccessSession.id)
    )
    ended: Counter[int] = Counter()
    for access_id, subject in db.execute(open_ones).all():
        ended[by_subject[subject]] += end.end(db, access_id, reason=EndReason.STAFF, now=now)
    return dict(ended)


def _by_subject(db: Session, voucher_ids: Iterable[int], keys: VoucherKeys) -> dict[str, int]:
    """The pseudonyms of those that anybody has ever used: a batch of thousands has few of them."""
    used = select(Voucher.id).where(Voucher.id.in_(list(voucher_ids)), Voucher.used_at.is_not(None))
    return {keys.subject(voucher_id): voucher_id for voucher_id in db.scalars(used)}


_accesses = table_of(AccessSession)
_ONLINE = select(_accesses.c.network_id, _accesses.c.mac).where(
    _accesses.c.subject == bindparam("subject"),
    _accesses.c.ended_at.is_(None),
    _accesses.c.until > bindparam("at"),
)
