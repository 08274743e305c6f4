"""A captive window: it may refuse cookies and storage, opens no other window and saves no file.

The small browser that a phone opens by itself is such a one (Apple's Captive Network Assistant, Android's
CaptivePortalLogin). Each journey goes all the way there, with script and without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.portal.pages.scene import FREE, LIBRARY, PHONE, Guest, Portal, new_guest
from tests.portal.visitors import issue
from tests.services.chromium import FLAGS, PATIENCE_MS
from tests.services.parts import program

pytestmark = pytest.mark.browser
ONLINE, OFFLINE = "Vous êtes en ligne", "Vous n’êtes pas en ligne"
NO, YES = 2, 1
STORED = "() => { try { return localStorage.length } catch (error) { return error.name } }"


@pytest.fixture(params=[YES, NO], ids=["script", "no-script"])
def window(chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A window whose browser itself refuses: what a page asks of its storage is an exception there."""
    refused = {"cookies": NO, "popups": NO, "javascript": request.param}
    (tmp_path / "Default").mkdir()
    settings = {"profile": {"default_content_setting_values": refused}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(settings), encoding="utf-8")
    with chromium.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=program("chromium"),
        headless=True,
        args=list(FLAGS),
        viewport=PHONE,
        accept_downloads=False,
    ) as context:
        context.set_default_timeout(PATIENCE_MS)
        yield context


def test_every_journey_goes_in_a_captive_window(portal: Portal, window: BrowserContext) -> None:
    guest = new_guest(portal, window, "fr")
    wrong = watched(guest.page)
    guest.goto("/hotspots")
    assert guest.page.evaluate(STORED) == "SecurityError"
    free_with_a_renewal(guest)
    with_a_card(guest)
    with_a_pass(guest)
    assert wrong == []
    assert window.cookies() == []
    assert len([page for page in window.pages if page.url != "about:blank"]) == 1


def watched(page: Page) -> list[str]:
    """What such a window would not do, or a script of ours failed at, as it happens."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("popup", lambda other: wrong.append(f"another window: {other.url}"))
    page.on("download", lambda file: wrong.append(f"a file: {file.url}"))
    page.on("dialog", lambda asked: (wrong.append(f"a dialogue: {asked.message}"), asked.dismiss()))
    return wrong


def is_at(guest: Guest, heading: str) -> None:
    expect(guest.page.locator("main h1:visible")).to_have_text(heading)
    assert leads_out_of_the_window(guest.page) == []


def leads_out_of_the_window(page: Page) -> list[str]:
    """Links and forms that need another window or a place for a file, on what there is to do."""
    found: list[str] = page.eval_on_selector_all(
        "main [target], main [download], main form[enctype*=multipart]",
        "found => found.map(one => one.outerHTML.slice(0, 120))",
    )
    return found


def free_with_a_renewal(guest: Guest) -> None:
    guest.land(FREE)
    assert leads_out_of_the_window(guest.page) == []
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    is_at(guest, ONLINE)
    guest.portal.clock.advance(minutes=26)
    guest.follow(guest.page.locator('main a[href^="/status"]'))
    until = guest.page.locator(".left h2").inner_text()
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    is_at(guest, ONLINE)
    assert guest.page.locator(".left").inner_text() != until
    leave(guest)
    # And on again, from the page that says so.
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    is_at(guest, ONLINE)
    leave(guest)


def with_a_card(guest: Guest) -> None:
    guest.mac = guest.portal.new_mac()
    guest.sign_in(pin="not-the-right-one")
    expect(guest.page.get_by_role("alert")).to_be_visible()
    guest.sign_in()
    is_at(guest, ONLINE)
    leave(guest)


def with_a_pass(guest: Guest) -> None:
    guest.mac = guest.portal.new_mac()
    guest.land(LIBRARY)
    guest.page.fill("#code", issue(guest.portal.services).codes[0])
    guest.press("/pass")
    is_at(guest, ONLINE)
    leave(guest)


def leave(guest: Guest) -> None:
    guest.follow(guest.page.locator('form[action^="/leave"] button').last)
    is_at(guest, OFFLINE)
