"""Going back over a form that was refused: the browser shows the page again, and none of its own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.portal.pages.scene import CARD, FREE, LIBRARY, PIN, Guest
from tests.portal.visitors import issue

pytestmark = pytest.mark.browser


def back(guest: Guest) -> None:
    """Press *Back*. Chromium fails this with ERR_CACHE_MISS where the answer to a form was not to be kept."""
    guest.page.go_back()
    expect(guest.page.locator("main")).to_be_visible()


def test_back_over_a_wrong_password_keeps_the_card_number(guest: Guest) -> None:
    guest.sign_in(pin="not-the-right-one")
    expect(guest.page.locator("[role=alert]")).to_be_visible()
    guest.page.fill("#secret", PIN)
    guest.press("/signin")
    back(guest)
    expect(guest.page.locator("#login")).to_have_value(CARD)


def test_back_over_a_mistyped_pass(guest: Guest) -> None:
    guest.land(LIBRARY)
    guest.page.fill("#code", "7K2-O9Q-XAH")
    guest.press("/pass")
    guest.page.fill("#code", issue(guest.portal.services).codes[0])
    guest.press("/pass")
    back(guest)


def test_back_over_a_button_that_came_too_early(guest: Guest) -> None:
    guest.land(FREE)
    guest.press("/pause")
    guest.portal.clock.advance(seconds=6)
    guest.follow(guest.page.locator("main .go"))
    back(guest)
