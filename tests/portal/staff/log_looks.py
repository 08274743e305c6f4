"""Looking at the log in tests: what a page shows, what the audit log holds, what nobody may see."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from tests.portal.staff.conftest import Clerk
from tests.sessions.log.rows import ADA, BO
from tests.town import ADA_PHONE, BO_PHONE

WHY = "the guest asked at the desk"


def main_of(clerk: Clerk) -> str:
    return clerk.page.text.split("<main")[1]


def deeds(db: Session) -> list[AuditEntry]:
    db.rollback()
    wanted = select(AuditEntry).where(AuditEntry.object.not_like("staff:%")).order_by(AuditEntry.number)
    return list(db.scalars(wanted))


SECRETS = (ADA_PHONE, BO_PHONE, "10.66.0.5", "10.67.0.9", "10.66.0.9", ADA, BO)


def holds_none(page: str) -> bool:
    return not [secret for secret in SECRETS if secret in page]


def lift(clerk: Clerk, path: str, veil: str = "devices", reason: str = WHY) -> Any:
    clerk.get(path)
    return clerk.press(f"/staff/unmask/{veil}", reason=reason)
