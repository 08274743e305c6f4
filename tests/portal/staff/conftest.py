"""A member of staff in front of the pages: the real application, forms and cookies as a browser has them."""

from __future__ import annotations

import functools
import html
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.errors import TooManyAttempts
from auth.patrons import local
from auth.staff import accounts, own_account
from auth.staff.models import Staff
from auth.staff.roles import Authority, Role
from auth.staff.totp import STEP_SECONDS, make_recovery_codes, read_recovery_code, totp
from auth.vouchers import plans
from portal.services import Services
from sessions.log.denials import LoggedDenial, Step, note, show_code
from sessions.models import EndReason
from sites.models import Site, SiteKind
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL
from tests.portal.staff.world import SCHOOL, World, make_world
from tests.services.built_once import built_once
from tests.sessions.log.rows import BO, add_session
from tests.town import BO_PHONE, Town, make_site

PASSWORD = "quatre-mots-sans-lien"


@dataclass
class Clerk:
    """Somebody who works here, with a browser. Follows no redirect by itself, and sends the forms it was shown."""

    app: Flask
    clock: MovingClock
    login: str = ""
    staff_id: int = 0
    recovery: list[str] = field(default_factory=list)
    address: str = "192.0.2.10"
    base_url: str = PORTAL
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})
    browser: FlaskClient = field(init=False)
    page: TestResponse = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.app.test_client()

    @property
    def services(self) -> Services:
        found: Services = self.app.extensions["arobase"]
        return found

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._open("GET", path, headers=headers)

    def post(self, path: str, *, headers: dict[str, str] | None = None, **form: Any) -> TestResponse:
        return self._open("POST", path, headers=headers or {}, data=form)

    def press(self, action: str, **fields: Any) -> TestResponse:
        """Send the form of the present page that goes to `action`, hidden fields and all."""
        return self.post(action, **{**self.form(action), **fields})

    def form(self, action: str) -> dict[str, str]:
        for shown in re.findall(r"<form\b.*?</form>", self.page.text, re.DOTALL):
            if re.search(rf'action="{re.escape(action)}[?"]', shown):
                tags = re.findall(r"<(?:input|button)\b[^>]*>", shown)
                return {
                    attribute(tag, "name"): attribute(tag, "value")
                    for tag in tags
                    if attribute(tag, "name") and ('type="hidden"' in tag or tag.startswith("<button"))
                }
        raise AssertionError(f"no form goes to {action} on this page:\n{self.page.text[-2000:]}")

    def code(self) -> str:
        """What the authenticator shows now."""
        with self.services.make_session() as db:
            secret = self.services.staff.totp_secret(db.get_one(Staff, self.staff_id).totp_seed)
        return totp(secret, int(self.clock().timestamp()) // STEP_SECONDS)

    def sign_in(self, *, password: str = PASSWORD, code: str | None = None) -> TestResponse:
        """Both steps. Each code is good once: the clock goes on by one step first."""
        self.clock.advance(seconds=STEP_SECONDS)
        self.get("/staff/signin")
        answer = self.press("/staff/signin", login=self.login, password=password)
        if answer.status_code != 200:
            return answer
        return self.press("/staff/signin/code", code=code or self.code())

    def follow(self) -> TestResponse:
        assert self.page.status_code == 303, self.page.text
        return self.get(self.page.location)

    def led(self) -> TestResponse:
        """The page that the last form led to; the page itself where it was refused."""
        return self.follow() if self.page.status_code == 303 else self.page

    def _open(self, method: str, path: str, *, headers: dict[str, str], **kwargs: Any) -> TestResponse:
        self.page = self.browser.open(
            path,
            method=method,
            base_url=self.base_url,
            environ_overrides={"REMOTE_ADDR": self.address},
            headers={**self.headers, **headers},
            **kwargs,
        )
        return self.page


@functools.cache
def password_hash() -> str:
    """Computed once for everybody: hashing is meant to be slow."""
    return local.HASHER.hash(PASSWORD)


@dataclass
class Desk:
    """Makes members of staff."""

    app: Flask
    clock: MovingClock

    def hire(
        self,
        login: str,
        *roles: Role,
        networks: tuple[str, ...] = (),
        home_site: str = "",
        sites: tuple[str, ...] = (),
    ) -> Clerk:
        """An account that is set up. A head without `sites` is that of a school that is built for it."""
        service: Services = self.app.extensions["arobase"]
        clerk = Clerk(self.app, self.clock, login)
        codes = make_recovery_codes()
        with service.make_session.begin() as db:
            if Role.SCHOOL in roles and not sites:
                sites = (SCHOOL,)
                if db.scalar(select(Site.id).where(Site.slug == SCHOOL)) is None:
                    db.add(make_site(SCHOOL, kind=SiteKind.SCHOOL))
                    db.flush()
            authority = Authority(frozenset(roles), frozenset(networks), sites=frozenset(sites))
            invitation = accounts.invite(
                db,
                login=login,
                name=login.title(),
                authority=authority,
                actor=TESTER,
                now=self.clock(),
                home_site=home_site,
            )
            digests = [
                service.staff.recovery_digest(invitation.staff.id, read_recovery_code(one) or "")
                for one in codes
            ]
            person = own_account.set_up(
                db,
                invitation.token,
                password_hash=password_hash(),
                totp_step=0,
                now=self.clock(),
                recovery=digests,
            )
            clerk.staff_id, clerk.recovery = person.id, codes
        return clerk

    def at_work(
        self,
        login: str,
        *roles: Role,
        networks: tuple[str, ...] = (),
        home_site: str = "",
        sites: tuple[str, ...] = (),
    ) -> Clerk:
        """Somebody who has signed in."""
        clerk = self.hire(login, *roles, networks=networks, home_site=home_site, sites=sites)
        assert clerk.sign_in().status_code == 303
        return clerk


@pytest.fixture
def desk(app: Flask, town: Town, clock: MovingClock) -> Desk:
    return Desk(app, clock)


@pytest.fixture
def cem(desk: Desk) -> Clerk:
    """Cem works at the library's desk, and is not signed in."""
    return desk.hire("cem", Role.DESK, networks=("bibliotheques",))


@pytest.fixture
def admin(desk: Desk) -> Clerk:
    """Dana looks after everything, and has just signed in."""
    return desk.at_work("dana", Role.ADMIN)


@pytest.fixture
def clerk(services: Services, cem: Clerk) -> Clerk:
    """Cem, signed in, in a town with its first plans."""
    with services.make_session.begin() as db:
        plans.add_first_plans(db)
    cem.sign_in()
    return cem


@pytest.fixture
def net(desk: Desk) -> Clerk:
    """Noor looks after all networks, and has just signed in."""
    return desk.at_work("noor", Role.NETWORK)


@pytest.fixture
def known(services: Services, town: Town, clock: MovingClock, net: Clerk) -> dict[str, Any]:
    """A session of Ada's at the station that runs, one of Bo's at Battant that ended, a refusal of Bo's."""
    now = clock()
    with services.make_session.begin() as db:
        ada = add_session(db, town.station, now - timedelta(minutes=5))
        ended = now - timedelta(hours=1)
        bo = add_session(
            db,
            town.battant,
            now - timedelta(hours=2),
            subject=BO,
            mac=BO_PHONE,
            address="10.67.0.9",
            ended_at=ended,
            end_reason=EndReason.LEFT,
        )
        refused = LoggedDenial(
            TooManyAttempts.reason,
            Step.SIGNIN,
            gateway=town.station,
            mac=BO_PHONE,
            address="10.66.0.9",
            subject=BO,
            detail={"until": (now + timedelta(minutes=9)).isoformat(), "device": "iphone"},
        )
        code = note(db, refused, now=now - timedelta(minutes=2))
        assert code is not None
        return {"ada": ada.id, "bo": bo.id, "code": show_code(code)}


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return html.unescape(found.group(1)) if found else ""


@pytest.fixture
def world(services: Services, desk: Desk, town: Town, db: Session) -> World:
    """Asked for before anybody is hired: it is the same for each test."""
    assert db.scalar(select(func.count(Staff.id))) == 0
    db.rollback()
    return built_once("staff's world", services.engine, lambda: make_world(services, desk, town))
