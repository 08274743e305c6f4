"""Accounts that the town's directory vouches for: made at the first sign-in, and only as good as its last word.

An account is found by who vouches for it and by what never changes about the person there (OpenID Connect Core section
5.7), never by login, name or address of mail: whoever gets somebody's login one day gets nothing else of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from auth.audit.actions import (
    ACCOUNT_BOUND,
    ACCOUNT_OF_DIRECTORY,
    ACCOUNT_RESET,
    DIRECTORY_CHANGED,
    DIRECTORY_LEFT,
)
from auth.audit.actor import SYSTEM, Actor
from auth.staff import accounts, group_grants
from auth.staff.errors import DisabledAccount, LocalLogin, NoGrant, UngrantableRole
from auth.staff.group_grants import NEVER_BY_GROUP
from auth.staff.models import GroupGrant, Passkey, RecoveryCode, Staff, StaffSession
from auth.staff.roles import LONGEST_SIGNIN, NO_NETWORK, Authority
from auth.staff.secrets import new_seed

# OpenID Connect Core, section 2: at most 255 characters.
LONGEST_SUBJECT = 255
# How often the sweep asks about everybody who is signed in.
CHECK_EVERY = timedelta(minutes=5)
MOST_GROUPS = 200


@dataclass(frozen=True, slots=True)
class DirectoryPerson:
    """One person as the directory `issuer` describes them. `subject` never changes and is nobody else's, ever."""

    issuer: str
    subject: str
    login: str
    name: str
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What an account would be able to do by other grants. None: nothing."""

    staff: Staff
    before: Authority | None
    after: Authority | None


def arrive(
    db: Session, found: DirectoryPerson, *, now: datetime, make_seed: Callable[[], bytes] = new_seed
) -> Staff:
    """The account of somebody whom the directory has just vouched for; made where there is none.

    Raises `NoGrant`, `DisabledAccount`, `LocalLogin`, `UnreadableLogin`. What `NoGrant` ends has to be committed.
    """
    person = by_subject(db, found.issuer, found.subject)
    wanted = group_grants.authority_of(group_grants.read(db, found.issuer), found.groups)
    if person is None:
        if wanted is None:
            raise NoGrant
        person = _make(db, found, wanted, now=now, make_seed=make_seed)
    if person.disabled_at is not None:
        raise DisabledAccount
    affirm(db, person, found, now=now)
    return person


def affirm(db: Session, person: Staff, found: DirectoryPerson | None, *, now: datetime) -> bool:
    """Take the directory's word on an account: None where it no longer knows the person. Whether they are let in."""
    groups = found.groups if found is not None else frozenset()
    person.groups = sorted(groups)[:MOST_GROUPS]
    wanted = group_grants.authority_of(group_grants.read(db, person.issuer or ""), groups)
    if found is None or wanted is None:
        leave(db, person, now=now)
        return False
    person.name, person.affirmed_at = found.name[:120] or person.login, now
    _give(db, person, wanted, now=now)
    return True


def leave(db: Session, person: Staff, *, now: datetime) -> None:
    """End what an account may do, and every sign-in with it: the directory does not vouch for it any more."""
    if person.affirmed_at is None and not person.roles:
        return
    accounts.give(person, Authority(frozenset(), NO_NETWORK))
    person.affirmed_at = None
    accounts.end_signins(person)
    db.flush()
    accounts.append(db, DIRECTORY_LEFT, person, actor=SYSTEM, now=now)


def bind(db: Session, person: Staff, *, issuer: str, subject: str, actor: Actor, now: datetime) -> None:
    """Make a local account one of the directory, as an operator knows that both are one person.

    Its password and what else opened it are gone; its groups give its roles from the next sign-in on. Raises
    `UngrantableRole` where it has a role that no group gives, and `LastAdmin`.
    """
    if person.authority.roles & NEVER_BY_GROUP:
        raise UngrantableRole
    accounts.spare_last_admin(db, person)
    person.issuer, person.subject, person.affirmed_at = issuer, subject, None
    person.password_hash = person.setup_digest = person.setup_until = person.setup_word_digest = None
    for opener in (RecoveryCode, Passkey):
        db.execute(delete(opener).where(opener.staff_id == person.id))
    accounts.end_signins(person)
    db.flush()
    accounts.append(db, ACCOUNT_BOUND, person, actor=actor, now=now)


