"""Roles that check each other are given by two: what an administrator asks for, and a second person grants.

Administrators of accounts do not read the session log, and data protection watches them. So no account has both roles,
and granting the second one, or resetting such an account, takes two people. The link goes to the person who asked, the
word that belongs to it to the one who granted: neither can open the account alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import (
    REQUEST_GRANTED,
    REQUEST_REFUSED,
    SECOND_PERSON_ASKED,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from auth.staff import accounts
from auth.staff.accounts import Invitation
from auth.staff.errors import DependentPerson, OverRequest
from auth.staff.models import Staff, StaffRequest
from auth.staff.roles import ALL_NETWORKS, Authority, may_second
from auth.staff.secrets import new_seed, new_token, token_digest

# So long it waits for a second person.
LIFE = timedelta(days=7)
# So long afterwards it is shown.
TOLD_FOR = timedelta(days=30)
# Stands for whoever keeps the directory's groups; no account has this number.
_OF_DIRECTORY = 0


@dataclass(frozen=True, slots=True)
class Handover:
    """An account that was granted. `word` is shown once, to the person who granted it."""

    staff: Staff
    word: str


def ask(
    db: Session,
    person: Staff,
    wanted: Authority,
    *,
    by: Staff,
    actor: Actor,
    now: datetime,
    make_token: Callable[[], str] = new_token,
) -> Invitation:
    """Ask that `person` begins anew with what is wanted. Nothing changes until it is granted, the link included.

    What was asked about the same account before is over. Raises `NoRole`, `UnknownNetworks`, `RolesApart`.
    """
    accounts.refuse_directory(person)
    accounts.check(db, wanted)
    token = make_token()
    db.execute(
        update(StaffRequest)
        .where(StaffRequest.staff_id == person.id, StaffRequest.decided_at.is_(None))
        .values(decided_at=now, decided_by=by.login, granted=False)
    )
    db.add(
        _request(person, wanted, by=by.login, now=now, asked_by_id=by.id, token_digest=token_digest(token))
    )
    db.flush()
    log.append(
        db,
        SECOND_PERSON_ASKED,
        ObjectKind.STAFF.named(person.id),
        actor=actor,
        detail={"login": person.login, "roles": sorted(wanted.roles), "networks": sorted(wanted.networks)},
        now=now,
    )
    return Invitation(person, token)


def grant(
    db: Session,
    request: StaffRequest,
    *,
    by: Staff | None,
    actor: Actor,
    now: datetime,
    word: str,
    digest_word: Callable[[int, str], str],
    make_seed: Callable[[], bytes] = new_seed,
) -> Handover:
    """Let it be so; `by` None is the operator on the command line. Raises `OverRequest`, `DependentPerson`,
    `UnknownNetworks`."""
    if by is not None and not may_grant(db, request, by):
        raise DependentPerson
    _decide(db, request, granted=True, by=actor.name, now=now)
    person = db.get_one(Staff, request.staff_id)
    accounts.refuse_directory(person)
    wanted = request.authority
    accounts.check(db, wanted)
    accounts.begin_anew(db, person, digest=request.token_digest, now=now, make_seed=make_seed)
    person.setup_word_digest = digest_word(person.id, word)
    accounts.give(person, wanted)
    person.disabled_at, person.handed_by = None, None
    db.flush()
    _append(db, REQUEST_GRANTED, request, actor=actor, now=now)
    return Handover(person, word)


def refuse(db: Session, request: StaffRequest, *, actor: Actor, now: datetime) -> None:
    """Leave everything as it is. Raises `OverRequest`."""
    _decide(db, request, granted=False, by=actor.name, now=now)
    _append(db, REQUEST_REFUSED, request, actor=actor, now=now)


def tell(db: Session, person: Staff, *, by: str, now: datetime) -> None:
    """Record what was done on the command line by one person, so that it is shown to all concerned."""
    request = _request(person, person.authority, by=by, now=now, token_digest="")
    request.decided_at, request.decided_by, request.granted = now, by, True
    db.add(request)
    db.flush()


def visible(db: Session, person: Staff, *, now: datetime) -> list[StaffRequest]:
    """What waits, and what was decided of late, as far as this person is concerned: it is about them, or they could
    grant it, or asked for it. The newest first."""
    found = db.scalars(
        select(StaffRequest)
        .where(func.coalesce(StaffRequest.decided_at, StaffRequest.asked_at) > now - TOLD_FOR)
        .order_by(StaffRequest.id.desc())
    )
    return [
        one
        for one in found
        if one.staff_id == person.id
        or one.asked_by_id == person.id
        or may_second(person.authority, one.authority)
    ]


def find(db: Session, request_id: int, *, visible_to: Authority) -> StaffRequest | None:
    """A request that somebody could grant or refuse."""
    found = db.get(StaffRequest, request_id)
    return found if found is not None and may_second(visible_to, found.authority) else None


def open_about(db: Session, person: Staff, *, now: datetime) -> StaffRequest | None:
    return db.scalar(select(StaffRequest).where(StaffRequest.staff_id == person.id, _waits(now)))


def waits(request: StaffRequest, *, now: datetime) -> bool:
    return request.decided_at is None and now < request.asked_at + LIFE


def may_grant(db: Session, request: StaffRequest, person: Staff) -> bool:
    """Whether this person is a second one: it is not about them, and neither of the two has had a link to the other's
    account in their hands, nor somebody else links to both."""
    if request.asked_by_id is None or not may_second(person.authority, request.authority):
        return False
    if person.id in (request.asked_by_id, request.staff_id):
        return False
    return _hands(db, person.id).isdisjoint(_hands(db, request.asked_by_id))


def _hands(db: Session, staff_id: int) -> set[int]:
    """This person, and those through whose hands the link to the account came, one after the other.

    All accounts of the directory came through the same hands: whoever keeps its groups could be both of two.
    """
    found: set[int] = set()
    following: int | None = staff_id
    while following is not None and following not in found:
        found.add(following)
        person = db.get(Staff, following)
        if person is not None and person.issuer is not None:
            found.add(_OF_DIRECTORY)
        following = person.handed_by if person is not None else None
    return found


def _request(
    person: Staff,
    wanted: Authority,
    *,
    by: str,
    now: datetime,
    token_digest: str,
    asked_by_id: int | None = None,
) -> StaffRequest:
    return StaffRequest(
        staff_id=person.id,
        login=person.login,
        roles=sorted(wanted.roles),
        networks=sorted(wanted.networks),
        all_networks=wanted.networks == ALL_NETWORKS,
        sites=sorted(wanted.sites),
        token_digest=token_digest,
        asked_by=by,
        asked_by_id=asked_by_id,
        asked_at=now,
    )


def _waits(now: datetime) -> ColumnElement[bool]:
    return StaffRequest.decided_at.is_(None) & (StaffRequest.asked_at > now - LIFE)


def _decide(db: Session, request: StaffRequest, *, granted: bool, by: str, now: datetime) -> None:
    decided = db.scalar(
        update(StaffRequest)
        .where(StaffRequest.id == request.id, _waits(now))
        .values(decided_at=now, decided_by=by, granted=granted)
        .returning(StaffRequest.id)
    )
    if decided is None:
        raise OverRequest


def _append(db: Session, action: AuditAction, request: StaffRequest, *, actor: Actor, now: datetime) -> None:
    log.append(
        db,
        action,
        ObjectKind.STAFF.named(request.staff_id),
        actor=actor,
        detail={
            "login": request.login,
            "asked by": request.asked_by,
            "roles": request.roles,
            "networks": request.networks,
        },
        now=now,
    )
