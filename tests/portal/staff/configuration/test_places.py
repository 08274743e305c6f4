"""A place on its form: hours day by day, the weeks to come, and a pin that a click sets; nothing is lost on the way."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from sites.map import point_at
from sites.map_background import Bounds
from sites.models import Site
from tests.portal.conftest import PORTAL
from tests.portal.staff.configuration.forms import SITES_PAGE, send, shown
from tests.portal.staff.configuration.test_records import SQUARE
from tests.portal.staff.conftest import Clerk, Desk

PLACE = f"{SITES_PAGE}/gare-viotte"
LOOK = f"{SITES_PAGE}/-/place"


@pytest.fixture
def technician(desk: Desk) -> Clerk:
    return desk.at_work("nour", Role.NETWORK)


def hours_of(db: Session) -> str:
    db.rollback()
    return db.scalars(select(Site.opening_hours).where(Site.slug == "gare-viotte")).one()


def test_hours_are_typed_day_by_day(technician: Clerk, db: Session) -> None:
    week = dict.fromkeys(("week_Mo", "week_Tu", "week_We", "week_Th", "week_Fr"), "9h-12h30, 14h-18h")
    send(technician, PLACE, **week, week_Sa="10:00-12:00", week_Su="", week_PH="fermé")
    assert technician.page.status_code == 303, technician.page.text
    assert hours_of(db) == "Mo-Fr 09:00-12:30,14:00-18:00; Sa 10:00-12:00; PH off"
    technician.get(PLACE)
    assert 'id="week_Sa" name="week_Sa" value="10:00-12:00"' in technician.page.text
    # What is written as one text has the last word, and what days cannot say stays as it is.
    send(technician, PLACE, opening_hours="Sa[1] 09:00-12:00")
    assert hours_of(db) == "Sa[1] 09:00-12:00"
    send(technician, PLACE, contact="Nour")
    assert hours_of(db) == "Sa[1] 09:00-12:00"
    send(technician, PLACE, week_Mo="9h-")
    assert technician.page.status_code == 400 and "09:00-" in html.unescape(technician.page.text)
    assert hours_of(db) == "Sa[1] 09:00-12:00"


def test_the_weeks_to_come_are_shown_before_anything_is_saved(technician: Clerk, db: Session) -> None:
    before = hours_of(db)
    technician.get(PLACE)
    fields = {**shown(technician.page.text), "opening_hours": "Mo-Su 09:30-11:00; PH off", "contact": "Lou"}
    technician.press(LOOK, **fields)
    page = technician.page.text
    assert technician.page.status_code == 200
    assert page.count("<strong>09:30-11:00</strong>") + page.count("<strong>closed</strong>") == 21
    assert 'value="Lou"' in page and 'value="Mo-Su 09:30-11:00; PH off"' in page
    assert hours_of(db) == before


def test_a_click_on_the_map_sets_the_pin(technician: Clerk, db: Session) -> None:
    technician.get(f"{SITES_PAGE}/-/new")
    fields = {**shown(technician.page.text), **SQUARE, "latitude": "47.2352", "longitude": "6.0249"}
    technician.press(LOOK, **fields)
    (bounds,) = re.findall(r'name="near_bounds" value="([^"]*)"', technician.page.text)
    x, y = point_at(6.026, 47.234, Bounds(*map(float, bounds.split())), width=280, height=230, radius=5)
    technician.press(LOOK, **{**shown(technician.page.text), "near.x": round(x), "near.y": round(y)})
    typed = shown(technician.page.text)
    assert float(str(typed["longitude"])) == pytest.approx(6.026, abs=4e-5)
    assert float(str(typed["latitude"])) == pytest.approx(47.234, abs=4e-5)
    assert typed["name"] == "Place Granvelle" and typed["networks"] == "wifilib"
    # By its key the map is pressed at no place, and nothing moves.
    technician.press(LOOK, **{**typed, "near.x": 0, "near.y": 0})
    assert shown(technician.page.text)["longitude"] == typed["longitude"]
    technician.press(f"{SITES_PAGE}/-/new", **shown(technician.page.text))
    assert technician.page.status_code == 303, technician.page.text
    db.rollback()
    assert db.scalars(select(Site.longitude).where(Site.slug == "granvelle")).one() == pytest.approx(
        6.026, abs=4e-5
    )


def test_a_place_leads_on_to_the_gateway_that_it_needs(technician: Clerk) -> None:
    assert 'href="/staff/records/gateways/-/new"' in technician.get(PLACE).text
    assert 'href="/staff/records/gateways/-/new"' not in technician.get(f"{SITES_PAGE}/-/new").text


def test_enter_saves_and_presses_no_map(technician: Clerk) -> None:
    """The first button of a form in the order of the page is the one that Enter presses (HTML, 4.10.21.2)."""
    form = re.findall(
        r'<form method="post"[^>]*class="middling".*?</form>', technician.get(PLACE).text, re.DOTALL
    )[0]
    first = re.findall(r"<button[^>]*>|<input[^>]*type=\"(?:image|submit)\"[^>]*>", form)[0]
    assert "formaction" not in first and 'type="image"' in form


def test_what_is_for_the_installer_is_on_no_public_page(technician: Clerk, db: Session) -> None:
    send(technician, PLACE, note="Échelle derrière la porte, code 4711", contact="Paul 06 11 22 33 44")
    assert technician.page.status_code == 303, technician.page.text
    stranger = technician.app.test_client()
    for path in (
        "/",
        "/hotspots",
        "/hotspots.geojson",
        "/info/gare-viotte",
        "/status",
        "/accessibilite",
        "/pass",
    ):
        text = stranger.get(path, base_url=PORTAL).text
        assert text and "4711" not in text and "06 11 22" not in text, path
    assert "Viotte" in stranger.get("/hotspots.geojson", base_url=PORTAL).text
    assert "Viotte" in stranger.get("/info/gare-viotte", base_url=PORTAL).text
