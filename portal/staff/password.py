"""Proving a password, at the sign-in and where it is asked for again, and the page to go on to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request, url_for

from auth import rate_limits
from auth.patrons.login_names import normalise_login
from auth.staff import directory_accounts, group_grants
from auth.staff.errors import NoGrant, WrongStaffCredentials
from auth.staff.models import Staff
from auth.staff.signin import candidate, charge, of_address
from db.engine import reading
from portal.services import services
from portal.staff import trusted_browsers

if TYPE_CHECKING:
    from auth.staff.ldap import StaffLdap

_OUR_PATH = re.compile(
    r"/staff(?:/[A-Za-z0-9_-]+)*/?(?:\?[a-z]+=[A-Za-z0-9_.:%-]*(?:&[a-z]+=[A-Za-z0-9_.:%-]*){0,20})?"
)


def prove_password(login: str, password: str) -> Staff:
    """The account that this password opens: a local one, or else one of the town's LDAP directory.

    The attempt is charged before anything is computed or asked, and no transaction waits for it. Raises
    `TooManyAttempts`, `WrongStaffCredentials`, `BusyHashing`, and what `auth.staff.ldap` and
    `auth.staff.directory_accounts` raise.
    """
    service = services()
    now, folded = service.clock(), normalise_login(login)
    asker = trusted_browsers.asker(service.staff.budget_name(folded))
    with service.make_session.begin() as db:
        budget = charge(db, service.staff.budget_name(folded), asker, now=now)
    with reading(service.make_session) as db:
        person = candidate(db, folded)
    is_over = True
    try:
        if service.staff_ldap is not None and (person is None or person.issuer is not None):
            return _prove_at_directory(service.staff_ldap, login, password)
        stranger_at = None if asker.known_browser else asker.place
        is_right = service.staff.opens(
            person.password_hash if person else None, password, stranger_at=stranger_at
        )
        if person is None or not is_right:
            raise WrongStaffCredentials
        return person
    except WrongStaffCredentials:
        is_over = False
        if asker.known_browser is None:
            with service.make_session.begin() as db:
                rate_limits.count(db, of_address(asker), now=now)
        raise
    finally:
        if is_over:
            with service.make_session.begin() as db:
                rate_limits.refund(db, budget)


def _prove_at_directory(directory: StaffLdap, login: str, password: str) -> Staff:
    """The account of whom the directory knows by this password; made where there is none."""
    service = services()
    now = service.clock()
    with reading(service.make_session) as db:
        groups = [one.group for one in group_grants.read(db, directory.issuer)]
    today = now.astimezone(service.settings.zone).date()
    found = directory.prove(login, password, groups, today=today)
    with service.make_session.begin() as db:
        person = directory_accounts.arrive(db, found, now=now)
        is_in = person.affirmed_at is not None
    if not is_in:
        raise NoGrant
    return person


def onward() -> str:
    """The page to go on to: a plain path of the staff's pages, else the first page. Never another site."""
    path = request.values.get("next", "")
    return path if _OUR_PATH.fullmatch(path) else url_for("staff.home")
