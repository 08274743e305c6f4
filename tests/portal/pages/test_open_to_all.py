"""The pages about places and about us: for everybody, whoever asks and from wherever."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from werkzeug.test import TestResponse

from portal.templating import contact_link
from tests.portal.pages.scene import Guest, Portal, new_guest, open_window

OPEN = ("/privacy", "/accessibilite", "/hotspots", "/hotspots/status", "/terms/wifilib", "/info/battant")


@pytest.fixture
def stranger(portal: Portal) -> FlaskClient:
    return portal.app.test_client()


def ask(portal: Portal, stranger: FlaskClient, path: str, lang: str = "fr") -> TestResponse:
    mark = "&" if "?" in path else "?"
    return stranger.get(
        f"{path}{mark}lang={lang}", base_url=portal.url, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}
    )


@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("query", ["", "?visit=stale", "?landing=stale"])
def test_no_stale_token_closes_a_page_that_is_open_to_all(
    portal: Portal, stranger: FlaskClient, path: str, query: str
) -> None:
    assert ask(portal, stranger, path + query).status_code == 200


def test_somebody_elsewhere_is_told_how_to_join_and_where(portal: Portal, stranger: FlaskClient) -> None:
    page = ask(portal, stranger, "/").text
    assert "Besancon-WifiLib" in page and "Bibliotheques-Besancon" in page
    assert 'class="go" href="/hotspots?lang=fr"' in page
    assert "<form" not in page


@pytest.mark.parametrize(
    "words",
    [
        "Besançon",
        "dpo@example.org",
        "L34-1",
        "1 an",
        "24 heures",
        "jamais",
        "Vos droits",
        "CNIL",
        "6.1.c",
        "6.1.e",
    ],
)
def test_the_privacy_notice_says_who_why_how_long_and_which_rights(
    portal: Portal, stranger: FlaskClient, words: str
) -> None:
    assert words in ask(portal, stranger, "/privacy").text


@pytest.mark.parametrize(
    "words",
    [
        "article 47 de la loi n° 2005-102",
        "État de conformité",
        "version 4.1.2",
        "Résultats des tests",
        "Contenus non accessibles",
        "Établissement de cette déclaration",
        "Retour d’information et contact",
        "Voies de recours",
        "Défenseur des droits",
        "Libre réponse 71120",
    ],
)
def test_the_accessibility_declaration_has_the_official_form(
    portal: Portal, stranger: FlaskClient, words: str
) -> None:
    assert words in ask(portal, stranger, "/accessibilite").text


@pytest.mark.parametrize("path", ["/", *OPEN, "/nowhere"])
def test_each_page_has_exactly_one_of_the_official_mentions(
    portal: Portal, stranger: FlaskClient, path: str
) -> None:
    page = ask(portal, stranger, path).text.partition("<footer>")[2]
    found = re.findall(r"Accessibilité\u00a0: (totalement|partiellement|non) conforme", page)
    assert found == ["non"]


def test_an_info_page_has_the_hours_the_state_and_a_code_to_join(
    portal: Portal, stranger: FlaskClient
) -> None:
    page = ask(portal, stranger, "/info/pierre-bayle").text
    assert "En service" in page
    assert "Ouvert" in page or "Fermé" in page
    assert 'aria-label="Code pour rejoindre Bibliotheques-Besancon' in page


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("wifi@example.org", "mailto:wifi@example.org"),
        ("03 81 61 50 50", "tel:0381615050"),
        ("+33 3.81.61-50-50", "tel:+33381615050"),
        ("the town hall", ""),
    ],
)
def test_a_contact_is_a_link_to_write_or_to_call(contact: str, link: str) -> None:
    assert contact_link(contact) == link


@pytest.mark.browser
def test_the_map_is_walked_with_the_keyboard_and_leads_into_the_list(guest: Guest) -> None:
    guest.goto("/hotspots")
    mark = guest.page.locator(".map:visible a:not(.several)").first
    mark.focus()
    expect(mark).to_be_focused()
    target = mark.get_attribute("href")
    assert target is not None
    entry = guest.page.locator(target)
    assert entry.locator("h3 a").inner_text() in (mark.get_attribute("aria-label") or "")
    guest.page.keyboard.press("Enter")
    expect(guest.page).to_have_url(re.compile(f"{re.escape(target)}$"))


@pytest.mark.browser
def test_the_list_is_folded_by_kind_and_printed_whole(portal: Portal, chromium: Browser) -> None:
    """Without script: the first kind is open, a filter opens all that it leaves, and paper has every place."""
    with open_window(chromium, java_script_enabled=False) as window:
        guest = new_guest(portal, window, "fr")
        guest.goto("/hotspots")
        folds, places = guest.page.locator(".list details"), guest.page.locator(".list ol.rows > li")
        assert folds.count() > 3 and folds.locator("summary h2").count() == folds.count()
        assert guest.page.locator(".list details[open]").count() == 1
        assert folds.first.get_attribute("open") is not None
        expect(places.last).to_be_hidden()
        guest.page.emulate_media(media="print")
        for number in range(places.count()):
            expect(places.nth(number)).to_be_visible()
        guest.page.emulate_media(media="screen")
        guest.follow(guest.page.locator(".chips a").nth(1))
        assert guest.page.locator(".list details:not([open])").count() == 0


@pytest.mark.browser
def test_the_list_says_in_words_what_the_map_says_in_shapes(guest: Guest) -> None:
    guest.goto("/hotspots")
    entries = guest.page.locator("ol.rows > li")
    assert entries.locator("h3").count() == entries.count()
    states = {"fr": r"En service|Prévu|En panne|Fermé", "en": r"Working|Planned|Out of order|Closed"}
    for text in entries.all_text_contents():
        assert re.search(states[guest.lang], text), text


@pytest.mark.browser
def test_a_mark_of_several_places_leads_to_their_names(guest: Guest) -> None:
    guest.goto("/hotspots")
    anchors = set(guest.page.eval_on_selector_all("[id]", "found => found.map(one => '#' + one.id)"))
    links = guest.page.eval_on_selector_all(
        ".map a, .shared a", "found => found.map(one => one.getAttribute('href'))"
    )
    assert links
    assert set(links) <= anchors
    marks = guest.page.locator(".map:visible").first
    assert marks.locator("a.several").count() > 0
    mark = marks.locator("a.several").last
    mark.focus()
    guest.page.keyboard.press("Enter")
    target = guest.page.locator(mark.get_attribute("href") or "")
    expect(target).to_be_in_viewport()


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("?kind=library", lambda each: each["kind"] == "library"),
        ("?open=1", lambda each: each["open"] and each["state"] == "live"),
        ("?step_free=1", lambda each: each["step_free"] is True),
        (
            "?step_free=1&open=1&kind=tram_stop",
            lambda each: (
                each["step_free"] and each["open"] and each["state"] == "live" and each["kind"] == "tram_stop"
            ),
        ),
        ("?kind=pub&open=yes", lambda each: True),
    ],
)
def test_a_filter_shows_the_places_that_it_says(
    portal: Portal, stranger: FlaskClient, query: str, holds: Callable[[dict[str, Any]], bool]
) -> None:
    shown = re.findall(
        r'<h3>\d+\. <a href="/info/([a-z0-9-]+)', ask(portal, stranger, f"/hotspots{query}").text
    )
    places = ask(portal, stranger, "/hotspots.geojson").get_json(force=True)["features"]
    assert set(shown) == {each["id"] for each in places if holds(each["properties"])}
    assert len(shown) == len(set(shown))


def test_filters_stay_when_another_is_added_and_when_the_language_changes(
    portal: Portal, stranger: FlaskClient
) -> None:
    page = ask(portal, stranger, "/hotspots?open=1&kind=library").text
    assert "open=1&amp;step_free=1&amp;kind=library" in page
    assert re.search(r'hreflang="en" href="/hotspots\?open=1&amp;kind=library&amp;lang=en"', page)
    assert re.search(r'href="/hotspots\?kind=library[^"]*" aria-current="true"', page)
    assert "Afficher tous les lieux" in page


def test_places_stand_by_kind_in_the_order_of_a_telephone_book(portal: Portal, stranger: FlaskClient) -> None:
    page = (
        ask(portal, stranger, "/hotspots").text.partition('id="kind-tram_stop"')[2].partition("</section>")[0]
    )
    names = re.findall(r"<h3>\d+\. <a[^>]*><bdi>([^<]*)</bdi>", page)
    assert names.index("Tram CHRU Minjoz") < names.index("Tram Époisses") < names.index("Tram Flore")
    assert names.index("Tram Île-de-France") < names.index("Tram Lilas")


def test_a_place_opens_the_map_of_the_phone(portal: Portal, stranger: FlaskClient) -> None:
    page = ask(portal, stranger, "/hotspots").text
    assert 'href="geo:47.243,6.0185?q=47.243,6.0185(Battant)"' in page
    iphone = stranger.get(
        "/hotspots",
        base_url=portal.url,
        headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"},
    ).text
    assert 'href="https://maps.apple.com/?ll=47.243,6.0185&amp;q=Battant"' in iphone
    assert "geo:" not in iphone
