"""Staff accounts as an admin or an operator handles them: made, begun anew, given roles, disabled, enabled.

`auth.staff.own_account` has what their owners do themselves.

Every change of what an account may do ends the sign-ins it has, by its `session_version`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from auth.audit import log
from auth.audit.actions import (
    ACCOUNT_BOUND,
    ACCOUNT_CHANGED,
    ACCOUNT_DISABLED,
    ACCOUNT_ENABLED,
    ACCOUNT_MADE,
    ACCOUNT_OF_DIRECTORY,
    ACCOUNT_RESET,
    DIRECTORY_CHANGED,
    DIRECTORY_LEFT,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from auth.patrons.login_names import normalise_login
from auth.staff.errors import (
    BeyondAuthority,
    DirectoryDecides,
    LastAdmin,
    NoReach,
    NoRole,
    NoSchool,
    RolesApart,
    TakenLogin,
    TakesTwo,
    UnknownHome,
    UnknownNetworks,
    UnknownSchools,
    UnreadableLogin,
)
from auth.staff.models import Passkey, RecoveryCode, Staff, StaffState
from auth.staff.roles import (
    ALL_NETWORKS,
    APART,
    NO_NETWORK,
    Authority,
    Role,
    covers,
    may_appoint,
    takes_two,
)
from auth.staff.secrets import new_seed, new_token, token_digest
from sites.models import Network, Site, SiteKind

SETUP_LIFE = timedelta(hours=24)
# What is done to another's account says whose it is; what is done to one's own says so by its actor.
_NAMING = (
    *(ACCOUNT_MADE, ACCOUNT_CHANGED, ACCOUNT_RESET, ACCOUNT_DISABLED, ACCOUNT_ENABLED),
    *(ACCOUNT_OF_DIRECTORY, ACCOUNT_BOUND, DIRECTORY_CHANGED, DIRECTORY_LEFT),
)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._]{1,63}")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An account whose owner has still to set it up. `token` is shown once; the row keeps its digest."""

    staff: Staff
    token: str


def read_login(text: str) -> str:
    """The one form of a login. Raises `UnreadableLogin`."""
    login = normalise_login(text)
    if not _LOGIN.fullmatch(login):
        raise UnreadableLogin
    return login


def invite(
    db: Session,
    *,
    login: str,
    name: str,
    authority: Authority,
    actor: Actor,
    now: datetime,
    home_site: str = "",
    by: Staff | None = None,
    make_token: Callable[[], str] = new_token,
    make_seed: Callable[[], bytes] = new_seed,
) -> Invitation:
    """Make an account without a password; `by` None is the operator on the command line.

    `home_site` is the slug of the library where the person hands passes out; empty: none.

    Raises `TakesTwo` where a member of staff gives what no one person gives (`propose`), `TakenLogin`,
    `UnreadableLogin`, `NoRole`, `NoReach`, `RolesApart`, `UnknownNetworks`, `UnknownHome`.
    """
    if by is not None and takes_two(None, authority):
        raise TakesTwo
    invitation = propose(
        db, login=login, name=name, authority=authority, now=now, make_token=make_token, make_seed=make_seed
    )
    set_home(db, invitation.staff, home_site)
    invitation.staff.setup_digest = token_digest(invitation.token)
    invitation.staff.setup_until = now + SETUP_LIFE
    invitation.staff.handed_by = by.id if by is not None else None
    db.flush()
    append(db, ACCOUNT_MADE, invitation.staff, actor=actor, now=now, given=authority)
    return invitation


def propose(
    db: Session,
    *,
    login: str,
    name: str,
    authority: Authority,
    now: datetime,
    make_token: Callable[[], str] = new_token,
    make_seed: Callable[[], bytes] = new_seed,
) -> Invitation:
    """Make an account that no link opens yet: `auth.staff.requests.ask` is next, and is on record. Raises what `invite`
    raises."""
    check(db, authority)
    token = make_token()
    person = Staff(
        login=read_login(login),
        name=name.strip() or login,
        roles=sorted(authority.roles),
        networks=sorted(authority.networks),
        all_networks=authority.networks == ALL_NETWORKS,
        sites=sorted(authority.sites),
        totp_seed=make_seed(),
        created_at=now,
    )
    try:
        with db.begin_nested():
            db.add(person)
    except IntegrityError as error:
        raise TakenLogin from error
    return Invitation(person, token)


def reset(
    db: Session,
    person: Staff,
    *,
    actor: Actor,
    now: datetime,
    by: Staff | None = None,
    make_token: Callable[[], str] = new_token,
    make_seed: Callable[[], bytes] = new_seed,
) -> Invitation:
    """Begin an account anew: no password, another second factor, no sign-in. Its roles stay.

    `by` None is the operator on the command line. Raises `TakesTwo` (`auth.staff.requests`).
    """
    refuse_directory(person)
    if by is not None and takes_two(None, person.authority):
        raise TakesTwo
    token = make_token()
    begin_anew(db, person, digest=token_digest(token), now=now, make_seed=make_seed)
    person.handed_by = by.id if by is not None else None
    db.flush()
    append(db, ACCOUNT_RESET, person, actor=actor, now=now)
    return Invitation(person, token)


def begin_anew(
    db: Session, person: Staff, *, digest: str, now: datetime, make_seed: Callable[[], bytes] = new_seed
) -> None:
    """Take everything away that opens the account, and let the link with this digest set it up."""
    person.password_hash = None
    person.totp_seed = make_seed()
    person.totp_step = 0
    person.setup_digest, person.setup_until = digest, now + SETUP_LIFE
    person.setup_word_digest = None
    end_signins(person)
    for opener in (RecoveryCode, Passkey):
        db.execute(delete(opener).where(opener.staff_id == person.id))
    db.flush()


