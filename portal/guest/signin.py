"""Patrons: card and PIN in, online in one step."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from zoneinfo import ZoneInfo

from flask import redirect, request, url_for
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import rate_limits
from auth.entitlements import Allowance
from auth.errors import AuthError, WrongCredentials
from auth.patrons.directory import DirectoryEntry, Patron
from auth.patrons.login_names import check_login, check_secret
from db.engine import async_commit
from db.statements import table_of
from portal.denials.incidents import concerning
from portal.gateway_api import notify_gateway
from portal.guest import guests
from portal.guest.acceptance import accepted
from portal.guest.landing import entry, not_here, not_offered, refuse
from portal.guest.missing_fields import missing_in_signin
from portal.http.clients import ClientContext, current, remember
from portal.services import services
from sessions import policy, start
from sessions.models import AccessSession
from sites.limits import site_closing
from sites.models import SigninMethod


@guests.get("/signin")
def signin_page() -> AnyResponse:
    visit = current()
    return not_here() if visit is None else entry(visit)


@guests.post("/signin")
def signin() -> AnyResponse:
    visit = current()
    if visit is None:
        return not_here()
    if not visit.gateway.network.allows(SigninMethod.PATRON):
        return not_offered(visit)
    login = request.form.get("login", "")
    if missing := missing_in_signin():
        return entry(visit, refusal=missing, login=login[:64])
    try:
        access_id = let_in(visit, login=login, secret=request.form.get("secret", ""))
    except AuthError as error:
        return refuse(visit, error, login=login[:64])
    notify_gateway(visit.gateway)
    onward = redirect(url_for("guests.opening", visit=visit.token), HTTPStatus.SEE_OTHER)
    return remember(onward, visit, access_id=access_id)


def let_in(visit: ClientContext, *, login: str, secret: str) -> int:
    """Prove the patron and open the session; its id.

    The attempt is charged before the directory is asked, and given back when the PIN was right, so that a stranger's
    guesses stop here and never lock the patron's account there (case L6). No transaction waits for the directory.
    """
    service, gateway = services(), visit.gateway
    now = service.clock()
    check_login(login)
    check_secret(secret)
    found = service.directory.find(login)
    subject = pseudonym_of(found)
    concerning(subject=subject if found.stable_id is not None else None)
    broad = [rate_limits.of_client(gateway.identity, visit.mac), rate_limits.of_site(gateway.site.slug)]
    with async_commit(service.make_session) as db:
        is_known = _has_been_on(db, subject, visit.mac)
        # Strangers who spend the site's budget shut no device out that has been on with this account.
        rate_limits.check(db, broad[:1] if is_known else broad, now=now)
        account = rate_limits.of_account(subject, visit.mac if is_known else None)
        rate_limits.take(db, account, now=now)
    try:
        patron = service.directory.prove(found, secret, today=_today(visit))
    except WrongCredentials:
        with service.make_session.begin() as db:
            for budget in broad:
                rate_limits.count(db, budget, now=now)
        raise
    except AuthError:
        # The PIN was right, or nobody could say: that is no guess.
        with service.make_session.begin() as db:
            rate_limits.refund(db, account)
        raise
    with service.make_session.begin() as db:
        rate_limits.refund(db, account)
        opened = start.open_access(
            db,
            gateway=gateway,
            client=visit.client,
            allowance=allowance_of(patron, subject, visit),
            acceptance=accepted(gateway.network),
            landed_at=visit.landed_at,
            now=now,
        )
        return opened.access.id


def pseudonym_of(found: DirectoryEntry) -> str:
    """The person's pseudonym; for a login that nobody has, one of its own, so that guesses at it count alike."""
    of = services().pseudonyms.of
    return of("nobody", found.login) if found.stable_id is None else of("patron", found.stable_id)


def allowance_of(patron: Patron, subject: str, visit: ClientContext) -> Allowance:
    """A patron stays until the site closes or the network's maximum is reached, whichever is first."""
    network, now = visit.gateway.network, services().clock()
    until = policy.patron_until(
        now=now, length=network.lease_length, closing=site_closing(visit.gateway, now)
    )
    return Allowance(subject, SigninMethod.PATRON, until, network.devices_per_person)


def _has_been_on(db: Session, subject: str, mac: str) -> bool:
    return db.scalars(_KNOWN, {"subject": subject, "mac": mac}).first() is not None


_accesses = table_of(AccessSession)
_KNOWN = (
    select(_accesses.c.id)
    .where(_accesses.c.subject == bindparam("subject"), _accesses.c.mac == bindparam("mac"))
    .limit(1)
)


def _today(visit: ClientContext) -> date:
    return services().clock().astimezone(ZoneInfo(visit.gateway.site.zone)).date()
