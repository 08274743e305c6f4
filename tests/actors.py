"""Who acts in tests that are not about who acts."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actor import Actor, staff_member

TESTER = staff_member("tests", frozenset())


def person(login: str) -> Actor:
    """A member of staff of all networks."""
    return staff_member(login, frozenset())


def enter(db: Session, **entry: Any) -> log.AuditEntry:
    """An entry of the audit log as it might stand there, of actions that nobody declared too."""
    return log._write(db, **entry)