def appoint(
    db: Session,
    person: Staff,
    authority: Authority,
    *,
    by: Authority | None,
    actor: Actor,
    now: datetime,
    home_site: str | None = None,
) -> None:
    """Give other roles or networks, or another home (None: the one it has); `by` None is the operator on the command
    line.

    Raises `BeyondAuthority`, `TakesTwo`, `NoRole`, `NoReach`, `RolesApart`, `UnknownNetworks`, `UnknownHome`,
    `LastAdmin`.
    """
    refuse_directory(person)
    check(db, authority)
    if by is not None and not (may_appoint(by, person.authority) and may_appoint(by, authority)):
        raise BeyondAuthority
    if by is not None and takes_two(person.authority, authority):
        raise TakesTwo
    if Role.ADMIN not in authority.roles or authority.networks != ALL_NETWORKS:
        spare_last_admin(db, person)
    give(person, authority)
    set_home(db, person, person.home_site if home_site is None else home_site)
    end_signins(person)
    db.flush()
    append(db, ACCOUNT_CHANGED, person, actor=actor, now=now, given=authority)


def disable(db: Session, person: Staff, *, actor: Actor, now: datetime) -> None:
    """Close an account, and every sign-in with it, at once. Raises `LastAdmin`."""
    spare_last_admin(db, person)
    person.disabled_at = now
    person.setup_digest = person.setup_until = person.setup_word_digest = None
    end_signins(person)
    db.flush()
    append(db, ACCOUNT_DISABLED, person, actor=actor, now=now)


def enable(db: Session, person: Staff, *, actor: Actor, now: datetime, by: Authority | None = None) -> None:
    """Open a disabled account again, with the password and second factor it had; `by` None is the command line.

    Raises `TakesTwo`: such an account is begun anew instead.
    """
    if by is not None and takes_two(None, person.authority):
        raise TakesTwo
    person.disabled_at = None
    db.flush()
    append(db, ACCOUNT_ENABLED, person, actor=actor, now=now)


def give(person: Staff, authority: Authority) -> None:
    """Write down what was checked (`check`)."""
    person.roles, person.networks = sorted(authority.roles), sorted(authority.networks)
    person.all_networks = authority.networks == ALL_NETWORKS
    person.sites = sorted(authority.sites)


def set_home(db: Session, person: Staff, slug: str) -> None:
    """Bind an account to a library; empty: to none. Raises `UnknownHome` where it is none of its networks."""
    if slug:
        site = db.scalar(select(Site).where(Site.slug == slug).options(selectinload(Site.networks)))
        if site is None or not any(covers(person.authority, one.slug) for one in site.networks):
            raise UnknownHome(slug)
    person.home_site = slug


def end_signins(person: Staff) -> None:
    """Sign this person out everywhere, as a part of what is on record."""
    person.session_version += 1


def check(db: Session, authority: Authority) -> None:
    """Whether an account can be given this. Raises `NoRole`, `NoReach`, `RolesApart`, `UnknownNetworks`, `NoSchool`,
    `UnknownSchools`."""
    if not authority.roles:
        raise NoRole
    if authority.networks == NO_NETWORK:
        raise NoReach
    if authority.roles >= APART:
        raise RolesApart
    known = set(db.scalars(select(Network.slug).where(Network.slug.in_(authority.networks))))
    if missing := sorted(authority.networks - known):
        raise UnknownNetworks(missing)
    if (Role.SCHOOL in authority.roles) != bool(authority.sites):
        raise NoSchool
    schools = set(db.scalars(select(Site.slug).where(Site.kind == SiteKind.SCHOOL)))
    if missing := sorted(authority.sites - schools):
        raise UnknownSchools(missing)


def refuse_directory(person: Staff) -> None:
    """Raises `DirectoryDecides` for an account whose roles and whose way in are the directory's."""
    if person.issuer is not None:
        raise DirectoryDecides


def spare_last_admin(db: Session, person: Staff) -> None:
    """Refuse to take the last one who may look after all accounts, whatever the directory says. Raises `LastAdmin`.

    The rows are locked in one order, so that two admins who disable each other at once do not both succeed.
    """
    if not _looks_after_all(person):
        return
    rows = select(Staff).where(Staff.disabled_at.is_(None)).order_by(Staff.id).with_for_update()
    active = db.scalars(rows.execution_options(populate_existing=True)).all()
    if not any(_looks_after_all(one) for one in active if one.id != person.id):
        raise LastAdmin


def _looks_after_all(person: Staff) -> bool:
    is_local = person.issuer is None and person.state is StaffState.ACTIVE
    return is_local and Role.ADMIN in person.roles and person.all_networks


def append(
    db: Session,
    action: AuditAction,
    person: Staff,
    *,
    actor: Actor,
    now: datetime,
    given: Authority | None = None,
) -> None:
    """Append the audit entry of an action on an account, with the roles and networks `given`."""
    detail: dict[str, str | list[str]] = {}
    if action in _NAMING:
        detail["login"] = person.login
    if given is not None:
        detail |= {"roles": sorted(given.roles), "networks": sorted(given.networks)}
        if person.home_site:
            detail["home"] = person.home_site
        if given.sites:
            detail["sites"] = sorted(given.sites)
    log.append(db, action, ObjectKind.STAFF.named(person.id), actor=actor, detail=detail, now=now)
