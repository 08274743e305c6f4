"""What a guest does with the pages, in a browser that runs no script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.portal.pages.scene import (
    CARD,
    FREE,
    LIBRARY,
    PIN,
    SILENT,
    Guest,
    Portal,
    new_guest,
    open_window,
    pause_renewal,
    status_library,
)

pytestmark = pytest.mark.browser

ONLINE = {"fr": "Vous êtes en ligne", "en": "You are online"}
OFFLINE = {"fr": "Vous n’êtes pas en ligne", "en": "You are not online"}


def heading(guest: Guest) -> str:
    return guest.page.locator("h1").inner_text()


def test_a_patron_signs_in_with_the_keyboard_alone(guest: Guest) -> None:
    guest.land(LIBRARY)
    guest.page.keyboard.press("Tab")
    expect(guest.page.locator(".skip")).to_be_focused()
    guest.page.keyboard.press("Enter")
    guest.page.keyboard.press("Tab")
    expect(guest.page.locator("#login")).to_be_focused()
    guest.page.keyboard.type(CARD)
    guest.page.keyboard.press("Tab")
    guest.page.keyboard.type(PIN)
    guest.page.keyboard.press("Enter")
    expect(guest.page.locator("h1")).to_have_text(ONLINE[guest.lang])


def test_every_stop_of_the_keyboard_shows_where_it_is(guest: Guest) -> None:
    guest.land(LIBRARY)
    stops = guest.page.locator("a, input:not([type=hidden]), button, summary").count()
    for _ in range(stops):
        guest.page.keyboard.press("Tab")
        assert float(guest.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")[:-2]) >= 3


def test_a_wrong_pin_is_told_first_and_beside_the_field_and_the_card_number_stays(guest: Guest) -> None:
    guest.sign_in(pin="not-the-right-one")
    words = {"fr": "Numéro de carte ou mot de passe inexact.", "en": "Card number or PIN is wrong."}[
        guest.lang
    ]
    assert guest.page.title().startswith({"fr": "Erreur\u00a0: ", "en": "Error: "}[guest.lang])
    expect(guest.page.locator("[role=alert]")).to_be_focused()
    assert guest.page.locator("[role=alert] h2").inner_text() == words
    assert guest.page.locator("#login-wrong").inner_text() == words
    assert guest.page.locator("#login").get_attribute("aria-describedby") == "login-hint login-wrong"
    assert guest.page.locator("#login").input_value() == CARD
    assert guest.page.locator("#secret").input_value() == ""
    guest.page.locator("[role=alert] a").click()
    expect(guest.page.locator("#login")).to_be_focused()


@pytest.mark.parametrize("has_script", [False, True])
def test_a_press_that_comes_too_early_goes_on_by_itself(
    portal: Portal, chromium: Browser, lang: str, has_script: bool
) -> None:
    with open_window(chromium, java_script_enabled=has_script) as window:
        guest = new_guest(portal, window, lang)
        press_too_early(guest)


def press_too_early(guest: Guest) -> None:
    guest.land(FREE)
    title = guest.page.locator(".message h2").inner_text()
    guest.press("/pause")
    waits = {"fr": "Encore 5 secondes.", "en": "5 more seconds."}[guest.lang]
    assert guest.page.locator("[role=status] h2").inner_text() == waits
    assert guest.page.locator(".message h2").inner_text() == title
    guest.portal.clock.advance(seconds=5)
    guest.page.wait_for_selector("#left")
    assert heading(guest) == ONLINE[guest.lang]


def test_another_language_keeps_the_card_number_and_enter_still_signs_in(guest: Guest) -> None:
    guest.land(LIBRARY)
    guest.page.fill("#login", CARD)
    other = "en" if guest.lang == "fr" else "fr"
    guest.follow(guest.page.locator(f'.languages button[lang="{other}"]'))
    expect(guest.page.locator("html")).to_have_attribute("lang", other)
    expect(guest.page.locator("#login")).to_have_value(CARD)
    guest.page.fill("#secret", PIN)
    with guest.page.expect_navigation():
        guest.page.press("#secret", "Enter")
    assert heading(guest) == ONLINE[other]


def test_a_renewal_says_until_when_before_it_is_given(guest: Guest) -> None:
    pause_renewal(guest)
    promised = guest.page.locator("main button.go").inner_text().split()[-1]
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    assert heading(guest) == ONLINE[guest.lang]
    assert promised in guest.page.locator(".left").inner_text()


def test_a_patron_releases_another_device_of_theirs(guest: Guest) -> None:
    status_library(guest)
    devices = guest.page.locator(".rows > li")
    expect(devices).to_have_count(2)
    guest.follow(devices.locator("button"))
    expect(devices).to_have_count(1)
    assert heading(guest) == ONLINE[guest.lang]


def test_who_leaves_is_told_so_and_comes_back_with_one_tap(guest: Guest) -> None:
    guest.go_online()
    guest.follow(guest.page.locator('form[action^="/leave"] button').last)
    assert heading(guest) == OFFLINE[guest.lang]
    assert ONLINE[guest.lang] not in guest.page.locator("body").inner_text()
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    assert heading(guest) == ONLINE[guest.lang]


def test_a_phone_with_a_new_address_carries_on_with_one_tap(guest: Guest) -> None:
    guest.go_online()
    until = guest.page.locator(".left").inner_text().split()[-1]
    guest.mac = guest.portal.new_mac()
    guest.land(FREE)
    guest.press("/resume")
    assert heading(guest) == ONLINE[guest.lang]
    assert guest.page.locator(".left").inner_text().split()[-1] == until


def test_a_gateway_that_does_not_confirm_is_not_called_online(guest: Guest) -> None:
    guest.land(SILENT)
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    assert heading(guest) == {"fr": "Connexion en cours…", "en": "Connecting…"}[guest.lang]
    assert ONLINE[guest.lang] not in guest.page.locator("body").inner_text()


def test_a_language_once_chosen_stays_through_forms_and_redirects(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, java_script_enabled=False, locale="de-DE") as window:
        guest = new_guest(portal, window, "fr")
        guest.land(FREE)
        guest.follow(guest.page.locator('.languages a[hreflang="en"]'))
        portal.clock.advance(seconds=6)
        guest.press("/pause")
        assert heading(guest) == ONLINE["en"]
        guest.follow(guest.page.locator('footer a[href^="/privacy"]'))
        assert heading(guest) == "What we keep, and for how long"
        guest.follow(guest.page.locator("main .go"))
        assert heading(guest) == ONLINE["en"]
