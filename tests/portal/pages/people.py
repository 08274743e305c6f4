"""Four people on the town's wifi, step by step: who gets on, stays on and comes back, and what each page shows.

Each journey yields the name of a step when the page to look at is there; it checks what the person must find. The test
walks them, and `tests.portal.pictures` takes their pictures for docs/guests.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select

from sessions.models import AccessSession
from tests.portal.pages.scene import CARD, FREE, LIBRARY, PIN, Guest

ONLINE = {"fr": "Vous êtes en ligne", "it": "È connesso a Internet"}
CODE = re.compile(r"\b(\w{4}\u2011\w{4,5})\b")


@dataclass(frozen=True, slots=True)
class Person:
    """A journey, and the window that it takes."""

    walk: Callable[[Guest], Iterator[str]]
    window: dict[str, Any] = field(default_factory=dict)
    lang: str = "fr"


def sessions_of(guest: Guest) -> list[AccessSession]:
    with guest.portal.services.make_session() as db:
        return list(db.scalars(select(AccessSession).where(AccessSession.mac == guest.mac)))


def look_again(guest: Guest) -> None:
    """Return to the tab: headless, no tab is ever hidden."""
    guest.page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")


def tourist_from_milan(guest: Guest) -> Iterator[str]:
    """Her phone speaks Italian and nobody chose anything: every page does, the warning and the renewal too."""
    page = guest.page
    guest.land(FREE)
    expect(page.locator("html")).to_have_attribute("lang", "it")
    yield "first-page"
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    expect(page.locator("html")).to_have_attribute("lang", "it")
    expect(page.get_by_role("heading", level=1)).to_have_text(ONLINE["it"])
    yield "online"
    guest.portal.clock.advance(minutes=25)
    look_again(guest)
    expect(page.locator(".ending h2")).to_be_visible()
    yield "warned"
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    expect(page.locator("main h1:visible")).to_have_text(ONLINE["it"])
    # She walks off, and is back the next day.
    guest.portal.clock.advance(hours=20)
    guest.land(FREE)
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    expect(page.locator("main h1:visible")).to_have_text(ONLINE["it"])
    assert len(sessions_of(guest)) == 2


def blind_patron(guest: Guest) -> Iterator[str]:
    """He has the keyboard and what a screen reader says; a wrong PIN is said first, and the card number stays."""
    page, keyboard = guest.page, guest.page.keyboard
    guest.land(LIBRARY)
    _type_pair(page, CARD, "not-the-right-one")
    alert = page.get_by_role("alert")
    expect(alert).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    login = page.get_by_role("textbox", name="Numéro de carte")
    expect(login).to_be_focused()
    expect(login).to_have_value(CARD)
    yield "refused"
    keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="Mot de passe")).to_be_focused()
    keyboard.type(PIN)
    keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(ONLINE["fr"])
    expect(page).to_have_title(re.compile("Vous êtes en ligne"))
    yield "online"
    button = page.get_by_role("button", name="Me déconnecter")
    _tab_to(page, button)
    with page.expect_navigation():
        keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(ONLINE["fr"])
    guest.land(LIBRARY)
    _type_pair(page, CARD, PIN)
    expect(page.get_by_role("heading", level=1)).to_have_text(ONLINE["fr"])


def teenager_in_a_call(guest: Guest) -> Iterator[str]:
    """She looks at minute 29 and taps at once: the tap waits by itself, and the call has no gap."""
    page = guest.page
    guest.go_online()
    (before,) = sessions_of(guest)
    guest.portal.clock.advance(minutes=29)
    look_again(guest)
    button = page.locator('form[action^="/pause"] button.go')
    expect(button).to_be_visible()
    yield "late"
    with page.expect_navigation():
        button.click()
    guest.portal.clock.advance(seconds=6)
    expect(page.locator("main h1:visible")).to_have_text(ONLINE["fr"])
    (after,) = sessions_of(guest)
    assert after.id == before.id and after.ended_at is None
    # Counted from the old end: nothing is lost by being early.
    assert (after.until - before.until).total_seconds() == 1800
    yield "renewed"


def visitor_whose_phone_changed_its_address(guest: Guest) -> Iterator[str]:
    """He wrote the code down before he got on; the phone takes another address and forgets its cookies."""
    page = guest.page
    guest.land(FREE)
    (code,) = CODE.findall(page.locator("main").inner_text())
    yield "code"
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    (before,) = sessions_of(guest)
    guest.mac = guest.portal.new_mac()
    page.context.clear_cookies()
    guest.portal.clock.advance(minutes=7)
    guest.land(FREE)
    guest.follow(page.locator('a[href^="/resume"]'))
    page.fill("#code", code)
    yield "typed"
    guest.press("/resume")
    expect(page.locator("main h1:visible")).to_have_text(ONLINE["fr"])
    (after,) = sessions_of(guest)
    assert after.until == before.until
    with guest.portal.services.make_session() as db:
        assert db.get_one(AccessSession, before.id).ended_at is not None
    yield "back"


def _type_pair(page: Page, card: str, pin: str) -> None:
    """Card and PIN, found by going from field to field."""
    _tab_to(page, page.get_by_role("textbox", name="Numéro de carte"))
    page.keyboard.type(card)
    page.keyboard.press("Tab")
    page.keyboard.type(pin)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _tab_to(page: Page, target: Any) -> None:
    """Press Tab until this has the focus: everything is reached, and nothing holds the keyboard."""
    stops = page.locator("a, input:not([type=hidden]), button, summary").count() + 1
    for _ in range(stops):
        page.keyboard.press("Tab")
        if target.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError(f"the keyboard does not reach {target}")


PEOPLE = {
    "tourist": Person(tourist_from_milan, {"locale": "it-IT"}, lang=""),
    "keyboard": Person(blind_patron, {"java_script_enabled": True}),
    "call": Person(teenager_in_a_call),
    "new-address": Person(visitor_whose_phone_changed_its_address, {"java_script_enabled": False}),
}
