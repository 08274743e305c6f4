"""What the owners of staff accounts do themselves: set up, change the password, make recovery codes, sign out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from auth.audit.actions import (
    ACCOUNT_SET_UP,
    PASSWORD_CHANGED,
    RECOVERY_CODES_MADE,
    SIGNED_OUT_EVERYWHERE,
)
from auth.audit.actor import Actor
from auth.staff.accounts import append, end_signins, refuse_directory
from auth.staff.errors import SpentSetup
from auth.staff.models import RecoveryCode, Staff
from auth.staff.secrets import token_digest


def find_setup(db: Session, token: str, *, now: datetime) -> Staff:
    """The account that a setup link belongs to. Raises `SpentSetup`."""
    found = db.scalar(
        select(Staff).where(
            Staff.setup_digest == token_digest(token), Staff.setup_until > now, Staff.disabled_at.is_(None)
        )
    )
    if found is None:
        raise SpentSetup
    return found


def set_up(
    db: Session,
    token: str,
    *,
    password_hash: str,
    totp_step: int,
    now: datetime,
    recovery: Iterable[str] = (),
) -> Staff:
    """Use the link: from now on the password and the second factor open the account. Raises `SpentSetup`.

    `recovery` are the digests of its recovery codes.

    One statement claims the link, so that two who have it at once are not both let in.
    """
    claimed = db.scalar(
        update(Staff)
        .where(
            Staff.setup_digest == token_digest(token), Staff.setup_until > now, Staff.disabled_at.is_(None)
        )
        .values(
            password_hash=password_hash,
            totp_step=totp_step,
            setup_digest=None,
            setup_until=None,
            setup_word_digest=None,
            session_version=Staff.session_version + 1,
        )
        .returning(Staff.id)
    )
    if claimed is None:
        raise SpentSetup
    person = db.get_one(Staff, claimed, populate_existing=True)
    _put_recovery_codes(db, person, recovery)
    append(db, ACCOUNT_SET_UP, person, actor=person.actor, now=now)
    return person


def change_password(db: Session, staff_id: int, password_hash: str, *, actor: Actor, now: datetime) -> Staff:
    """Take a new password; every sign-in so far ends. Raises `DirectoryDecides`."""
    person = db.get_one(Staff, staff_id, with_for_update=True)
    refuse_directory(person)
    person.password_hash = password_hash
    end_signins(person)
    db.flush()
    append(db, PASSWORD_CHANGED, person, actor=actor, now=now)
    return person


def sign_out_everywhere(db: Session, staff_id: int, *, actor: Actor, now: datetime) -> None:
    """End every sign-in of this person."""
    person = db.get_one(Staff, staff_id, with_for_update=True)
    end_signins(person)
    db.flush()
    append(db, SIGNED_OUT_EVERYWHERE, person, actor=actor, now=now)


def replace_recovery_codes(
    db: Session, person: Staff, digests: Iterable[str], *, actor: Actor, now: datetime
) -> None:
    """Put new recovery codes in the place of those there were. Raises `DirectoryDecides`."""
    refuse_directory(person)
    _put_recovery_codes(db, person, digests)
    append(db, RECOVERY_CODES_MADE, person, actor=actor, now=now)


def _put_recovery_codes(db: Session, person: Staff, digests: Iterable[str]) -> None:
    db.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == person.id))
    db.add_all(RecoveryCode(staff_id=person.id, digest=digest) for digest in digests)
    db.flush()
