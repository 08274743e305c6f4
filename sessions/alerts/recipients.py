"""Who is told by e-mail: listed, written down, taken off. Each deed is in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import RECIPIENT_ADDED, RECIPIENT_REMOVED, AuditAction, ObjectKind
from auth.audit.actor import Actor
from config.smtp import read_mail_address
from sessions.alerts.errors import ListedAddress, UnfitAddress, UnfitQuietHours
from sessions.alerts.models import Recipient
from sessions.alerts.quiet_hours import read_time
from sessions.troubles.kinds import Severity


@dataclass(frozen=True, slots=True)
class Wish:
    """What a form says of a recipient."""

    address: str
    language: str
    least: Severity = Severity.WAITING
    quiet_from: str = ""
    quiet_until: str = ""
    woken_by_broken: bool = False


def every(db: Session) -> Sequence[Recipient]:
    """Whoever is told now, by address."""
    active = select(Recipient).where(Recipient.retired_at.is_(None))
    return db.scalars(active.order_by(Recipient.address)).all()


def find(db: Session, number: int) -> Recipient | None:
    """One who is told now."""
    found = db.get(Recipient, number)
    return found if found is not None and found.retired_at is None else None


def add(db: Session, wish: Wish, *, actor: Actor, now: datetime) -> Recipient:
    """Raises `UnfitAddress`, `UnfitQuietHours` and `ListedAddress`."""
    try:
        address = read_mail_address(wish.address)
    except ValueError as error:
        raise UnfitAddress from error
    begin, end = _quiet(wish)
    recipient = Recipient(
        address=address,
        language=wish.language,
        least=wish.least,
        quiet_from=begin,
        quiet_until=end,
        woken_by_broken=wish.woken_by_broken,
        added_at=now,
        added_by=actor.name,
    )
    try:
        with db.begin_nested():
            db.add(recipient)
    except IntegrityError as error:
        raise ListedAddress(address) from error
    _note(db, RECIPIENT_ADDED, recipient, actor=actor, now=now)
    return recipient


def remove(db: Session, recipient: Recipient, *, actor: Actor, now: datetime) -> None:
    """Tell this one no more. What was told stays on record; the address does not."""
    recipient.retired_at = now
    _note(db, RECIPIENT_REMOVED, recipient, actor=actor, now=now)
    recipient.address = ""


def _quiet(wish: Wish) -> tuple[int | None, int | None]:
    texts = wish.quiet_from.strip(), wish.quiet_until.strip()
    if not any(texts):
        return None, None
    try:
        begin, end = map(read_time, texts)
    except ValueError as error:
        raise UnfitQuietHours from error
    if begin == end:
        raise UnfitQuietHours
    return begin, end


def _note(db: Session, action: AuditAction, recipient: Recipient, *, actor: Actor, now: datetime) -> None:
    log.append(db, action, ObjectKind.RECIPIENT.named(recipient.id), actor=actor, now=now)
