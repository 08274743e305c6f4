"""Proving a password, at the sign-in and where it is asked for again, and the page to go on to."""

from __future__ import annotations

import re

from flask import request, url_for

from auth import rate_limits
from auth.patrons.login_names import normalise_login
from auth.staff.errors import BusyHashing, WrongStaffCredentials
from auth.staff.models import Staff
from auth.staff.signin import candidate, charge, of_address
from db.engine import reading
from portal.services import services
from portal.staff import trusted_browsers

_OUR_PATH = re.compile(
    r"/staff(?:/[A-Za-z0-9_-]+)*/?(?:\?[a-z]+=[A-Za-z0-9_.:%-]*(?:&[a-z]+=[A-Za-z0-9_.:%-]*){0,20})?"
)


def prove_password(login: str, password: str) -> Staff:
    """The account that this password opens.

    The attempt is charged before the hash is computed, and no transaction waits for the hash. Raises
    `TooManyAttempts`, `WrongStaffCredentials`, `BusyHashing`.
    """
    service = services()
    now, login = service.clock(), normalise_login(login)
    name = service.staff.budget_name(login)
    asker = trusted_browsers.asker(name)
    with service.make_session.begin() as db:
        budget = charge(db, name, asker, now=now)
    with reading(service.make_session) as db:
        person = candidate(db, login)
    try:
        stranger_at = None if asker.known_browser else asker.place
        is_right = service.staff.opens(
            person.password_hash if person else None, password, stranger_at=stranger_at
        )
    except BusyHashing:
        with service.make_session.begin() as db:
            rate_limits.refund(db, budget)
        raise
    with service.make_session.begin() as db:
        if is_right:
            rate_limits.refund(db, budget)
        elif asker.known_browser is None:
            rate_limits.count(db, of_address(asker), now=now)
    if person is None or not is_right:
        raise WrongStaffCredentials
    return person


def onward() -> str:
    """The page to go on to: a plain path of the staff's pages, else the first page. Never another site."""
    path = request.values.get("next", "")
    return path if _OUR_PATH.fullmatch(path) else url_for("staff.home")
