"""Pages in a town's own dress, with logo, photograph, words and links, keep the rules that every page keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from sites import pictures
from sites.images.preparing import prepare
from sites.images.shapes import LOGO, PHOTOGRAPH
from sites.import_export import NETWORKS
from sites.models import Network, Site
from tests.imports import import_records
from tests.portal.pages.scene import (
    LIBRARY,
    PAGES,
    PHONE,
    Portal,
    never_asked,
    new_guest,
    open_window,
    running_portal,
)
from tests.portal.pages.test_every_page import RULES, Shown
from tests.sites.images import made

WIDE = ViewportSize(width=1280, height=800)
LINKS = "Ville de Besançon https://www.besancon.example/ | Agenda https://agenda.besancon.example/"
LOOK = (
    "slug,accent,accent_dark,public_contact,title_fr,title_ar,welcome_fr,links_fr\n"
    "wifilib,#7a1f5c,#e79ccb,03 81 61 50 50,Le wifi de toute la ville de Besançon,"
    f"واي فاي المدينة,Bienvenue à Besançon.,{LINKS}\n"
)
# Pictures of the network and of the place are what these pages fetch.
FETCHING = {"fetched_from_elsewhere", "first_page_fetches_anything"}
KEPT = {name: rule for name, rule in RULES.items() if name not in FETCHING}


def dress(db: Session) -> None:
    import_records(db, NETWORKS, LOOK.encode())
    mark, photo = (
        prepare(made.logo((900, 200)), "a.png", LOGO),
        prepare(made.photograph(), "a.jpg", PHOTOGRAPH),
    )
    for network in db.scalars(select(Network)):
        pictures.set_logo(db, network, mark, alt={"fr": "Les armes de Besançon"})
    for site in db.scalars(select(Site)):
        pictures.set_photograph(db, site, photo, alt={"fr": "Le quai", "en": "The quay"})


@pytest.fixture(scope="module")
def dressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("dressed"), prepare=dress) as portal:
        yield portal


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["fr", "ar"])
@pytest.mark.parametrize("name", ["landing-free", "landing-library", "info", "status-free"])
def test_a_dressed_page_keeps_every_rule(dressed: Portal, chromium: Browser, name: str, lang: str) -> None:
    with never_asked(open_window(chromium)) as window:
        guest = new_guest(dressed, window, lang)
        failed: list[str] = []
        guest.page.on("requestfailed", lambda asked: failed.append(asked.url))
        PAGES[name](guest)
        # Later, when a window becomes narrow, its browser gives up the photograph of the wide one.
        assert failed == []
        shown = Shown(lang, guest.page, dressed, source=guest.page.content())
        broken = {}
        for rule, look in KEPT.items():
            if found := look(shown):
                broken[rule] = found
            shown.page.set_viewport_size(PHONE)
            shown.page.emulate_media(color_scheme="light")
            shown.page.evaluate("document.documentElement.removeAttribute('style')")
        assert broken == {}
        widths = guest.page.eval_on_selector_all(
            "picture img",
            "found => found.filter(one => one.checkVisibility())"
            ".map(one => one.complete ? one.naturalWidth : -1)",
        )
        assert widths and all(width > 0 for width in widths)


@pytest.mark.browser
def test_the_photograph_beside_a_page_is_for_wide_windows_alone(dressed: Portal, chromium: Browser) -> None:
    """A phone does not pay for what it does not show; a laptop has it beside what there is to do."""
    fetched: dict[int, list[str]] = {}
    for width in (PHONE["width"], WIDE["width"]):
        with open_window(chromium, java_script_enabled=False, viewport={**WIDE, "width": width}) as window:
            guest = new_guest(dressed, window, "fr")
            asked = fetched.setdefault(width, [])
            guest.page.on("request", lambda one, asked=asked: asked.append(one.url))
            guest.go_online()
            asked.clear()
            guest.page.reload()
            expect(guest.page.locator(".photo")).to_be_visible(visible=width == WIDE["width"])
            if width == WIDE["width"]:
                guest.page.wait_for_function("document.querySelector('.photo img').naturalWidth > 0")
                photo, words = (guest.page.locator(one).bounding_box() for one in (".photo", "h1"))
                assert photo is not None and words is not None
                assert photo["x"] + photo["width"] <= words["x"]
    # The logo stands on both; the phone keeps it from the page before.
    pictures_of = {width: [url for url in urls if "/images/" in url] for width, urls in fetched.items()}
    assert len(pictures_of[PHONE["width"]]) + 1 == len(pictures_of[WIDE["width"]])


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "size"), [("light", PHONE), ("dark", WIDE)], ids=["phone", "laptop"])
def test_nothing_moves_when_the_pictures_come(
    dressed: Portal, chromium: Browser, theme: Any, size: ViewportSize
) -> None:
    """While they are held back, everything stands where it will."""
    places = []
    for held in (True, False):
        with open_window(chromium, java_script_enabled=False, color_scheme=theme, viewport=size) as window:
            guest = new_guest(dressed, window, "fr")
            if held:
                window.route("**/images/*", lambda asked: None)
            url = dressed.landing_url(LIBRARY, guest.mac, "fr")
            guest.page.goto(url, wait_until="domcontentloaded" if held else "load")
            places.append(
                [guest.page.locator(one).bounding_box() for one in (".brand bdi", ".photo", "h1", "#login")]
            )
    assert places[0] == places[1]


@pytest.mark.browser
def test_the_towns_mark_is_the_icon_of_tab_and_home_screen(dressed: Portal, chromium: Browser) -> None:
    """The browser itself takes them: the page can be installed, with icons of the sides that the manifest says."""
    with open_window(chromium) as window:
        guest = new_guest(dressed, window, "fr")
        guest.go_online()
        links = {rel: guest.page.locator(f'link[rel="{rel}"]') for rel in ("icon", "apple-touch-icon")}
        for link in links.values():
            mark = window.request.get(dressed.url + str(link.get_attribute("href")))
            assert mark.ok and mark.headers["content-type"] == "image/png"
        browser = window.new_cdp_session(guest.page)
        found = browser.send("Page.getAppManifest")
        refused = browser.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert found["errors"] == []
        assert [each for each in refused if each["errorId"] != "in-incognito"] == []
        icons = json.loads(found["data"])["icons"]
        assert {(one["sizes"], one["purpose"]) for one in icons} == {
            (sizes, purpose) for sizes in ("192x192", "512x512") for purpose in ("any", "maskable")
        }
        for one in icons:
            drawn = made.opened(window.request.get(dressed.url + one["src"]).body())
            assert f"{drawn.width}x{drawn.height}" == one["sizes"] and one["src"].startswith("/images/")
        # Near the end the tab says so, whatever the mark.
        dressed.clock.advance(minutes=26)
        guest.goto("/status")
        assert "icon-ending" in str(links["icon"].get_attribute("href"))
