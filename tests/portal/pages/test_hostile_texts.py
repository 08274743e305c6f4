"""Whatever strangers write, and wherever, the page shows it as text or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Dialog
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ads.models import Advertiser, Creative
from sites.models import Network, Site
from tests.portal.pages.inert import PAYLOADS, faults, field_values
from tests.portal.pages.scene import FREE, LIBRARY, PAGES, Portal, new_guest, open_window, running_portal

PATHS = ("/", "/pause", "/info/battant", "/terms/wifilib", "/nowhere")
# Ours, those of other portals, and those that url_for would take for its own.
PARAMETERS = (
    *("lang", "visit", "landing", "gateway", "login", "secret", "ticket", "device"),
    *("mac", "ip", "url", "userurl", "target", "res", "message", "error"),
    *("endpoint", "values", "slug", "identity", "_scheme", "_external", "_anchor", "_method"),
)
HEADERS = (
    "User-Agent",
    "Referer",
    "Accept-Language",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "Cookie",
    "Accept",
)
POLICY = "default-src 'none'; style-src 'sha256-"
HOSTILE = PAYLOADS[0]


@pytest.fixture
def stranger(portal: Portal) -> FlaskClient:
    return portal.app.test_client(use_cookies=False)


def ask(stranger: FlaskClient, portal: Portal, path: str, method: str = "GET", **sent: Any) -> TestResponse:
    return stranger.open(
        path, method=method, base_url=portal.url, environ_overrides={"REMOTE_ADDR": "127.0.0.1"}, **sent
    )


def assert_inert(answer: TestResponse) -> None:
    assert answer.status_code < 500
    assert faults(answer.text) == []
    assert answer.headers["Content-Security-Policy"].startswith(POLICY)
    assert "; script-src 'self'; " in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers.get("Location", "/").startswith(("/", "http://127.0.0.1:"))


# One payload in each parameter by itself, the others in all of them at once; before a release each in each.
ONE_BY_ONE = [HOSTILE, *(pytest.param(each, marks=pytest.mark.release) for each in PAYLOADS[1:])]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_all_parameters_together_are_text_or_nothing(
    portal: Portal, stranger: FlaskClient, payload: str
) -> None:
    hostile = dict.fromkeys(PARAMETERS, payload)
    spoken = {name: text for name, text in hostile.items() if name != "lang"}
    for path in PATHS:
        for sent in (hostile, spoken):
            assert_inert(ask(stranger, portal, path, query_string=sent))
    for gateway in (FREE, LIBRARY):
        landing = portal.landing_url(gateway, portal.new_mac(), "en").removeprefix(portal.url)
        for sent in (hostile, spoken):
            beside = {name: text for name, text in sent.items() if name != "landing"}
            assert_inert(ask(stranger, portal, f"{landing}&{urlencode(beside)}"))


@pytest.mark.parametrize("payload", ONE_BY_ONE)
def test_a_parameter_is_text_or_nothing(portal: Portal, stranger: FlaskClient, payload: str) -> None:
    for path in PATHS:
        for name in PARAMETERS:
            assert_inert(ask(stranger, portal, path, query_string={name: payload}))


@pytest.mark.parametrize("payload", ONE_BY_ONE)
def test_a_parameter_beside_a_good_landing_is_text_or_nothing(
    portal: Portal, stranger: FlaskClient, payload: str
) -> None:
    for gateway in (FREE, LIBRARY):
        landing = portal.landing_url(gateway, portal.new_mac(), "en").removeprefix(portal.url)
        for name in PARAMETERS:
            assert_inert(ask(stranger, portal, f"{landing}&{urlencode({name: payload})}"))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_is_typed_comes_back_as_text(portal: Portal, stranger: FlaskClient, payload: str) -> None:
    landing = portal.landing_url(LIBRARY, portal.new_mac(), "en").removeprefix(portal.url)
    visit = field_values(ask(stranger, portal, landing).text)["visit"]
    form = {"visit": visit, "login": payload, "secret": payload}
    answer = ask(stranger, portal, "/signin", "POST", data=form)
    assert_inert(answer)
    assert field_values(answer.text)["login"] == payload[:64]
    for path in ("/pause", "/leave", "/resume"):
        assert_inert(ask(stranger, portal, path, "POST", data={**form, "ticket": payload, "device": payload}))


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_nothing(portal: Portal, stranger: FlaskClient, name: str) -> None:
    for payload in PAYLOADS:
        header = payload.encode("ascii", "replace").decode()
        for path in PATHS:
            assert_inert(ask(stranger, portal, path, headers={name: header}))


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("DELETE", "/", {}, 405),
        ("GET", "/leave", {}, 405),
        ("POST", "/leave", {"headers": {"Origin": "https://evil.example"}}, 403),
        ("POST", "/signin", {"data": {"login": "x" * 100_000}}, 413),
        ("GET", "/?" + "x" * 9000, {}, 414),
        ("GET", "/info/%00", {}, 400),
        ("GET", "/?visit=" + HOSTILE, {}, 200),
        ("GET", "/status?visit=x", {}, 403),
    ],
)
def test_an_error_is_a_page_with_the_same_guards(
    portal: Portal, stranger: FlaskClient, method: str, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = ask(stranger, portal, path, method, **sent)
    assert answer.status_code == status
    assert_inert(answer)
    assert "<h1>" in answer.text


def poison(db: Session) -> None:
    """Somebody got their text into every record that a page shows."""
    for network in db.scalars(select(Network)):
        network.name, network.ssid, network.terms_version = HOSTILE, HOSTILE, HOSTILE
        network.terms = dict.fromkeys(network.terms, HOSTILE)
        network.look = {"title": {"en": HOSTILE}, "welcome": {"en": HOSTILE}}
    for site in db.scalars(select(Site)):
        site.name, site.address, site.contact = f"{site.slug} {HOSTILE}", HOSTILE, HOSTILE
    for advertiser in db.scalars(select(Advertiser)):
        advertiser.name = HOSTILE
    for creative in db.scalars(select(Creative)):
        creative.texts = {"en": {"title": HOSTILE, "text": HOSTILE}}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder: Path = tmp_path_factory.mktemp("poisoned")
    with running_portal(folder, prepare=poison, town=HOSTILE, contact=HOSTILE, dpo_contact=HOSTILE) as portal:
        yield portal


@pytest.mark.browser
def test_a_record_is_text_in_every_page_and_nothing_runs(poisoned: Portal, chromium: Browser) -> None:
    alarms: list[str] = []

    def heard(dialog: Dialog) -> None:
        alarms.append(dialog.message)
        dialog.dismiss()

    for name, show in PAGES.items():
        if name == "opening":
            continue
        with open_window(chromium) as window:
            guest = new_guest(poisoned, window, "en")
            guest.page.on("dialog", lambda dialog: heard(dialog))
            guest.page.on("pageerror", lambda error: alarms.append(str(error)))
            show(guest)
            assert HOSTILE in guest.page.locator("body").inner_text()
            assert guest.page.locator("img, iframe, script:not([src^='/assets/'])").count() == 0
    assert alarms == []
