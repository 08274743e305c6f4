"""The page of one's connection, left open: it says what is so, with script and without, and nothing from memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from sessions import end
from sessions.models import AccessSession, EndReason
from tests.portal.pages.scene import Guest, Portal, new_guest, open_window, running_portal

pytestmark = pytest.mark.browser
ONLINE, OFFLINE = "Vous êtes en ligne", "Vous n’êtes pas en ligne"
# What a screen reader finds, in its order.
WARNED = """
- main:
  - status: /Votre connexion se termine à .*/
  - heading "Vous êtes en ligne" [level=1]
  - strong: /Encore .*/
  - heading /Votre connexion se termine à/ [level=2]
  - paragraph: /5 secondes pour lire un message/
  - button /Rester en ligne/
"""
STOPS = 10
UNREACHABLE, ASKING = "Le portail est injoignable", "Un instant…"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("open-status")) as portal:
        yield portal


@pytest.fixture
def guest(portal: Portal, chromium: Browser) -> Iterator[Guest]:
    """Online, on the free network, in front of the page, in a browser that runs scripts."""
    with open_window(chromium) as window:
        guest = new_guest(portal, window, "fr")
        with guest.page.expect_response("**/status.json*"):
            guest.go_online()
        yield guest


def come_back(guest: Guest) -> None:
    """Return to the tab: headless, no tab is ever hidden."""
    guest.page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")


def until(guest: Guest) -> str:
    """The time of day that the page promises: "12:30"."""
    return guest.page.locator(".left").inner_text().split()[-1].strip(".")


def reload(guest: Guest) -> None:
    guest.page.goto(guest.page.url)


def expect_heading(guest: Guest, words: str) -> None:
    expect(guest.page.locator("main h1:visible")).to_have_text(words)


def test_the_time_counts_down_by_the_servers_clock(guest: Guest) -> None:
    guest.portal.clock.advance(minutes=7)
    come_back(guest)
    expect(guest.page.locator("#left")).to_have_text("Encore 23\u00a0min")
    expect(guest.page).to_have_title("(23\u00a0min) Vous êtes en ligne · Gare de Besançon-Viotte")


def test_whole_hours_are_counted_as_the_page_says_them(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium) as window:
        guest = new_guest(portal, window, "fr")
        with guest.page.expect_response("**/status.json*"):
            guest.sign_in()
        expect(guest.page.locator("#left")).to_have_text(re.compile(r"^Encore \d\u00a0h(\u00a0\d\d)?$"))


def test_a_warning_comes_once_and_brings_the_message_along(guest: Guest) -> None:
    ending = f"Votre connexion se termine à {until(guest)}."
    icon = guest.page.locator("link[rel=icon]").get_attribute("href")
    guest.portal.clock.advance(minutes=25)
    come_back(guest)
    expect(guest.page.locator(".ending h2")).to_have_text(ending)
    expect(guest.page).to_have_title(re.compile(r"^Fin à \d\d:\d\d · Gare de Besançon-Viotte$"))
    assert guest.page.locator("link[rel=icon]").get_attribute("href") != icon
    expect(guest.page.locator("#said")).to_have_text(ending)
    # What ticks is in no live region.
    assert guest.page.locator(":is([role=status],[role=alert],[aria-live],[role=timer]) #left").count() == 0
    guest.portal.clock.advance(seconds=6)
    promised = guest.page.locator('form[action^="/pause"] button.go').inner_text().split()[-1]
    guest.press("/pause")
    expect(guest.page.locator(".left")).to_contain_text(f"jusqu’à {promised}")


@pytest.mark.parametrize("has_script", [True, False])
def test_the_end_is_said_by_the_page_itself(portal: Portal, chromium: Browser, has_script: bool) -> None:
    with open_window(chromium, java_script_enabled=has_script) as window:
        guest = new_guest(portal, window, "fr")
        guest.go_online()
        portal.clock.advance(minutes=29, seconds=59)
        reload(guest)
        expect_heading(guest, ONLINE)
        portal.clock.advance(seconds=2)
        expect_heading(guest, OFFLINE)
        expect(guest.page).to_have_title(f"{OFFLINE} · Gare de Besançon-Viotte")
        # One tap goes on from there.
        portal.clock.advance(seconds=6)
        guest.press("/pause")
        expect_heading(guest, ONLINE)


def test_an_end_by_staff_is_seen_within_a_minute(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium) as window:
        guest = new_guest(portal, window, "fr")
        guest.page.clock.install()
        guest.go_online()
        guest.page.clock.run_for(2_000)
        expect_heading(guest, ONLINE)
        with portal.services.make_session.begin() as db:
            access = db.scalars(select(AccessSession).where(AccessSession.mac == guest.mac)).one()
            end.end(db, access.id, reason=EndReason.STAFF, now=portal.clock())
        guest.page.clock.run_for(60_000)
        expect_heading(guest, OFFLINE)
        expect(guest.page.locator("#said")).to_contain_text("a mis fin à votre connexion")


def test_where_the_network_is_gone_it_says_so_and_then_asks_again(guest: Guest) -> None:
    guest.page.context.set_offline(True)
    expect_heading(guest, UNREACHABLE)
    expect(guest.page).to_have_title(UNREACHABLE)
    expect(guest.page.locator("#said")).to_have_text(UNREACHABLE)
    assert ONLINE not in guest.page.locator("main").inner_text()
    # The button asks as the script does: it leads to no page of the browser's own.
    guest.page.locator("main .go:visible").click()
    expect_heading(guest, UNREACHABLE)
    guest.page.context.set_offline(False)
    expect_heading(guest, ONLINE)
    expect(guest.page).to_have_title("(30\u00a0min) Vous êtes en ligne · Gare de Besançon-Viotte")


def test_where_the_portal_is_gone_it_says_so(chromium: Browser, tmp_path: Path) -> None:
    with open_window(chromium) as window:
        with running_portal(tmp_path) as portal:
            guest = new_guest(portal, window, "fr")
            guest.go_online()
            expect_heading(guest, ONLINE)
        come_back(guest)
        expect_heading(guest, UNREACHABLE)


def test_a_page_kept_in_memory_claims_nothing_before_the_server_has_answered(guest: Guest) -> None:
    guest.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    expect_heading(guest, ASKING)
    guest.portal.clock.advance(minutes=31)
    guest.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect_heading(guest, OFFLINE)


def test_back_from_another_page_asks_again(guest: Guest) -> None:
    guest.follow(guest.page.locator('footer a[href^="/privacy"]'))
    guest.portal.clock.advance(minutes=31)
    guest.page.go_back()
    expect_heading(guest, OFFLINE)


def test_a_notification_comes_only_after_a_tap(portal: Portal, desktop: Browser) -> None:
    with open_window(desktop, permissions=["notifications"]) as window:
        guest = new_guest(portal, window, "fr")
        guest.page.add_init_script(
            """window.notified = [];
            window.Notification = class extends Notification {
                constructor(title, options) { super(title, options); notified.push((options || {}).body); }
            }"""
        )
        guest.go_online()
        ending = f"Votre connexion se termine à {until(guest)}."
        button = guest.page.locator("#notify button")
        expect(button).to_have_text("Prévenez-moi avant la fin")
        button.click()
        expect(guest.page.locator("#notify")).to_have_text(
            "Un avis s’affichera, si cette page reste ouverte."
        )
        guest.portal.clock.advance(minutes=25)
        come_back(guest)
        expect(guest.page.locator(".ending")).to_be_visible()
        assert guest.page.evaluate("notified.filter(Boolean)") == [ending]


def test_without_script_there_is_no_button_that_does_nothing(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, java_script_enabled=False) as window:
        guest = new_guest(portal, window, "fr")
        guest.go_online()
        expect(guest.page.locator("#notify")).to_be_hidden()


def test_the_keyboard_stays_where_it_was_when_the_page_changes(guest: Guest) -> None:
    guest.page.locator("main button:visible").last.focus()
    guest.portal.clock.advance(minutes=25)
    come_back(guest)
    expect(guest.page.locator("main h1")).to_be_focused()
    expect(guest.page.locator("main")).to_match_aria_snapshot(WARNED)
    for _ in range(STOPS):
        guest.page.keyboard.press("Tab")
        if guest.page.locator('form[action^="/pause"] button:focus').count():
            break
    guest.portal.clock.advance(seconds=6)
    with guest.page.expect_navigation():
        guest.page.keyboard.press("Enter")
    expect_heading(guest, ONLINE)
