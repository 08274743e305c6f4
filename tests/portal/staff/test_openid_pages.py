"""Signing in at the provider in Chromium, script off: from another site, with a strict cookie; the page of groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from auth.staff.roles import Role
from config import OpenIdSettings
from tests.clock import MovingClock
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.window import DESKTOP, Clerk
from tests.services.openid_provider import OpenIdProvider, Person, running_provider

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with running_provider(MovingClock()) as provider:
        provider.people["ada"] = Person("248289", "ada.martin", "Ada Martin", ["wifi-desk"])
        provider.at_browser = "ada"
        yield provider


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, provider: OpenIdProvider) -> Iterator[Portal]:
    folder, settings = tmp_path_factory.mktemp("openid"), provider.settings()
    assert isinstance(settings, OpenIdSettings)
    with running_portal(folder, host="localhost", openid=replace(settings, timeout_seconds=10.0)) as portal:
        provider.clock = portal.clock
        yield portal


def test_a_group_is_given_its_roles_and_its_people_come_in(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        boss = Clerk(portal, window.new_page(), "fr", login="dana")
        boss.hire(Role.ADMIN)
        boss.goto("/staff/signin")
        assert broken_in_both_themes(boss.page) == []
        narrow(boss)
        boss.sign_in()
        boss.goto("/staff/groups")
        assert broken_in_both_themes(boss.page) == []
        boss.page.fill("#group", "wifi-desk")
        boss.page.check("input[name=roles][value=desk]")
        boss.page.check("input[name=reach][value=all]")
        boss.enter("#group")
        assert broken_in_both_themes(boss.page) == []
        with boss.page.expect_navigation():
            boss.page.click("section.notice .go")
        expect(boss.page.locator("main")).to_contain_text("wifi-desk")
        narrow(boss)
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        ada = Clerk(portal, window.new_page(), "fr", login="ada.martin")
        ada.goto("/staff/desk")
        ada.page.click("a[href*='/staff/signin/openid']")
        # By the provider, which is another site, and by a page of ours that asks for the next one itself.
        ada.page.wait_for_url("**/staff/desk*")
        expect(ada.page.locator("a[href*='/staff/account']").first).to_be_attached()
        ada.goto("/staff/account")
        expect(ada.page.locator("main")).to_contain_text("ada.martin")
        # What takes the person's word once more goes by the provider, too.
        portal.clock.advance(minutes=11)
        ada.goto("/staff/confirm")
        with ada.page.expect_navigation(url=is_past):
            ada.page.click("a[href*='again=1']")
        assert ada.page.url.startswith(f"{portal.url}/staff/")


def is_past(url: str) -> bool:
    """Whether a page is none of those that a sign-in goes by."""
    return not any(part in url for part in ("/signin", "/confirm", "/authorize"))


def narrow(clerk: Clerk) -> None:
    clerk.page.set_viewport_size({"width": 320, "height": 700})
    assert clerk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    clerk.page.set_viewport_size(DESKTOP)
