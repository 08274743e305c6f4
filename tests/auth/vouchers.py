"""Passes in tests: issued and redeemed as the portal does, with one key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from auth.vouchers import issuing, plans, redeeming
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.keys import VoucherKeys
from config import Secret
from sites.models import Gateway
from tests.actors import TESTER
from tests.clock import NOON

KEYS = VoucherKeys(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))


def issue(db: Session, plan: str = "day", count: int = 1, **fields: object) -> IssuedBatch:
    chosen = plans.by_slug(db, plan)
    for name, value in fields.items():
        setattr(chosen, name, value)
    return issuing.issue(db, keys=KEYS, plan=chosen, order=Order(count), actor=TESTER, now=NOON)


def redeem(db: Session, code: str, gateway: Gateway, *, now: datetime = NOON) -> Allowance:
    return redeeming.redeem(db, keys=KEYS, code=code, gateway=gateway, now=now)
