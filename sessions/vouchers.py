"""Vouchers and the sessions they have open: redeeming one, whether a place is left, what ends when it is taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from auth.audit.actor import Actor
from auth.errors import AuthError
from auth.vouchers import issuing, rate_limits, redeeming, voiding
from auth.vouchers.errors import AlreadyUsed, UnknownVoucher
from auth.vouchers.issuing import IssuedVoucher, draw_at_random
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Voucher
from auth.vouchers.rate_limits import RedeemAttempt
from auth.vouchers.redeeming import FoundVoucher
from auth.vouchers.voiding import Chosen, Revoked
from db.engine import SessionMaker, group_commit, was_kept_waiting
from db.prepared import Prepared
from db.statements import table_of
from gateways.registry import names
from gateways.types import Client
from sessions import end, start
from sessions.arrival import Arrival
from sessions.first_leases import once_more
from sessions.models import AccessSession, EndReason, Lease
from sessions.start import Opened, WhenFull
from sites.models import Gateway, SigninMethod


def redeem(
    make_session: SessionMaker,
    arrival: Arrival,
    *,
    code: str,
    keys: VoucherKeys,
    now: datetime,
    move: bool = False,
) -> int:
    """Redeem the code (as `auth.vouchers.codes.read` gives it) and open the session; its id. `move` takes the place of
    the oldest device of a full pass.

    Raises `auth.errors.AuthError`. The budgets are asked before the code is looked up, and the client's own
    stays locked; only a code that does not exist is charged.

    Concurrent redemptions queue on the voucher's row. PostgreSQL's `lock_timeout` cannot tell a queue that moves from
    a lock that is stuck, so a timeout is tried once more: by then the places are given away, or it is stuck indeed.
    """

    def try_once() -> int:
        return _redeem(make_session, arrival, code, keys=keys, now=now, move=move)

    try:
        return once_more(try_once)
    except OperationalError as error:
        if not was_kept_waiting(error):
            raise
        return try_once()


def _redeem(
    make_session: SessionMaker, arrival: Arrival, code: str, *, keys: VoucherKeys, now: datetime, move: bool
) -> int:
    gateway = arrival.gateway
    attempt = RedeemAttempt(gateway.identity, gateway.site.slug, arrival.client.mac)

    def redeem_once(db: Session) -> Opened | AuthError:
        # On PostgreSQL in one round trip with the budgets, which are looked at first.
        asked = redeeming.ask(db, keys=keys, code=code)
        rate_limits.admit(db, attempt, now=now)
        try:
            voucher = redeeming.look_up(asked, gateway=gateway, now=now)
        except UnknownVoucher:
            # What is charged is kept.
            return rate_limits.charge(db, attempt, now=now)
        if not move:
            refuse_when_full(db, voucher, keys=keys, gateway=gateway, client=arrival.client, now=now)
        allowance, claimed = redeeming.use_and_claim(db, voucher, keys=keys, gateway=gateway, now=now)
        when_full = WhenFull.REPLACE if move else WhenFull.REFUSE
        return start.open_access(
            db, arrival, allowance=allowance, claimed=claimed, when_full=when_full, now=now
        )

    opened = group_commit(make_session, redeem_once)
    if isinstance(opened, AuthError):
        raise opened
    # Known with the commit.
    return opened.access_id


def refuse_when_full(
    db: Session, voucher: FoundVoucher, *, keys: VoucherKeys, gateway: Gateway, client: Client, now: datetime
) -> None:
    """Raise `AlreadyUsed` where other devices have all places of a pass that was just looked up. Nothing is locked.

    It only spares those who come late the queue for the row of the pass, and holds nothing for the others: who gets
    the last place is for `sessions.start`.
    """
    if voucher.used_at is None:
        return
    stays = _STAYS.all(db, subject=keys.subject(voucher.id))
    online = [place for *place, until, ended_at in stays if ended_at is None and until > now]
    if len(online) >= voucher.devices and [gateway.network_id, client.mac] not in online:
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
    return db.scalar(select(func.count(AccessSession.id)).where(*_open(db, which, keys, now))) or 0


def passing_on(db: Session, which: Chosen, *, keys: VoucherKeys, now: datetime) -> int:
    """How many of these devices would pass on until their end: a gateway cannot take back what it has granted."""
    kept = exists().where(
        Lease.access_id == AccessSession.id,
        Lease.released_at.is_(None),
        Lease.until > now,
        Lease.gateway_id == Gateway.id,
        Gateway.kind.not_in(names(lambda can: can.revokes)),
    )
    return db.scalar(select(func.count(AccessSession.id)).where(*_open(db, which, keys, now), kept)) or 0


def _open(db: Session, which: Chosen, keys: VoucherKeys, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The open sessions of these passes."""
    ids = list(db.scalars(select(Voucher.id).where(which.condition)))
    return (
        AccessSession.subject.in_(_by_subject(db, ids, keys)),
        AccessSession.ended_at.is_(None),
        AccessSession.until > now,
    )


def mark_of(db: Session, access: AccessSession, *, keys: VoucherKeys) -> str | None:
    """The number on the pass that let this session in; None where another method did.

    The session keeps the pass's pseudonym alone, so pseudonyms are made anew and compared. A pass is first used at the
    instant its first session begins: a pass of that instant is tried first. Where the first session is purged or was
    not opened so, all passes in use when this one began are.
    """
    if access.method is not SigninMethod.PASS:
        return None
    first = db.scalar(
        select(func.min(AccessSession.started_at)).where(AccessSession.subject == access.subject)
    )
    used = select(Voucher).where(Voucher.used_at <= access.started_at, Voucher.until >= access.started_at)
    for candidates in (used.where(Voucher.used_at == first), used.where(Voucher.used_at != first)):
        for one in db.scalars(candidates):
            if keys.subject(one.id) == access.subject:
                return one.mark
    return None


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
# Of a pass all of them: as `sessions.start`.
_STAYS = Prepared(
    select(_accesses.c.network_id, _accesses.c.mac, _accesses.c.until, _accesses.c.ended_at).where(
        _accesses.c.subject == bindparam("subject")
    )
)
