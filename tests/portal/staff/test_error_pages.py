"""What was denied or went wrong keeps the menu for whoever is signed in, as long as the database answers."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import pytest
from flask import Flask
from sqlalchemy import select

from auth.staff.errors import LastAdmin
from auth.staff.roles import Action, Role
from db.engine import make_engine, make_session_maker, reading
from portal.services import Services
from portal.staff.access import needs
from tests.portal.staff.conftest import Clerk, Desk

MENU, BACK = '<nav class="menu"', "Back to the start</a>"
# Nothing answers on this port.
AWAY = "postgresql+psycopg://arobase@127.0.0.1:1/arobase"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/staff/limits", 403),
        ("/staff/campaigns/987654", 404),
        ("/staff/no-such-page", 404),
        ("/staff/signout", 405),
        (f"/staff/overview?{'x' * 9000}", 414),
    ],
)
def test_an_error_page_has_the_menu(desk: Desk, path: str, status: int) -> None:
    clerk = desk.at_work("vera", Role.ADS)
    page = clerk.get(path)
    assert page.status_code == status and "<title>Error: " in page.text
    assert MENU in page.text and 'href="/staff/campaigns"' in page.text and BACK in page.text


def test_the_menu_of_an_error_page_says_where_one_is(net: Clerk) -> None:
    page = net.get("/staff/gateways/no-such-gateway")
    assert page.status_code == 404 and 'href="/staff/gateways" aria-current=page' in page.text


def test_a_form_that_is_not_ours_is_refused_with_the_menu(net: Clerk) -> None:
    page = net.post("/staff/search", words="battant")
    assert page.status_code in (400, 403) and MENU in page.text


def test_whoever_is_not_signed_in_sees_an_error_page_without_the_menu(cem: Clerk) -> None:
    page = cem.get("/staff/no-such-page")
    assert page.status_code == 404 and MENU not in page.text and BACK in page.text


@pytest.mark.usefixtures("own_app")
def test_a_denial_that_no_view_shows_and_a_fault_of_ours_have_the_menu(app: Flask, net: Clerk) -> None:
    def deny() -> NoReturn:
        raise LastAdmin

    def fail() -> NoReturn:
        raise RuntimeError("a fault of ours")

    for view, status in ((deny, 400), (fail, 500)):
        app.view_functions["staff.help"] = needs(Action.OWN_ACCOUNT)(view)
        page = net.get("/staff/help")
        assert page.status_code == status and MENU in page.text, view


@pytest.mark.usefixtures("own_app")
def test_a_fault_after_which_the_database_does_not_answer_is_told_without_the_menu(
    app: Flask, services: Services, admin: Clerk, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> NoReturn:
        app.extensions["arobase"] = without_database(services)
        raise RuntimeError("a fault of ours")

    app.view_functions["staff.help"] = needs(Action.OWN_ACCOUNT)(fail)
    page = admin.get("/staff/help")
    assert page.status_code == 500 and "Something went wrong on our side." in page.text
    assert MENU not in page.text and BACK in page.text
    assert "an error page stands without its menu" in caplog.text


@pytest.mark.usefixtures("own_app")
def test_a_database_that_goes_away_in_a_request_is_not_asked_for_the_menu(
    app: Flask, services: Services, admin: Clerk, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> str:
        app.extensions["arobase"] = away = without_database(services)
        with reading(away.make_session) as db:
            return str(db.scalar(select(1)))

    app.view_functions["staff.help"] = needs(Action.OWN_ACCOUNT)(fail)
    page = admin.get("/staff/help")
    assert page.status_code == 503 and MENU not in page.text and BACK in page.text
    assert "without its menu" not in caplog.text


@pytest.mark.usefixtures("own_app")
def test_a_database_that_is_away_is_told_without_asking_it_again(
    app: Flask, services: Services, admin: Clerk, caplog: pytest.LogCaptureFixture
) -> None:
    app.extensions["arobase"] = without_database(services)
    page = admin.get("/staff/overview")
    assert page.status_code == 503 and page.headers["Retry-After"]
    assert page.headers["Content-Security-Policy"] and "Set-Cookie" not in page.headers
    assert MENU not in page.text and BACK in page.text
    assert "without its menu" not in caplog.text
    app.extensions["arobase"] = services
    assert MENU in admin.get("/staff/overview").text


def without_database(services: Services) -> Services:
    engine = make_engine(AWAY)
    return replace(services, engine=engine, make_session=make_session_maker(engine))
