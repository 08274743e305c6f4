"""Patrons get online with their library account, from whatever front end they ask: a page, a program, RADIUS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from auth import rate_limits
from auth.entitlements import Allowance
from auth.errors import AuthError, TooManyAttempts, WrongCredentials
from auth.patrons.directory import Directory, DirectoryEntry, Patron
from auth.patrons.login_names import check_secret
from auth.pseudonyms import Pseudonyms
from auth.rate_limits import RateLimit
from db.engine import SessionMaker, async_commit, group_commit, reading
from db.prepared import Prepared, Reply
from db.statements import table_of
from gateways.types import MacAddress
from sessions import policy, start
from sessions.arrival import Arrival
from sessions.first_leases import once_more
from sessions.models import AccessSession
from sessions.start import Opened
from sites.limits import site_closing
from sites.models import Gateway, SigninMethod

Result = TypeVar("Result")


def sign_in(
    make_session: SessionMaker,
    arrival: Arrival,
    *,
    login: str,
    secret: str,
    directory: Directory,
    pseudonyms: Pseudonyms,
    now: datetime,
) -> int:
    """Prove the patron and open the session; its id. Raises as `prove` does."""

    def open_session(db: Session, subject: str, _patron: Patron) -> Opened:
        allowance = allowance_of(subject, arrival.gateway, now)
        return start.open_access(db, arrival, allowance=allowance, now=now)

    opened = prove(
        make_session,
        arrival.gateway,
        arrival.client.mac,
        login=login,
        secret=secret,
        directory=directory,
        pseudonyms=pseudonyms,
        now=now,
        then=open_session,
    )
    # Known with the commit.
    return opened.access_id


def prove(
    make_session: SessionMaker,
    gateway: Gateway,
    mac: MacAddress,
    *,
    login: str,
    secret: str,
    directory: Directory,
    pseudonyms: Pseudonyms,
    now: datetime,
    then: Callable[[Session, str, Patron], Result],
) -> Result:
    """Prove the patron; what `then` makes of the pseudonym, in the transaction that ends the attempt (`once_more`).

    No transaction waits for the directory. The attempt is charged before it is asked, and given back when the PIN was
    right: a stranger's guesses stop here and never lock the patron's account there. Raises `auth.errors.AuthError`,
    whose `subject` says whom the directory found.
    """
    # Before anybody is asked; the directory does the same with the login.
    check_secret(secret)
    found = directory.find(login)
    subject = pseudonym_of(found, pseudonyms)
    try:
        return _prove(
            make_session,
            gateway,
            mac,
            found,
            secret,
            subject=subject,
            directory=directory,
            now=now,
            then=then,
        )
    except AuthError as error:
        error.subject = subject if found.stable_id is not None else None
        raise


def pseudonym_of(found: DirectoryEntry, pseudonyms: Pseudonyms) -> str:
    """The person's pseudonym; an unknown login has one of its own, so that guesses at it count alike."""
    if found.stable_id is None:
        return pseudonyms.of("nobody", found.login)
    return pseudonyms.of("patron", found.stable_id)


def _prove(
    make_session: SessionMaker,
    gateway: Gateway,
    mac: MacAddress,
    found: DirectoryEntry,
    secret: str,
    *,
    subject: str,
    directory: Directory,
    now: datetime,
    then: Callable[[Session, str, Patron], Result],
) -> Result:
    broad = [rate_limits.of_client(gateway.identity, mac), rate_limits.of_site(gateway.site.slug)]
    client, site = broad
    own, strangers = (rate_limits.of_account(subject, device) for device in (mac, None))

    def begin_attempt(db: Session) -> Reply:
        # Strangers who spend the site's limit shut no device out that has been on with this account.
        return _CHARGE.later(db, own, strangers, client=client, site=site, now=now, subject=subject, mac=mac)

    def give_back(db: Session) -> None:
        rate_limits.refund(db, account)

    def count_guess(db: Session) -> None:
        for limit in broad:
            rate_limits.count(db, limit, now=now)

    def end_attempt(db: Session) -> Result:
        give_back(db)
        return then(db, subject, patron)

    key = async_commit(make_session, begin_attempt).scalar()
    if key is None:
        with reading(make_session) as look:
            raise _refusal(look, own, strangers, broad, subject=subject, mac=mac, now=now)
    account = own if key == own.key else strangers
    try:
        patron = directory.prove(found, secret, today=_today(gateway, now))
    except WrongCredentials:
        group_commit(make_session, count_guess)
        raise
    except AuthError:
        # The PIN was right, or the directory could not say: not a guess.
        group_commit(make_session, give_back)
        raise
    try:
        return once_more(lambda: group_commit(make_session, end_attempt))
    except AuthError:
        # The PIN was right here too, and what was given back went with the transaction.
        group_commit(make_session, give_back)
        raise


def _refusal(
    db: Session,
    own: RateLimit,
    strangers: RateLimit,
    broad: list[RateLimit],
    *,
    subject: str,
    mac: MacAddress,
    now: datetime,
) -> TooManyAttempts:
    """Why an attempt was not charged, and when there is another."""
    is_known = _BEEN_ON.first(db, subject=subject, mac=mac) is not None
    spent = rate_limits.spent(db, broad, now=now)
    for limit, free_again in spent.items():
        if limit is broad[0] or not is_known:
            return TooManyAttempts(free_again)
    return rate_limits.refusal(db, own if is_known else strangers, now=now)


def allowance_of(subject: str, gateway: Gateway, now: datetime) -> Allowance:
    """A patron stays until the site closes or the network's maximum is reached, whichever is first."""
    network = gateway.network
    until = policy.patron_until(now=now, length=gateway.lease_length, closing=site_closing(gateway, now))
    return Allowance(subject, SigninMethod.PATRON, until, network.devices_per_person)


def _today(gateway: Gateway, now: datetime) -> date:
    return gateway.site.local_day(now)


_accesses = table_of(AccessSession)
# Found by the device: a reader of many years has hundreds of sessions, and a device hardly more than one reader.
BEEN_ON = (
    select(_accesses.c.id)
    .where(
        _accesses.c.mac == bindparam("mac"),
        func.coalesce(_accesses.c.subject, _accesses.c.subject) == bindparam("subject"),
    )
    .limit(1)
)
_BEEN_ON = Prepared(BEEN_ON)
_CHARGE = rate_limits.ChargeUnlessSpent(BEEN_ON.exists())
