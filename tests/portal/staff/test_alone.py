"""The staff's pages in a process of their own, and the guests' pages without them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from auth.staff.roles import Role
from config import Serves
from portal.app import create_app
from portal.services import Services
from tests.clock import MovingClock
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

STAFF = "https://desk.example.org"


@pytest.fixture
def alone(services: Services, town: Town) -> Iterator[Flask]:
    settings = replace(services.settings, serves=Serves.STAFF, staff_url=STAFF)
    yield create_app(replace(services, settings=settings))


def test_staff_sign_in_where_there_are_no_guests(alone: Flask, clock: MovingClock) -> None:
    clerk = Desk(alone, clock).hire("cem", Role.DESK)
    clerk.base_url = STAFF
    clerk.sign_in()
    assert clerk.get("/staff/account").status_code == 200
    for path in ("/", "/hotspots", "/status", "/gateways/nftables/feed"):
        assert clerk.get(path).status_code == 404, path
        assert "default-src 'none'" in clerk.page.headers["Content-Security-Policy"]


def test_it_answers_to_its_own_name_only(alone: Flask, clock: MovingClock) -> None:
    stranger = Clerk(alone, clock)
    page = stranger.get("/staff/signin")
    assert (page.status_code, page.location) == (421, None)
    assert f'href="{STAFF}/"' in page.text


def test_the_guests_process_has_no_staff_pages(services: Services, clock: MovingClock, town: Town) -> None:
    app = create_app(replace(services, settings=replace(services.settings, serves=Serves.GUESTS)))
    stranger = Clerk(app, clock)
    assert stranger.get("/staff/signin").status_code == 404
    assert stranger.get("/hotspots").status_code == 200


def test_the_errors_of_staff_wear_their_frame(app: Flask, clock: MovingClock, town: Town) -> None:
    stranger = Clerk(app, clock)
    page = stranger.get("/staff/nowhere")
    assert page.status_code == 404
    assert "Back to the start" in page.text
    for one in (page, stranger.get("/staff/signin")):
        style = one.text.partition("<style>")[2].partition("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in one.headers["Content-Security-Policy"]
