"""The photograph of a place and the logo of a network, from the record's page."""

from __future__ import annotations

import html
import io
import random
import re

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from sites.models import Site
from sites.pictures import photograph
from tests.portal.conftest import PORTAL
from tests.portal.staff.configuration.forms import SITES_PAGE
from tests.portal.staff.conftest import Clerk, Desk

PLACE, NETWORK = f"{SITES_PAGE}/gare-viotte", "/staff/records/networks/wifilib"


@pytest.fixture
def technician(desk: Desk) -> Clerk:
    return desk.at_work("nour", Role.NETWORK)


def photo(width: int = 1280, height: int = 960) -> tuple[bytes, str]:
    drawn, out = Image.effect_noise((width, height), random.Random(1).randint(20, 60)), io.BytesIO()
    drawn.convert("RGB").save(out, "JPEG")
    return out.getvalue(), "square.jpg"


def handed_in(file: tuple[bytes, str]) -> tuple[io.BytesIO, str]:
    """As the test client sends a file, which it reads to the end and closes."""
    octets, name = file
    return io.BytesIO(octets), name


@pytest.mark.parametrize(("page", "width"), [(PLACE, 1280), (NETWORK, 600)])
def test_a_picture_is_shown_on_the_record_and_taken_away(
    technician: Clerk, db: Session, page: str, width: int
) -> None:
    technician.get(page)
    technician.press(
        f"{page}/picture",
        picture=handed_in(photo(width, width * 3 // 4)),
        **{"alt-fr": "La place <vide>", "alt-en": "The square"},
    )
    assert technician.page.status_code == 303, technician.page.text
    shown = technician.get(page).text
    (tag,) = re.findall(r'<img src="(/images/[^"]+)"[^>]*alt="La place &lt;vide&gt;"', shown)
    assert technician.app.test_client().get(tag, base_url=PORTAL).status_code == 200
    technician.press(f"{page}/no-picture")
    assert technician.page.status_code == 303 and "/images/" not in technician.get(page).text
    deeds = db.scalars(select(AuditEntry.action).where(AuditEntry.action.like("picture%"))).all()
    assert deeds == ["picture set", "picture removed"]


@pytest.mark.parametrize(
    ("handed", "alt"),
    [
        ((b"", "nothing.jpg"), "La place"),
        ((b"<!DOCTYPE html><p>", "a.jpg"), "La place"),
        (photo(60, 40), "La place"),
        (photo(), ""),
    ],
)
def test_what_is_no_picture_is_refused_in_french(
    technician: Clerk, db: Session, handed: tuple[bytes, str], alt: str
) -> None:
    technician.get(f"{PLACE}?lang=fr")
    technician.press(f"{PLACE}/picture?lang=fr", picture=handed_in(handed), **{"alt-fr": alt})
    page = technician.page
    assert page.status_code == 400
    (box,) = re.findall(r'<div class="refused".*?</div>', page.text, re.DOTALL)
    assert not re.search(r"\b(?:the|is|are|picture|file)\b", html.unescape(re.sub("<[^>]*>", "", box)))
    db.rollback()
    assert photograph(db.scalars(select(Site).where(Site.slug == "gare-viotte")).one()) is None


def test_nobody_changes_the_pictures_of_others(desk: Desk) -> None:
    other = desk.at_work("lou", Role.NETWORK, networks=("bibliotheques",))
    other.get("/staff/overview")
    form = other.form("/staff/signout")
    for page in (PLACE, NETWORK):
        assert other.post(f"{page}/picture", **form).status_code == 404
        assert other.post(f"{page}/no-picture", **form).status_code == 404
