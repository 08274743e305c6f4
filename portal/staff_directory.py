"""The round that asks the town's directory about everybody of its who is signed in. The sweep makes it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from auth.staff import browser_sessions, directory_accounts, group_grants
from auth.staff.directory_accounts import CHECK_EVERY
from auth.staff.errors import RefusedAssertion, StaffDirectoryAway
from auth.staff.models import Staff, StaffSession
from auth.staff.roles import LONGEST_SIGNIN
from auth.tokens import InvalidToken
from portal.services import Services

if TYPE_CHECKING:
    from auth.staff.ldap import StaffLdap

log = logging.getLogger(__name__)

# What the encrypted token of a sign-in is for.
REFRESH = "staff openid refresh"
# What one round asks at most; the next one goes on.
MOST = 50


def check(service: Services) -> None:
    """Ask about sign-ins that were not asked about for five minutes. No transaction waits for the directory.

    Where it does not answer, nothing is ended: a sign-in then goes on for as long as AROBASE_STAFF_AFFIRMED_MINUTES
    says since it last did.
    """
    if service.staff_ldap is not None:
        _look_up(service, service.staff_ldap)
    if service.openid is None:
        return
    for _ in range(MOST):
        with service.make_session.begin() as db:
            row = browser_sessions.claim_check(
                db, service.openid.issuer, every=CHECK_EVERY, now=service.clock()
            )
        if row is None or not _refresh(service, row):
            return


def _look_up(service: Services, directory: StaffLdap) -> None:
    """Ask the LDAP directory about everybody who is signed in and was not asked about for five minutes."""
    now = service.clock()
    with service.make_session() as db:
        groups = [one.group for one in group_grants.read(db, directory.issuer)]
        people = directory_accounts.due(db, directory.issuer, now=now, most=MOST)
    today = now.astimezone(service.settings.zone).date()
    for staff_id, subject in people:
        try:
            found = directory.look_up(subject, groups, today=today)
        except StaffDirectoryAway as error:
            log.warning("the directory was not asked whether sign-ins of staff go on: %s", error.cause)
            return
        with service.make_session.begin() as db:
            person = db.get_one(Staff, staff_id, with_for_update=True)
            directory_accounts.affirm(db, person, found, now=now)


def _refresh(service: Services, row: StaffSession) -> bool:
    """Ask about one sign-in; False where the provider is away, so that nobody else is asked about now."""
    from auth.staff.openid.client import EndedAtProvider

    assert service.openid is not None
    with service.make_session() as db:
        subject = db.get_one(Staff, row.staff_id).subject or ""
    now = service.clock()
    try:
        claims = service.encrypted_tokens.decrypt(REFRESH, row.refresh_token or "", now=now)
        vouched = service.openid.refresh(claims["token"], subject=subject, now=now)
    except StaffDirectoryAway as error:
        log.warning("the directory was not asked whether sign-ins of staff go on: %s", error.cause)
        return False
    except (EndedAtProvider, InvalidToken, RefusedAssertion):
        with service.make_session.begin() as db:
            browser_sessions.end(db, row.id, now=now)
        return True
    with service.make_session.begin() as db:
        person = db.get_one(Staff, row.staff_id, with_for_update=True)
        directory_accounts.affirm(db, person, vouched.person, now=now)
        renewed = service.encrypted_tokens.encrypt(
            REFRESH, {"token": vouched.refresh_token}, now=now, life=LONGEST_SIGNIN
        )
        browser_sessions.renew(db, row.id, renewed)
    return True
