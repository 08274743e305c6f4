"""Redeeming a pass: from the code on the ticket to what it allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from auth import entitlements
from auth.entitlements import Allowance, Claimed, claimed_by, claiming_until, values_of
from auth.errors import AuthError
from auth.vouchers import plans
from auth.vouchers.errors import (
    EarlyVoucher,
    ExpiredVoucher,
    ForeignVoucher,
    SpentVoucher,
    SuspendedVoucher,
    UnknownVoucher,
    VoidVoucher,
)
from auth.vouchers.keys import VoucherKeys
from auth.vouchers.models import Batch, Plan, PlanKind, Voucher
from db.base import UtcDateTime
from db.prepared import Prepared, Reply
from db.session import driver_of
from db.statements import table_of
from sites import opening_hours as hours
from sites.models import Gateway, SigninMethod


class FoundVoucher(NamedTuple):
    """A pass as it was looked up, with what its batch and its plan say."""

    id: int
    digest: str
    batch_id: int
    number: int
    used_at: datetime | None
    until: datetime | None
    voided_at: datetime | None
    # Of its batch.
    starts_at: datetime | None
    batch_ends_at: datetime | None
    suspended_at: datetime | None
    # Of its plan.
    kind: PlanKind
    length_minutes: int
    grace_minutes: int
    least_minutes: int
    ends_at: datetime | None
    devices: int
    rate_down_kbps: int | None
    rate_up_kbps: int | None
    networks: list[str]
    sites: list[str]

    @property
    def mark(self) -> str:
        """As `auth.vouchers.models.Voucher.mark`."""
        return f"{self.batch_id}-{self.number}"


def redeem(db: Session, *, keys: VoucherKeys, code: str, gateway: Gateway, now: datetime) -> Allowance:
    """The allowance of the pass with this code (nine symbols, checked) at `gateway`: `look_up` and `use` in one."""
    voucher = look_up(ask(db, keys=keys, code=code), gateway=gateway, now=now)
    return use(db, voucher, keys=keys, gateway=gateway, now=now)


def ask(db: Session, *, keys: VoucherKeys, code: str) -> Reply:
    """Ask for the pass with this code with the next question; `look_up` reads the answer. Nothing is locked."""
    return _FIND.later(db, digest=keys.digest(code))


def look_up(asked: Reply, *, gateway: Gateway | None, now: datetime) -> FoundVoucher:
    """The pass that was asked for, if it is good at `gateway`, which comes with site and network.

    Without a gateway: if it is good anywhere.

    Raises `UnknownVoucher`, `VoidVoucher`, `SpentVoucher`, `ExpiredVoucher`, `SuspendedVoucher`, `EarlyVoucher` or
    `ForeignVoucher`.
    """
    return _checked(_read(asked), gateway, now=now)


def use(
    db: Session, voucher: FoundVoucher, *, keys: VoucherKeys, gateway: Gateway, now: datetime
) -> Allowance:
    """The allowance of a pass that was looked up at `gateway`.

    The first use fixes its end, in one statement; every further use keeps it. The row stays locked until the commit,
    so that devices redeeming at the same instant count each other. Whether a place is free is for `sessions.start`.

    Raises what `look_up` raises, where that has become true since.
    """
    until: datetime | None = _USE.scalar(
        db, voucher=voucher.id, ends=_until(voucher, gateway, now=now), at=now
    )
    if until is None:
        raise _denial(db, voucher, gateway, now=now)
    return _allowance(voucher, keys, until)


def use_and_claim(
    db: Session, voucher: FoundVoucher, *, keys: VoucherKeys, gateway: Gateway, now: datetime
) -> tuple[Allowance, Callable[[], Claimed]]:
    """`use`, and the claim of the pass's entitlement on the network of `gateway` (`auth.entitlements.claim`).

    The second part reads what was claimed, and raises what `use` raises. On PostgreSQL both are one statement, sent
    with the next question; the end of the allowance is then that of a first use.
    """
    if driver_of(db).writes.name != "postgresql":
        allowance = use(db, voucher, keys=keys, gateway=gateway, now=now)
        claiming = entitlements.claim(db, network_id=gateway.network_id, allowance=allowance, now=now)
        return allowance, partial(claimed_by, claiming)
    ends = _until(voucher, gateway, now=now)
    allowance = _allowance(voucher, keys, ends)
    values = values_of(allowance, network_id=gateway.network_id, now=now)
    claiming = _USE_AND_CLAIM.later(db, **values, voucher=voucher.id, ends=ends, at=now)

    def claimed() -> Claimed:
        if claiming.first() is None:
            raise _denial(db, voucher, gateway, now=now)
        return claimed_by(claiming)

    return allowance, claimed


def find(db: Session, *, keys: VoucherKeys, code: str) -> Voucher | None:
    """The pass with this code, with its batch and plan; None where there is none."""
    return db.scalars(_BY_DIGEST, {"digest": keys.digest(code)}).first()


def find_by_mark(db: Session, mark: str) -> Voucher | None:
    """The pass with this mark (``12-7``), with its batch and plan."""
    batch, _, number = mark.partition("-")
    if not (batch.isdecimal() and number.isdecimal() and len(mark) < 18):
        return None
    return db.scalars(
        select(Voucher)
        .where(Voucher.batch_id == int(batch), Voucher.number == int(number))
        .options(joinedload(Voucher.batch).joinedload(Batch.plan))
    ).first()


def _read(asked: Reply) -> FoundVoucher:
    row = asked.first()
    if row is None:
        raise UnknownVoucher
    return FoundVoucher._make(row)


def _checked(voucher: FoundVoucher, gateway: Gateway | None, *, now: datetime) -> FoundVoucher:
    if voucher.voided_at is not None:
        raise VoidVoucher(voucher.mark)
    if voucher.until is not None and voucher.until <= now:
        raise SpentVoucher(voucher.until)
    if voucher.batch_ends_at is not None and voucher.batch_ends_at <= now:
        raise ExpiredVoucher(voucher.batch_ends_at)
    if voucher.suspended_at is not None:
        raise SuspendedVoucher
    if voucher.starts_at is not None and now < voucher.starts_at:
        raise EarlyVoucher(voucher.starts_at)
    if gateway is None:
        return voucher
    if not plans.holds(voucher, network=gateway.network.slug, site=gateway.site.slug):
        raise ForeignVoucher(voucher.networks, voucher.sites)
    return voucher


def _until(voucher: FoundVoucher, gateway: Gateway, *, now: datetime) -> datetime:
    """When the pass ends if this is its first use."""
    site, ends_at = gateway.site, voucher.batch_ends_at
    opening_hours = hours.parse(site.opening_hours, site.school_zone)
    until = plans.until(voucher, now=now, zone=site.tzinfo, hours=opening_hours)
    return until if ends_at is None else min(until, ends_at)


def _allowance(voucher: FoundVoucher, keys: VoucherKeys, until: datetime) -> Allowance:
    return Allowance(
        keys.subject(voucher.id),
        SigninMethod.PASS,
        until,
        voucher.devices,
        rate_down_kbps=voucher.rate_down_kbps,
        rate_up_kbps=voucher.rate_up_kbps,
    )


def _denial(db: Session, voucher: FoundVoucher, gateway: Gateway, *, now: datetime) -> AuthError:
    """Why a pass that was good at the look is not any more: voided, or at its end, since."""
    try:
        return VoidVoucher(_checked(_read(_FIND.later(db, digest=voucher.digest)), gateway, now=now).mark)
    except AuthError as error:
        return error


# Built once: building a statement costs more than the database takes to answer it.
_vouchers, _batches, _plans = table_of(Voucher), table_of(Batch), table_of(Plan)
_at = bindparam("at", type_=UtcDateTime())
_BY_DIGEST = (
    select(Voucher)
    .where(Voucher.digest == bindparam("digest"))
    .options(joinedload(Voucher.batch, innerjoin=True).joinedload(Batch.plan, innerjoin=True))
)
_OF_BATCH = {"starts_at": "starts_at", "batch_ends_at": "ends_at", "suspended_at": "suspended_at"}
_OF_VOUCHER = FoundVoucher._fields[:7]
_FIND = Prepared(
    select(
        *(_vouchers.c[name] for name in _OF_VOUCHER),
        *(_batches.c[name].label(label) for label, name in _OF_BATCH.items()),
        *(_plans.c[name] for name in FoundVoucher._fields[len(_OF_VOUCHER) + len(_OF_BATCH) :]),
    )
    .join(_batches, _batches.c.id == _vouchers.c.batch_id)
    .join(_plans, _plans.c.id == _batches.c.plan_id)
    .where(_vouchers.c.digest == bindparam("digest"))
)
_use = (
    update(_vouchers)
    .where(
        _vouchers.c.id == bindparam("voucher"),
        _vouchers.c.voided_at.is_(None),
        or_(_vouchers.c.until.is_(None), _vouchers.c.until > _at),
    )
    .values(
        used_at=func.coalesce(_vouchers.c.used_at, _at),
        until=func.coalesce(_vouchers.c.until, bindparam("ends", type_=UtcDateTime())),
    )
    .returning(_vouchers.c.until)
)
_USE = Prepared(_use)
_USE_AND_CLAIM = Prepared(claiming_until(_use.cte("used").c.until))
