"""Audit entries about the whole database: backed up, and restored."""

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
