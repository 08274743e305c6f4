"""The lawful purge of the audit log: old entries lose their content and salt; their links stay and prove the rest.

First the log itself says up to which number, and under which rule; from then on, and only so far, the database lets
entries be deleted. An entry can be purged when all before it can.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import AUDIT_LOG_PURGED, ObjectKind
from auth.audit.actor import SYSTEM
from auth.audit.log import AuditEntry, AuditHead

# No purge of the audit log is believed that takes what is younger, whatever rule it names.
SHORTEST_TERM = timedelta(days=365)


def due_to(db: Session, *, before: datetime) -> int:
    """The number up to which every entry was written before this instant."""
    kept = db.scalar(select(func.min(AuditEntry.number)).where(AuditEntry.at >= before))
    last = db.scalar(select(AuditHead.last)) or 0
    return last if kept is None else kept - 1


def declare(db: Session, *, up_to: int, before: datetime, rule: str, now: datetime) -> bool:
    """Record that the entries up to this number, all written before this instant, are purged.

    False where it is recorded already.

    Call it last in its transaction, like `auth.audit.log.append`.
    """
    declared = (
        update(AuditHead).where(AuditHead.purged_to < up_to).values(purged_to=up_to).returning(AuditHead.id)
    )
    if db.scalar(declared) is None:
        return False
    log.append(
        db,
        AUDIT_LOG_PURGED,
        ObjectKind.AUDIT_LOG,
        actor=SYSTEM,
        detail={"up to": up_to, "before": before.isoformat(), "rule": rule},
        now=now,
    )
    return True
