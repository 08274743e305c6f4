"""What a visitor does with a ticket, and what the desk did before."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.vouchers import issuing, plans
from auth.vouchers.issuing import IssuedBatch, Order
from auth.vouchers.models import Voucher
from portal.services import Services
from sessions.models import AccessSession
from tests.actors import TESTER
from tests.portal.conftest import Phone
from tests.town import ADA_TABLET


def issue(services: Services, count: int = 1, plan: str = "day", **fields: object) -> IssuedBatch:
    """Passes of a plan that every town begins with, its `fields` changed."""
    with services.make_session.begin() as db:
        plans.add_first_plans(db)
        chosen = plans.by_slug(db, plan)
        for name, value in fields.items():
            setattr(chosen, name, value)
        order = Order(count)
        return issuing.issue(
            db, keys=services.voucher_keys, plan=chosen, order=order, actor=TESTER, now=services.clock()
        )


def use(phone: Phone, code: str, **fields: str) -> TestResponse:
    """Type a code into the landing page and press the button."""
    phone.land()
    return phone.press("/pass", code=code, **fields)


def sessions(db: Session) -> list[AccessSession]:
    db.rollback()
    return list(db.scalars(select(AccessSession).order_by(AccessSession.id)))


def vouchers(db: Session) -> list[Voucher]:
    db.rollback()
    return list(db.scalars(select(Voucher).order_by(Voucher.id)))


def tablet_beside(phone: Phone) -> Phone:
    """Another device at the same gateway."""
    return Phone(phone.app, phone.gateway, ADA_TABLET, "10.68.0.6")
