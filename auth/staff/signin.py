"""Signing in: a password, then a second factor, each with budgets that strangers cannot use against staff.

A browser that this person has signed in with before proves it by a signed cookie, and has a rate limit of its own. All
other browsers share one for the account and one for the address. All open again by themselves.
"""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from auth import rate_limits
from auth.audit import log
from auth.audit.actions import PAST_DIRECTORY, SIGNED_IN, SIGNED_OUT, ObjectKind
from auth.audit.actor import Actor
from auth.rate_limits import RateLimit
from auth.staff.errors import WrongCode
from auth.staff.lookup import find
from auth.staff.models import RecoveryCode, Staff, StaffState
from auth.staff.roles import Role
from auth.staff.secrets import StaffSecrets
from auth.staff.totp import read_recovery_code, step_of

alarms = logging.getLogger(__name__)

WINDOW = timedelta(minutes=15)
MOST_KNOWN, MOST_UNKNOWN, MOST_ADDRESS = 5, 10, 30


@dataclass(frozen=True, slots=True)
class SigninSource:
    """The source of an attempt: its address, and the browser's name where this account knows it."""

    address: str
    known_browser: str | None = None

    @property
    def place(self) -> str:
        """The address as rate limits count it: an IPv6 host has a whole /64 to choose from (RFC 7421 section 4.1)."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return self.address
        return str(
            address if address.version == 4 else ipaddress.ip_network((int(address), 64), strict=False)
        )


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Both factors were right. `by_recovery`: with a recovery code, of which `codes_left` remain. `by`: otherwise
    than with a password and a code."""

    by_recovery: bool = False
    codes_left: int = 0
    by: str = "second factor"


def of_password(name: str, asker: SigninSource) -> RateLimit:
    if asker.known_browser:
        return RateLimit(f"staff:{name}:{asker.known_browser}", most=MOST_KNOWN, window=WINDOW)
    return RateLimit(f"staff:{name}:", most=MOST_UNKNOWN, window=WINDOW)


def of_code(person: Staff, asker: SigninSource) -> RateLimit:
    return RateLimit(f"staff-code:{person.id}:{asker.known_browser or ''}", most=MOST_KNOWN, window=WINDOW)


def of_address(asker: SigninSource) -> RateLimit:
    return RateLimit(f"staff-address:{asker.place}", most=MOST_ADDRESS, window=WINDOW)


def charge(db: Session, name: str, asker: SigninSource, *, now: datetime) -> RateLimit:
    """Take one attempt at a password before it is looked at. Raises `TooManyAttempts`.

    `name` is what `StaffSecrets.budget_name` makes of the login: one that nobody has is charged alike.
    """
    if asker.known_browser is None:
        rate_limits.check(db, [of_address(asker)], now=now)
    budget = of_password(name, asker)
    rate_limits.take(db, budget, now=now)
    return budget


def candidate(db: Session, login: str) -> Staff | None:
    """The account behind a login, if it can be signed in to."""
    person = find(db, login)
    return person if person is not None and person.state is StaffState.ACTIVE else None


def prove_code(
    db: Session, person: Staff, text: str, *, secrets: StaffSecrets, now: datetime
) -> SecondFactor:
    """Take the second factor: a code of now, or a recovery code; each is good once. Raises `WrongCode`."""
    step = step_of(text, secret=secrets.totp_secret(person.totp_seed), now=now)
    if step is not None and claim_step(db, person, step):
        return SecondFactor(by_recovery=False, codes_left=_codes_left(db, person))
    symbols = read_recovery_code(text)
    if symbols is None or not _claim_recovery(db, person, secrets.recovery_digest(person.id, symbols), now):
        raise WrongCode
    return SecondFactor(by_recovery=True, codes_left=_codes_left(db, person))


def signed_in(db: Session, person: Staff, proven: SecondFactor, *, issuer: str | None, now: datetime) -> None:
    """Put on record that this person is signed in, and how.

    `issuer` is the directory that answers for staff. Past it, local accounts go on opening, for the day it is away; so
    each time is on record, and in the log. Data protection has local accounts alone (`auth.staff.group_grants`).
    """
    by = "recovery code" if proven.by_recovery else proven.by
    object = ObjectKind.STAFF.named(person.id)
    log.append(db, SIGNED_IN, object, actor=person.actor, detail={"by": by}, now=now)
    if issuer is not None and person.issuer is None and Role.PRIVACY not in person.roles:
        log.append(db, PAST_DIRECTORY, object, actor=person.actor, now=now)
        alarms.warning("the local account %s has signed in past the directory", person.login)


def signed_out(db: Session, staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Put on record that this browser of theirs is signed out."""
    log.append(db, SIGNED_OUT, ObjectKind.STAFF.named(staff_id), actor=actor, now=now)


def claim_step(db: Session, person: Staff, step: int) -> bool:
    """Use up the code of one time step and all before it; False where it was used (RFC 6238 section 5.2)."""
    claimed = db.scalar(
        update(Staff)
        .where(Staff.id == person.id, Staff.totp_step < step)
        .values(totp_step=step)
        .returning(Staff.id)
    )
    return claimed is not None


def _claim_recovery(db: Session, person: Staff, digest: str, now: datetime) -> bool:
    claimed = db.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == person.id, RecoveryCode.digest == digest, RecoveryCode.used_at.is_(None)
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return claimed is not None


def _codes_left(db: Session, person: Staff) -> int:
    left = select(RecoveryCode.id).where(RecoveryCode.staff_id == person.id, RecoveryCode.used_at.is_(None))
    return len(db.scalars(left).all())
