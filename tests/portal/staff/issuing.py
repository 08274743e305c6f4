"""Passes issued by a clerk, and the visitor who uses one."""

from __future__ import annotations

import re

from sqlalchemy import select

from auth.audit.log import AuditEntry
from auth.vouchers import redeeming
from auth.vouchers.codes import read
from auth.vouchers.models import Batch, Voucher
from portal.services import Services
from sessions import start
from sessions.arrival import Acceptance, Arrival
from tests.portal.staff.conftest import Clerk
from tests.town import Town, make_client

CODE = re.compile(r"\b[2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3}\b")


def issue(clerk: Clerk, count: str = "", **fields: str) -> list[str]:
    """Issue passes; their codes as shown."""
    clerk.get("/staff/desk")
    fields = {"plan": "day", "desk": "pierre-bayle", "count": count, **fields}
    clerk.press("/staff/desk", **fields)
    assert clerk.follow().status_code == 200, clerk.page.text
    return list(dict.fromkeys(CODE.findall(clerk.page.text)))


def only_pass(services: Services) -> Voucher:
    with services.make_session() as db:
        return db.scalars(select(Voucher)).one()


def deeds(services: Services) -> list[str]:
    with services.make_session() as db:
        of_passes = select(AuditEntry.action).where(AuditEntry.object.not_like("staff:%"))
        return list(db.scalars(of_passes.order_by(AuditEntry.number)))


def go_online(services: Services, town: Town, code: str) -> None:
    """The visitor's side."""
    with services.make_session.begin() as db:
        gateway = db.merge(town.pierre_bayle)
        now = services.clock()
        allowance = redeeming.redeem(
            db, keys=services.voucher_keys, code=read(code), gateway=gateway, now=now
        )
        start.open_access(
            db,
            Arrival(
                gateway, make_client("02:00:00:00:0a:01", "10.68.0.5"), Acceptance("2026-1", "fr", "0" * 64)
            ),
            allowance=allowance,
            now=now,
        )


def only_batch(services: Services) -> Batch:
    with services.make_session() as db:
        return db.scalars(select(Batch)).one()
