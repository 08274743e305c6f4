"""Flask-Login for staff: who is signed in, by account and version, and never a remembered one.

Its remember-me cookie cannot be revoked and is not used; the application's key is random for each process, so that no
such cookie is ever valid.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flask import Flask
from flask import session as browser_session
from flask_login import LoginManager, current_user, login_user

from auth.audit.actor import Actor, staff_member
from auth.staff import directory_accounts
from auth.staff.browser_sessions import ProviderSession, identity_of
from auth.staff.models import Staff, StaffState
from auth.staff.roles import Authority
from db.engine import reading
from portal.services import services
from portal.staff.browser import StaffBrowser, StaffSessions

CONFIRMED_AT = "confirmed_at"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member of staff as a request sees them. (Flask-Login asks for these properties.)"""

    id: int
    login: str
    name: str
    authority: Authority
    identity: str
    # The slug of the library where they hand passes out; empty: none.
    home_site: str = ""
    # Whether they show who they are by a password; others do at the OpenID provider.
    has_password: bool = True

    @property
    def actor(self) -> Actor:
        """The same for the audit log."""
        return staff_member(self.login, self.authority.networks)

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return self.identity


def prepare(app: Flask) -> None:
    """Give `app` the staff's sessions and Flask-Login over them."""
    app.secret_key = secrets.token_bytes(32)
    app.session_interface = StaffSessions()
    # Not by its `init_app`, which has each answer of whatever page look for the cookie that is not used.
    app.login_manager = manager = LoginManager()  # type: ignore[attr-defined]
    manager.user_loader(load)


def load(identity: str) -> SignedIn | None:
    """The person of "<id>.<session_version>"; None once the account was disabled, its sign-ins were ended, or the
    directory has not vouched for it of late."""
    number = identity.partition(".")[0]
    with reading(services().make_session) as db:
        person = db.get(Staff, int(number)) if number.isdigit() else None
    if person is None or person.state is not StaffState.ACTIVE or identity_of(person) != identity:
        return None
    settings = services().settings
    affirmed_for = timedelta(minutes=settings.staff_affirmed_minutes)
    is_affirmed = directory_accounts.lasts(
        person, issuer=settings.staff_issuer, affirmed_for=affirmed_for, now=services().clock()
    )
    return signed_in(person) if is_affirmed else None


def signed_in(person: Staff) -> SignedIn:
    return SignedIn(
        person.id,
        person.login,
        person.name,
        person.authority,
        identity_of(person),
        home_site=person.home_site,
        has_password=person.issuer is None or services().openid is None,
    )


def sign_in(person: Staff, *, provider: ProviderSession | None = None) -> None:
    """Sign this browser in, under a new token. `provider` is the same sign-in at an OpenID provider."""
    browser().renew()
    browser().provider = provider
    login_user(signed_in(person))
    confirm()


def confirm() -> None:
    """Remember that the person has just shown who they are."""
    browser_session[CONFIRMED_AT] = services().clock().timestamp()


def me() -> SignedIn | None:
    """Who is signed in with this browser."""
    user = current_user._get_current_object()
    return user if isinstance(user, SignedIn) else None


def browser() -> StaffBrowser:
    return cast(StaffBrowser, browser_session._get_current_object())  # type: ignore[attr-defined]
