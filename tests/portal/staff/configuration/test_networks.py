"""A network on its form: the first page before it is saved, and its terms version by version."""

from __future__ import annotations

import html
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from portal.staff.configuration.differences import Piece, differences
from sites.models import Network
from tests.portal.staff.configuration.forms import send, shown
from tests.portal.staff.conftest import Clerk, Desk

PAGE = "/staff/records/networks/wifilib"
PREVIEW = "/staff/records/networks/-/preview"


@pytest.fixture
def technician(desk: Desk) -> Clerk:
    return desk.at_work("nour", Role.NETWORK)


def test_the_first_page_is_seen_before_anything_is_saved(technician: Clerk, db: Session) -> None:
    technician.get(PAGE)
    look = {
        "accent": "#7a1f5c",
        "title_fr": "Bienvenue <ici>",
        "welcome_fr": "Le wifi de la place",
        "contact": "x",
    }
    technician.press(PREVIEW, **{**shown(technician.page.text), **look})
    page = technician.page
    assert page.status_code == 200, page.text
    frames = [html.unescape(one) for one in re.findall(r'srcdoc="([^"]*)"', page.text)]
    assert len(frames) >= 3 and page.text.count("<iframe") == page.text.count("sandbox")
    assert all("Bienvenue &lt;ici&gt;" in one and "#7a1f5c" in one for one in frames)
    assert 'lang="fr"' in frames[0] and 'lang="en"' in frames[2]
    # An example stands where a guest's own code would, and nothing that a template left to fill in.
    assert all("ABCD\u2011EFGH" in one and not re.search(r"hole\.\w+\.hole", one) for one in frames)
    # Their style is let in by its digest, and nothing else is.
    assert page.headers["Content-Security-Policy"].count("'sha256-") >= 2
    assert shown(page.text)["title_fr"] == "Bienvenue <ici>"
    db.rollback()
    assert "title" not in db.scalars(select(Network).where(Network.slug == "wifilib")).one().look


def test_a_look_that_cannot_be_shown_is_refused_there_too(technician: Clerk) -> None:
    technician.get(PAGE)
    technician.press(PREVIEW, **{**shown(technician.page.text), "accent": "#ffff00"})
    assert technician.page.status_code == 400 and "<iframe" not in technician.page.text
    assert 'id="accent-wrong">' in technician.page.text


def test_a_new_network_is_seen_too(technician: Clerk) -> None:
    page = "/staff/records/networks/-/new"
    technician.get(page)
    fields = {
        "slug": "fete",
        "name": "Fête",
        "ssid": "FETE",
        "kind": "public",
        "signin_methods": "free",
        "lease_seconds": "1800",
        "terms_version": "1",
        "terms_fr": "Soyez corrects.",
        "title_fr": "La fête",
    }
    technician.press(PREVIEW, **{**shown(technician.page.text), **fields})
    assert technician.page.status_code == 200 and technician.page.text.count("<iframe") == 2
    technician.press(page, **shown(technician.page.text))
    assert technician.page.status_code == 303, technician.page.text


def test_terms_have_versions_with_what_changed(technician: Clerk) -> None:
    send(technician, PAGE, terms_fr="Soyez corrects et calmes.", terms_version="2027-1")
    assert technician.page.status_code == 303, technician.page.text
    send(technician, PAGE, terms_fr="Soyez calmes.", terms_version="2027-2")
    page = technician.get(PAGE).text
    (section,) = re.findall(r'<h2 id="versions">.*?</ul>', page, re.DOTALL)
    assert re.findall(r"<strong>(.*?)</strong>", section) == ["2027-2", "2027-1"]
    assert re.sub(r"\s+", " ", re.findall(r'class="differences">(.*?)</p>', section)[0]) == (
        "Soyez <del>corrects et </del>calmes."
    )


def test_of_long_texts_what_stayed_is_shortened() -> None:
    before = " ".join(f"word{number}" for number in range(200))
    found = differences(before, before.replace("word100", "WORD"))
    assert [piece for piece in found if piece.fate != "stayed"] == [
        Piece("went", "word100 "),
        Piece("came", "WORD "),
    ]
    assert (
        all(len(piece.text) < 200 for piece in found)
        and "word99" in found[0].text
        and "word101" in found[-1].text
    )
    many = before * 30
    assert [one.text for one in differences(f"{many}\nA", f"{many}\nB")][1:] == ["A", "B"]
    assert differences("", "All") == [Piece("came", "All")]
