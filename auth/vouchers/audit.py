"""Audit entries of reading and printing vouchers: tickets printed, books and batches exported, a printer tried."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import (
    BATCH_EXPORTED,
    BOOKS_EXPORTED,
    CODES_EXPORTED,
    PASS_MAILED,
    PRINTER_TRIED,
    TICKETS_PRINTED,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from auth.vouchers.models import Batch
from auth.vouchers.scope import home_network


def tickets_printed(
    db: Session,
    batch: Batch,
    *,
    count: int,
    paper: str,
    languages: tuple[str, ...],
    actor: Actor,
    now: datetime,
) -> None:
    detail: log.Detail = {"count": count, "paper": paper, "languages": list(languages)}
    _of_batch(db, TICKETS_PRINTED, batch, detail, actor=actor, now=now)


def codes_exported(db: Session, batch: Batch, *, count: int, actor: Actor, now: datetime) -> None:
    _of_batch(db, CODES_EXPORTED, batch, {"count": count}, actor=actor, now=now)


def pass_mailed(db: Session, batch: Batch, *, mark: str, actor: Actor, now: datetime) -> None:
    """To whom is written nowhere."""
    _of_batch(db, PASS_MAILED, batch, {"mark": mark}, actor=actor, now=now)


def printer_tried(db: Session, slug: str, *, actor: Actor, now: datetime) -> None:
    log.append(db, PRINTER_TRIED, ObjectKind.PRINTER.named(slug), actor=actor, detail={}, now=now)


def batch_exported(db: Session, batch: Batch, *, passes: int, actor: Actor, now: datetime) -> None:
    _of_batch(db, BATCH_EXPORTED, batch, {"passes": passes}, actor=actor, now=now)


def books_exported(db: Session, *, batches: int, actor: Actor, now: datetime) -> None:
    log.append(
        db,
        BOOKS_EXPORTED,
        ObjectKind.BATCHES,
        actor=actor,
        network=actor.only_network,
        detail={"batches": batches},
        now=now,
    )


def _of_batch(
    db: Session, action: AuditAction, batch: Batch, detail: log.Detail, *, actor: Actor, now: datetime
) -> None:
    network = home_network(db, batch, actor.networks)
    log.append(
        db,
        action,
        ObjectKind.BATCH.named(batch.id),
        actor=actor,
        network=network,
        detail=detail,
        now=now,
    )
