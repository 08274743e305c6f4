"""Finding while somebody types: half a name, without accents; nothing is written, and old answers come too late."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Route, expect

from auth.staff.roles import Role
from portal.services import Services
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window
from tests.portal.staff.conftest import Clerk as Typist
from tests.portal.staff.issuing import deeds, issue, only_batch
from tests.portal.staff.test_journey import portal
from tests.portal.staff.window import DESKTOP, Clerk

__all__ = ["portal"]


def test_half_a_word_without_accents_finds_a_batch_and_a_number_its_pass(
    clerk: Typist, services: Services
) -> None:
    issue(clerk, "2", event="Fête du Livre")
    before, batch = deeds(services), only_batch(services).id
    clerk.get("/staff/batches")
    form = clerk.form("/staff/desk/find")
    for words in ("fete", "LIV", "ete livre"):
        assert "1 batch matches." in clerk.post("/staff/batches/typed", **form, wanted=words).text
    assert "0 batches match." in clerk.post("/staff/batches/typed", **form, wanted="musique").text
    assert f"Pass no. {batch}-2" in clerk.post("/staff/batches/typed", **form, wanted=f"{batch}-2").text
    assert "Fête du Livre" in clerk.post("/staff/search/typed", **form, words="fet").text
    assert deeds(services) == before


def test_typing_looks_not_into_the_log(net: Typist, services: Services, known: dict[str, object]) -> None:
    """Every look into it is on record: one for each letter would bury the others."""
    net.get("/staff/search")
    form = net.form("/staff/search")
    before = deeds(services)
    assert "found" not in net.post("/staff/search/typed", **form, words="02:00:00:00:0a:01").text
    assert deeds(services) == before
    net.post("/staff/search", **form, words="02:00:00:00:0a:01")
    assert deeds(services) != before


@pytest.mark.browser
def test_a_list_follows_the_typing_and_an_old_answer_comes_too_late(
    portal: Portal, chromium: Browser
) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="typing")
        clerk.hire(Role.DESK)
        clerk.sign_in()
        clerk.issue(event="Fête du livre")
        clerk.issue(event="Nuit des musées")
        clerk.goto("/staff/batches")
        page, kept = clerk.page, list[Route]()

        def hold(route: Route) -> None:
            """The first question is answered after the second."""
            if "fete" in (route.request.post_data or ""):
                kept.append(route)
            else:
                route.continue_()

        page.route("**/staff/batches/typed*", hold)
        place, length = page.url, page.evaluate("history.length")
        with page.expect_request("**/staff/batches/typed*"):
            page.fill("#wanted", "fete")
        page.fill("#wanted", "musees")
        expect(page.locator("#told")).to_have_text("1 lot correspond.")
        expect(page.locator("#found")).to_contain_text("Nuit des musées")
        for route in kept:
            route.continue_()
        expect(page.locator("#found")).not_to_contain_text("Fête du livre")
        expect(page.locator("#wanted")).to_be_focused()
        assert (page.url, page.evaluate("history.length")) == (place, length)
        assert broken_in_both_themes(page) == []
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        clerk.enter("#wanted")
        assert "words=musees" in page.url


@pytest.mark.browser
def test_enter_finds_as_ever_without_script(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="plain")
        clerk.hire(Role.DESK)
        clerk.sign_in()
        clerk.issue(event="Salon du jeu")
        clerk.goto("/staff/batches")
        clerk.page.fill("#wanted", "salon")
        clerk.enter("#wanted")
        expect(clerk.page.locator("#found")).to_contain_text("Salon du jeu")
