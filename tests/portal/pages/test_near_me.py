"""The hotspots by distance: asked for by a tap, computed on the device, sent nowhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.portal.pages.scene import Guest, Portal, new_guest, open_window

pytestmark = pytest.mark.browser
# By the station.
HERE = {"latitude": 47.24691, "longitude": 6.02187}


def at_the_list(portal: Portal, window: BrowserContext) -> Guest:
    guest = new_guest(portal, window, "fr")
    guest.goto("/hotspots")
    return guest


def tap(page: Page) -> None:
    page.get_by_role("button", name="Autour de moi").click()


def test_the_nearest_come_first_and_no_request_carries_the_position(
    portal: Portal, chromium: Browser
) -> None:
    with open_window(chromium, geolocation=HERE, permissions=["geolocation"]) as window:
        guest = at_the_list(portal, window)
        sent: list[str] = []
        window.on("request", lambda asked: sent.append(asked.url))
        before = guest.page.locator("[data-at]").count()
        tap(guest.page)
        expect(guest.page.locator("#near-says")).to_have_text("Les lieux les plus proches sont en premier.")
        assert guest.page.locator("#nearest [data-at]").count() == before
        names = guest.page.locator("#nearest h3 a").all_inner_texts()
        assert names[:2] == ["Gare de Besançon-Viotte", "Tram Gare Viotte"]
        far = guest.page.locator("#nearest .far").all_inner_texts()
        assert far[0] == "10\u202fm"
        assert re.fullmatch(r"\d(,\d)?\u202fkm", far[-1])
        guest.follow(guest.page.locator("#nearest h3 a").first)
        assert sent
        assert not [url for url in sent if "47.24691" in url or "6.02187" in url or "47.246" in url]
        assert guest.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


def test_nothing_is_asked_without_a_tap(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, geolocation=HERE, permissions=["geolocation"]) as window:
        window.add_init_script(
            "navigator.geolocation.getCurrentPosition = () => { document.title = 'asked' }"
        )
        guest = at_the_list(portal, window)
        expect(guest.page.get_by_role("button", name="Autour de moi")).to_be_visible()
        assert guest.page.title() != "asked"
        tap(guest.page)
        expect(guest.page).to_have_title("asked")


def test_whoever_refuses_keeps_the_list_and_is_told(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, permissions=[]) as window:
        guest = at_the_list(portal, window)
        tap(guest.page)
        expect(guest.page.locator("#near-says")).to_contain_text("ne donne pas votre position")
        expect(guest.page.locator("#kind-library")).to_be_visible()


def test_without_script_there_is_no_button_that_does_nothing(guest: Guest) -> None:
    guest.goto("/hotspots")
    expect(guest.page.locator("#near")).to_be_hidden()
    expect(guest.page.locator("#nearest")).to_be_hidden()
