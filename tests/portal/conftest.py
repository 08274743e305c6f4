"""The portal as a guest's browser meets it: the real application, a database of either kind, a moving clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.patrons.csv_import import import_patrons
from auth.vouchers import plans
from config import Secret, Settings
from db.drivers import TransactionMode
from db.session import TRANSACTION_MODE
from gateways import landing_token as landing
from gateways.landing_token import Landing, credential_digest
from portal.app import create_app, make_services
from portal.services import Services
from sites.models import Gateway, SiteKind
from tests.clock import MovingClock
from tests.sites.images import made
from tests.town import (
    ADA_PHONE,
    Town,
    build_town,
    credential_of,
    make_client,
    make_library_network,
    make_site,
)

PORTAL = "https://portal.example.org"
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"
ADA, ADA_PIN = "25000001", "correct-horse-1969"


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """No gateway follows by itself in these tests: whoever wants one calls `Agent.follow`."""
    monkeypatch.setattr("portal.guest.connecting.WAIT_SECONDS", 0.02)
    monkeypatch.setattr("portal.http.client_evidence.WAIT_SECONDS", 0.02)


@pytest.fixture(autouse=True)
def _no_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests is no operator of the towns in them."""
    monkeypatch.delenv("SUDO_USER", raising=False)


@pytest.fixture
def services(database_url: str, clock: MovingClock) -> Iterator[Services]:
    settings = Settings(
        secret_key=Secret(SECRET), portal_url=PORTAL, database_url=database_url, town="Besançon"
    )
    services = make_services(settings, clock=clock)
    yield services
    services.wake.close()
    services.engine.dispose()


@pytest.fixture
def town(services: Services) -> Town:
    with services.make_session.begin() as db:
        town = build_town(db)
        import_patrons(
            db,
            "card,pin,category,expires_on,blocked\n"
            f"{ADA},{ADA_PIN},adult,2027-12-31,no\n"
            "25000002,pin-of-bo-1970,adult,2020-01-01,no\n"
            "25000003,pin-of-cem-1971,adult,2027-12-31,yes\n",
        )
    return town


_APPS: dict[str, Flask] = {}


@pytest.fixture
def app(request: pytest.FixtureRequest, services: Services) -> Iterator[Flask]:
    """The application with this test's services.

    To make one costs a tenth of a second, and it compiles its templates anew: tests with the same settings share
    one, in which nothing but the services is theirs. `own_app` is for a test that changes it.
    """
    if "own_app" in request.fixturenames:
        yield create_app(services)
        return
    settings = repr(replace(services.settings, database_url=""))
    if settings not in _APPS:
        _APPS[settings] = create_app(services)
    shared = _APPS[settings]
    shared.extensions["arobase"] = services
    views = dict(shared.view_functions)
    yield shared
    if shared.view_functions != views:
        del _APPS[settings]
        pytest.fail("this test changed the application that others share: it needs own_app")


@pytest.fixture
def own_app() -> None:
    """Nobody else gets the application of this test."""


@pytest.fixture
def db(services: Services) -> Iterator[Session]:
    """A session that only looks: it never keeps the portal waiting for a lock. `rollback` before looking again."""
    with Session(services.engine.execution_options(**{TRANSACTION_MODE: TransactionMode.READING})) as session:
        yield session


def shows_session(page: TestResponse) -> bool:
    """Whether this is the page of an open session, at whichever address it is shown."""
    return page.status_code == HTTPStatus.OK and 'id="left"' in page.text