def by_subject(db: Session, issuer: str, subject: str) -> Staff | None:
    return db.scalar(select(Staff).where(Staff.issuer == issuer, Staff.subject == subject))


def lasts(person: Staff, *, issuer: str | None, affirmed_for: timedelta, now: datetime) -> bool:
    """Whether sign-ins with this account go on: a local one always, another while `issuer` vouched for it of late."""
    if person.issuer is None:
        return True
    return (
        person.issuer == issuer and person.affirmed_at is not None and now < person.affirmed_at + affirmed_for
    )


def due(db: Session, issuer: str, *, now: datetime, most: int) -> list[tuple[int, str]]:
    """Id and subject of those who are signed in and whom nobody has asked about for `CHECK_EVERY`, at most `most`."""
    signed_in = select(StaffSession.id).where(
        StaffSession.staff_id == Staff.id,
        StaffSession.ended_at.is_(None),
        StaffSession.started_at > now - LONGEST_SIGNIN,
    )
    found = db.execute(
        select(Staff.id, Staff.subject)
        .where(Staff.issuer == issuer, Staff.affirmed_at <= now - CHECK_EVERY, signed_in.exists())
        .order_by(Staff.affirmed_at)
        .limit(most)
    )
    return [(staff_id, subject or "") for staff_id, subject in found]


def enrol_anew(
    db: Session,
    person: Staff,
    *,
    actor: Actor,
    now: datetime,
    make_seed: Callable[[], bytes] = new_seed,
) -> None:
    """A lost phone: the second factor is another one, which the next sign-in shows to whoever has the password."""
    person.totp_seed, person.totp_step = make_seed(), 0
    accounts.end_signins(person)
    db.flush()
    accounts.append(db, ACCOUNT_RESET, person, actor=actor, now=now)


def changes(db: Session, issuer: str, grants: Sequence[GroupGrant]) -> list[Change]:
    """Whose roles would be others by these grants, by the groups that the directory named last."""
    found = db.scalars(select(Staff).where(Staff.issuer == issuer).order_by(Staff.login))
    judged = [
        Change(one, one.authority if one.roles else None, group_grants.authority_of(grants, one.groups))
        for one in found
    ]
    return [one for one in judged if one.before != one.after]


def apply(db: Session, issuer: str, *, now: datetime) -> None:
    """Give every account what the present grants say. Who gets more has it from the next sign-in on."""
    for change in changes(db, issuer, group_grants.read(db, issuer)):
        if change.after is None:
            leave(db, change.staff, now=now)
        elif change.staff.affirmed_at is not None:
            _give(db, change.staff, change.after, now=now)


def _make(
    db: Session, found: DirectoryPerson, wanted: Authority, *, now: datetime, make_seed: Callable[[], bytes]
) -> Staff:
    person = Staff(
        login=accounts.read_login(found.login),
        name=found.name[:120] or found.login,
        roles=[],
        networks=[],
        totp_seed=make_seed(),
        issuer=found.issuer,
        subject=found.subject,
        created_at=now,
    )
    accounts.give(person, wanted)
    try:
        with db.begin_nested():
            db.add(person)
    except IntegrityError as error:
        raise LocalLogin from error
    accounts.append(db, ACCOUNT_OF_DIRECTORY, person, actor=person.actor, now=now, given=wanted)
    return person


def _give(db: Session, person: Staff, wanted: Authority, *, now: datetime) -> None:
    if person.authority == wanted:
        return
    accounts.give(person, wanted)
    accounts.end_signins(person)
    db.flush()
    accounts.append(db, DIRECTORY_CHANGED, person, actor=SYSTEM, now=now, given=wanted)
