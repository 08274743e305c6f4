"""Redeeming a pass: from the code on the ticket to what it allows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session, joinedload

from auth.entitlements import Allowance
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
from auth.vouchers.models import Batch, Voucher
from db.base import UtcDateTime
from db.prepared import Prepared
from db.statements import table_of
from sites import opening_hours as hours
from sites.models import Gateway, SigninMethod


def redeem(db: Session, *, keys: VoucherKeys, code: str, gateway: Gateway, now: datetime) -> Allowance:
    """The allowance of the pass with this code (nine symbols, checked) at `gateway`: `look_up` and `use` in one."""
    voucher = look_up(db, keys=keys, code=code, gateway=gateway, now=now)
    return use(db, voucher, keys=keys, gateway=gateway, now=now)


def look_up(db: Session, *, keys: VoucherKeys, code: str, gateway: Gateway | None, now: datetime) -> Voucher:
    """The pass with this code, if it is good at `gateway`, which comes with site and network. Nothing is locked.

    Without a gateway: if it is good anywhere.

    Raises `UnknownVoucher`, `VoidVoucher`, `SpentVoucher`, `ExpiredVoucher`, `SuspendedVoucher`, `EarlyVoucher` or
    `ForeignVoucher`.
    """
    voucher = find(db, keys=keys, code=code)
    if voucher is None:
        raise UnknownVoucher
    _check(voucher, gateway, now=now)
    return voucher


def use(db: Session, voucher: Voucher, *, keys: VoucherKeys, gateway: Gateway, now: datetime) -> Allowance:
    """The allowance of a pass that was looked up at `gateway`.

    The first use fixes its end, in one statement; every further use keeps it. The row stays locked until the commit,
    so that devices redeeming at the same instant count each other. Whether a place is free is for `sessions.start`.

    Raises what `look_up` raises, where that has become true since.
    """
    until = _claim(db, voucher, until=_until(voucher, gateway, now=now), now=now)
    if until is None:
        # Voided, or at its end, since the look.
        db.refresh(voucher)
        _check(voucher, gateway, now=now)
        raise VoidVoucher(voucher.mark)
    plan = voucher.batch.plan
    return Allowance(
        keys.subject(voucher.id),
        SigninMethod.PASS,
        until,
        plan.devices,
        rate_down_kbps=plan.rate_down_kbps,
        rate_up_kbps=plan.rate_up_kbps,
    )


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


def _check(voucher: Voucher, gateway: Gateway | None, *, now: datetime) -> None:
    batch = voucher.batch
    if voucher.voided_at is not None:
        raise VoidVoucher(voucher.mark)
    if voucher.until is not None and voucher.until <= now:
        raise SpentVoucher(voucher.until)
    if batch.ends_at is not None and batch.ends_at <= now:
        raise ExpiredVoucher(batch.ends_at)
    if batch.suspended_at is not None:
        raise SuspendedVoucher
    if batch.starts_at is not None and now < batch.starts_at:
        raise EarlyVoucher(batch.starts_at)
    if gateway is None:
        return
    if not plans.holds(batch.plan, network=gateway.network.slug, site=gateway.site.slug):
        raise ForeignVoucher(batch.plan.networks, batch.plan.sites)


def _until(voucher: Voucher, gateway: Gateway, *, now: datetime) -> datetime:
    """When the pass ends if this is its first use."""
    site, ends_at = gateway.site, voucher.batch.ends_at
    opening_hours = hours.parse(site.opening_hours, site.school_zone)
    until = plans.until(voucher.batch.plan, now=now, zone=site.tzinfo, hours=opening_hours)
    return until if ends_at is None else min(until, ends_at)


def _claim(db: Session, voucher: Voucher, *, until: datetime, now: datetime) -> datetime | None:
    claimed: datetime | None = _USE.scalar(db, voucher=voucher.id, ends=until, at=now)
    return claimed


# Built once: building a statement costs more than the database takes to answer it.
_vouchers = table_of(Voucher)
_at = bindparam("at", type_=UtcDateTime())
_BY_DIGEST = (
    select(Voucher)
    .where(Voucher.digest == bindparam("digest"))
    .options(joinedload(Voucher.batch, innerjoin=True).joinedload(Batch.plan, innerjoin=True))
)
_USE = Prepared(
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