@dataclass
class Phone:
    """A phone behind a gateway: a browser, a MAC, an address. `cookies` off is a captive window that keeps none."""

    app: Flask
    gateway: Gateway
    mac: str = ADA_PHONE
    address: str = "10.66.0.5"
    keeps_cookies: bool = True
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})
    browser: FlaskClient = field(init=False)
    page: TestResponse = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.app.test_client(use_cookies=self.keeps_cookies)

    def landing_token(self, **changes: Any) -> str:
        """What the gateway's redirector signs for this phone now."""
        services = self.app.extensions["arobase"]
        clock = services.clock
        key = services.gateway_secrets.landing_key(credential_digest(credential_of(self.gateway.identity)))
        client = make_client(self.mac, self.address)
        seen = Landing(self.gateway.identity, client.mac, client.addresses[0])
        return landing.sign(seen, key=changes.get("key", key), now=changes.get("now", clock().timestamp()))

    def get(self, path: str, *, follow: bool = True, **headers: str) -> TestResponse:
        return self._open("GET", path, follow=follow, headers=headers)

    def post(
        self, path: str, *, follow: bool = False, headers: dict[str, str] | None = None, **form: Any
    ) -> TestResponse:
        return self._open("POST", path, follow=follow, headers=headers or {}, data=form)

    def land(self) -> TestResponse:
        """Follow the redirector's link."""
        return self.get(f"/?landing={self.landing_token()}")

    def press(self, action: str, *, follow: bool = False, **fields: str) -> TestResponse:
        """Send the form of the present page that goes to `action`, hidden fields and all."""
        form = self.form(action)
        return self.post(action, follow=follow, **{**form, **fields})

    def form(self, action: str) -> dict[str, str]:
        """The hidden fields of the form that goes to `action`."""
        for shown in re.findall(r"<form\b.*?</form>", self.page.text, re.DOTALL):
            if re.search(rf'action="{action}[?"]', shown):
                hidden = re.findall(r"<input\b[^>]*type=\"?hidden\"?[^>]*>", shown)
                buttons = re.findall(r"<button\b[^>]*name=[^>]*>", shown)
                return {_attribute(one, "name"): _attribute(one, "value") for one in [*hidden, *buttons]}
        raise AssertionError(f"no form goes to {action} on this page:\n{self.page.text[-2000:]}")

    def _open(
        self, method: str, path: str, *, follow: bool, headers: dict[str, str], **kwargs: Any
    ) -> TestResponse:
        environ = {"REMOTE_ADDR": self.address}
        answer = self.browser.open(
            path,
            method=method,
            base_url=PORTAL,
            environ_overrides=environ,
            headers={**self.headers, **headers},
            **kwargs,
        )
        while follow and answer.status_code in (302, 303) and self._leads_on(answer.location):
            onward = answer.location
            if onward == self.gateway.redirector_url:
                # The gateway answers with its word on this card and address.
                onward = f"/?landing={self.landing_token()}"
            answer = self.browser.get(
                onward, base_url=PORTAL, environ_overrides=environ, headers=self.headers
            )
        self.page = answer
        return answer

    def _leads_on(self, location: str) -> bool:
        return location.startswith(("/", PORTAL)) or location == self.gateway.redirector_url


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="?([^"\s>]*)', tag)
    return found.group(1) if found else ""


class Agent:
    """A gateway's agent as the portal sees it: it follows the feed and confirms."""

    def __init__(self, app: Flask, gateway: Gateway) -> None:
        self.browser = app.test_client()
        self.headers = {"Authorization": f"Bearer {credential_of(gateway.identity)}"}
        self.version = 0
        self.passing: dict[int, dict[str, Any]] = {}

    def follow(self) -> None:
        """Read the feed once, take it in, confirm."""
        answer = self.call("GET", f"/gateways/nftables/feed?since={self.version}").get_json()
        if answer["full"]:
            self.passing.clear()
        for grant in answer["grants"]:
            self.passing[grant["number"]] = grant
        for number in answer["ends"]:
            self.passing.pop(number, None)
        self.version = answer["version"]
        confirmed = {"version": self.version, "applied": list(self.passing)}
        assert self.call("POST", "/gateways/nftables/confirm", json=confirmed).status_code == 204

    def call(self, method: str, path: str, **kwargs: Any) -> TestResponse:
        return self.browser.open(path, method=method, base_url=PORTAL, headers=self.headers, **kwargs)

    @property
    def macs(self) -> set[str]:
        return {grant["client"] for grant in self.passing.values()}


@pytest.fixture
def phone(app: Flask, town: Town) -> Phone:
    """Ada's phone at the station, on the free network."""
    return Phone(app, town.station)


@pytest.fixture
def reader(app: Flask, town: Town) -> Phone:
    """Ada's phone in the library."""
    return Phone(app, town.pierre_bayle, address="10.68.0.5")


@pytest.fixture
def station(app: Flask, town: Town) -> Agent:
    return Agent(app, town.station)


@pytest.fixture
def bayle(app: Flask, town: Town) -> Agent:
    return Agent(app, town.pierre_bayle)


@pytest.fixture
def two_towns(services: Services, town: Town) -> Town:
    """The town with its first plans, and another town's library beside it."""
    with services.make_session.begin() as db:
        plans.add_first_plans(db)
        network = make_library_network(slug="other-town", name="Other")
        db.add(make_site("away", network, kind=SiteKind.LIBRARY, ads_allowed=False))
    return town


@pytest.fixture
def files(tmp_path: Path) -> Path:
    made.write(tmp_path, "armes.png", made.logo())
    made.write(tmp_path, "gare.jpg", made.photograph())
    return tmp_path
