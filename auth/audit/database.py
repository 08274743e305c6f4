"""What is on record of the database as a whole: copied, and put back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import BACKUP_MADE, DATABASE_RESTORED, ObjectKind
from auth.audit.actor import Actor


def backup_made(db: Session, *, actor: Actor, now: datetime) -> None:
    log.append(db, BACKUP_MADE, ObjectKind.DATABASE, actor=actor, now=now)


def restored(db: Session, detail: log.Detail, *, actor: Actor, now: datetime) -> None:
    log.append(db, DATABASE_RESTORED, ObjectKind.DATABASE, actor=actor, detail=detail, now=now)
