"""The recovery codes of an account: how many are unused, and whether given ones are its own."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.staff.models import RecoveryCode


def count_unused(db: Session, staff_id: int) -> int:
    unused = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    return db.scalar(unused) or 0


def count_known(db: Session, staff_id: int, digests: Collection[str]) -> int:
    """How many of these digests are codes of the account, used or not."""
    known = select(func.count(RecoveryCode.id)).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.digest.in_(digests)
    )
    return db.scalar(known) or 0
