"""A guest reads the language that was chosen, in its direction, and is told where a text has no translation."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ads.demo import load_announcements
from ads.models import Creative
from portal.services import Services
from sessions.models import AccessSession
from sites.models import Network
from tests.clock import NOON
from tests.portal.conftest import ADA, ADA_PIN, Phone
from tests.portal.languages import LANGUAGES


def spoken(page: str) -> str:
    found = re.search(r'<html lang="(\w+)"', page)
    assert found
    return found[1]


def test_every_language_of_the_town_is_a_visible_link(phone: Phone) -> None:
    page = phone.land().text
    offered = re.findall(r'<a lang="(\w+)" hreflang="\w+" href="[^"]*lang=(\w+)', page)
    assert {spoken(page), *(code for code, _ in offered)} == set(LANGUAGES)
    assert all(code == leads_to for code, leads_to in offered)


def test_a_language_that_was_chosen_is_kept_for_the_next_time(phone: Phone) -> None:
    """A browser in Dutch reads English, chooses German, and comes back by the name of the portal alone."""
    phone.headers["Accept-Language"] = "nl"
    assert spoken(phone.land().text) == "en"
    assert spoken(phone.get(f"/?lang=de&landing={phone.landing_token()}").text) == "de"
    assert spoken(phone.get("/privacy").text) == "de"
    assert spoken(phone.land().text) == "de"
    assert spoken(phone.get("/privacy?lang=fr").text) == "fr"


def test_a_captive_window_without_cookies_keeps_it_in_its_links(phone: Phone) -> None:
    phone.keeps_cookies = False
    phone.browser = phone.app.test_client(use_cookies=False)
    phone.get(f"/?lang=it&landing={phone.landing_token()}")
    addresses = re.findall(r'(?:href|action)="(/[^"]*)"', phone.page.text)
    own = [one for one in addresses if not re.search(r"lang=(?!it)", one) and "/assets/" not in one]
    assert own and all("lang=it" in one for one in own)


@pytest.mark.parametrize("kept", ["xx", "zz,fr", "../e"])
def test_a_language_that_is_none_is_not_kept(phone: Phone, kept: str) -> None:
    phone.get(f"/?lang={kept}&landing={phone.landing_token()}")
    assert spoken(phone.page.text) == "en"
    assert spoken(phone.get("/privacy").text) == "en"


def test_arabic_goes_from_right_to_left_and_a_code_keeps_its_own_way(phone: Phone) -> None:
    phone.headers["Accept-Language"] = "ar"
    page = phone.land().text
    assert '<html lang="ar" dir=rtl>' in page
    assert "\u2068portal.example.org\u2069" in page
    refused = phone.press("/pause", ticket="forged").text
    assert re.search("\u2068[0-9A-Z]{3}-[0-9A-Z]{3}\u2069", refused)
    phone.headers["Accept-Language"] = "de"
    assert '<html lang="de">' in phone.land().text and "\u2068" not in phone.page.text


def test_staff_pages_offer_what_they_are_whole_in(phone: Phone) -> None:
    page = phone.get("/staff/signin", **{"Accept-Language": "de,ar"}).text
    assert spoken(page) == "en"
    assert re.findall(r'hreflang="(\w+)"', page) == ["fr"]


def test_rules_without_a_translation_say_so_and_are_accepted_as_they_were_shown(
    reader: Phone, db: Session, services: Services
) -> None:
    network = reader.gateway.network.slug
    reader.headers["Accept-Language"] = "de"
    page = reader.get(f"/terms/{network}").text
    assert "Dieser Text ist nicht übersetzt: Er ist auf Englisch." in page
    assert re.search(r'class="lines" lang="en" dir="auto">', page)
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    assert db.scalars(select(AccessSession.terms_language)).one() == "en"
    with services.make_session.begin() as changing:
        changing.execute(update(Network).values(terms={"fr": "Soyez corrects.", "de": "Seid nett."}))
    page = reader.get(f"/terms/{network}").text
    assert "Seid nett." in page and "nicht übersetzt" not in page


def test_a_message_without_a_translation_is_shown_in_its_own_language(
    phone: Phone, services: Services
) -> None:
    with services.make_session.begin() as changing:
        load_announcements(changing, now=NOON)
        changing.execute(update(Creative).values(texts={"fr": {"title": "Le marché", "text": "Samedi."}}))
    phone.headers["Accept-Language"] = "es"
    page = phone.land().text
    assert '<div lang="fr" dir="auto">' in page and "Le marché" in page
    assert "Este texto no está traducido: está en francés." in page
    phone.headers["Accept-Language"] = "fr"
    assert "pas traduit" not in phone.land().text


@pytest.mark.parametrize("lang,comma", [("ar", "\u060c "), ("de", ", ")])
def test_parts_of_a_row_stand_apart_by_the_sign_of_the_language(
    phone: Phone, reader: Phone, lang: str, comma: str
) -> None:
    """What code puts in a row, and not a translation: names of networks, ways to sign in."""
    away = phone.get(f"/away?lang={lang}").text
    assert f"</strong>{comma}<strong>" in away
    assert (
        comma in re.findall(r'class="quiet">([^<]*)<', reader.get(f"/info/pierre-bayle?lang={lang}").text)[0]
    )
