"""The frame of staff's pages: a menu in groups, a search over everything, help, and keys for whoever likes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from ads.models import Campaign
from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from portal.services import Services
from portal.staff import menu
from tests.ads.campaigns import make_draft
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.conftest import Clerk as Someone
from tests.portal.staff.conftest import Desk
from tests.portal.staff.window import DESKTOP, Clerk
from tests.portal.staff.world import World
from tests.town import BO_PHONE, Town


def current(page: str) -> list[str]:
    return re.findall(r'<a href="([^"?]*)[^"]*" aria-current=\w+>', page)


def test_a_long_menu_is_two_rows_with_one_entry_marked_in_each(desk: Desk, world: World) -> None:
    admin = desk.at_work("ada", Role.ADMIN)
    assert current(admin.get("/staff/batches").text) == ["/staff/desk", "/staff/batches"]
    assert current(admin.get(f"/staff/passes/{world.mine.voucher_id}").text)[1:] == ["/staff/batches"]
    assert current(admin.get("/staff/overview").text) == ["/staff/overview"]
    assert current(admin.get("/staff/account").text) == ["/staff/account"]
    within = admin.get("/staff/calendar").text
    assert current(within)[-1] == "/staff/calendar" and "/staff/payers" in within


def test_a_short_menu_is_one_row(clerk: Someone) -> None:
    page = clerk.get("/staff/desk").text
    assert (
        current(page) == ["/staff/desk"]
        and 'href="/staff/batches"' in page
        and '<ul class="within"' not in page
    )


def test_the_door_to_holds_is_that_of_the_law_in_french(desk: Desk, world: World) -> None:
    """What a gateway holds is a column of another page, and another word."""
    page = desk.at_work("lou", Role.PRIVACY).get("/staff/help?lang=fr").text
    assert re.findall(r'href="/staff/holds[^"]*"[^>]*>([^<]*)<', page)[0] == "Gels ordonnés"


def test_each_door_leads_somewhere_and_each_key_to_one(desk: Desk, world: World) -> None:
    keys = [door.key for group in every_group(desk) for door in group.doors if door.key]
    assert sorted(set(keys)) == sorted(keys)
    # "/" and "?" are keys of their own.
    assert all(key.isalpha() and key.islower() for key in keys)
    for role in Role:
        someone = desk.at_work(f"some.{role.value}", role)
        page = someone.get("/staff/help").text
        for url in re.findall(r'<dd><a class="tap" href="([^"]*)"', page):
            assert someone.get(url).status_code in (200, 303), (role, url)


def every_group(desk: Desk) -> tuple[menu.Group, ...]:
    with desk.app.test_request_context("/staff/"):
        return menu._every()


def found(clerk: Someone, words: str) -> list[tuple[str, str]]:
    """What the search leads to: the one page, or the titles and addresses of a list."""
    clerk.get("/staff/help")
    clerk.press("/staff/search", words=words)
    if clerk.page.status_code == 303:
        if not (clerk.page.location or "").startswith("/staff/search"):
            return [("", clerk.page.location or "")]
        clerk.follow()
    return re.findall(r'<li><a class="tap" href="([^"]*)">([^<]*)</a>', clerk.page.text)


def test_search_leads_to_the_one_thing_that_was_meant(
    services: Services, desk: Desk, world: World, known: dict[str, Any], net: Someone
) -> None:
    clerk = desk.at_work("cem", Role.DESK, networks=("bibliotheques",))
    mine = world.mine
    pass_page = f"/staff/passes/{mine.voucher_id}"
    assert found(clerk, f"{mine.batch_id}-1") == [("", pass_page)]
    assert found(net, known["code"].lower()) == [("", f"/staff/incidents/{known['code']}")]
    assert found(net, BO_PHONE)[0][1].startswith("/staff/sessions?like=")
    with services.make_session() as db:
        entries = db.scalars(select(AuditEntry.action).where(AuditEntry.actor == "noor")).all()
    assert entries.count("log searched") == 2


def test_half_a_name_without_accents_is_enough(
    services: Services, desk: Desk, world: World, town: Town
) -> None:
    with services.make_session.begin() as db:
        make_draft(db, "fete")
        db.scalars(select(Campaign).where(Campaign.slug == "fete")).one().name = "Fête des Lumières"
    admin = desk.at_work("ada", Role.ADMIN)
    titles = [title for _, title in found(admin, "lumie fete")]
    assert len(titles) <= 1
    assert found(admin, "LUMIERES fete") == [("", "/staff/campaigns/fete")]
    assert found(admin, "gw-bay") == [("", "/staff/gateways/gw-bayle")]
    assert found(admin, "republique batt")[0] == ("/staff/records/sites/battant", "Battant")
    several = found(admin, "gw")
    assert len(several) > 2 and ("/staff/gateways/gw-viotte", "gw-viotte · Gare Viotte") in several


def test_nobody_finds_what_is_not_theirs(desk: Desk, world: World, known: dict[str, Any]) -> None:
    clerk = desk.at_work("cem", Role.DESK, networks=("bibliotheques",))
    for words in (f"{world.other.batch_id}-1", known["code"], "gw-away", BO_PHONE, "person"):
        assert found(clerk, words) == [], words
    away = desk.at_work("nils", Role.NETWORK, networks=("bibliotheques",))
    assert found(away, "gw-away") == [] and found(away, known["code"]) == []


@pytest.mark.parametrize("words", ["25000001", "K7Q-4MX-2PD", "02:00:00:00:0b:01", "ada@example.org", "12-7"])
def test_what_names_a_person_a_pass_or_a_device_stays_out_of_addresses(clerk: Someone, words: str) -> None:
    clerk.get("/staff/help")
    answer = clerk.press("/staff/search", words=words)
    assert answer.status_code == 200 and words in answer.text
    assert clerk.get(f"/staff/search?words={words}").location == "/staff/search"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("frame")) as portal:
        yield portal


@pytest.mark.browser
def test_keys_lead_where_links_lead_unless_one_types_or_wants_none(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), "en", login="kim")
        clerk.hire(Role.ADMIN)
        clerk.sign_in()
        page, at = clerk.page, portal.url

        def press(*keys: str) -> None:
            for key in keys:
                page.keyboard.press(key)

        clerk.goto("/staff/account")
        press("g", "g")
        page.wait_for_url(f"{at}/staff/gateways?*")
        press("?")
        page.wait_for_url(f"{at}/staff/help?*")
        press("/")
        expect(page.locator("#search")).to_be_focused()
        # What is typed is text.
        press("g", "b", "?")
        expect(page.locator("#search")).to_have_value("gb?")
        page.locator("#search").fill("gate")
        press("Enter")
        page.wait_for_url(f"{at}/staff/gateways?*")
        clerk.goto("/staff/help")
        page.click("#keys")
        expect(page.locator("#keys")).to_contain_text("on")
        press("Escape", "g", "b", "/")
        expect(page.locator("#search")).not_to_be_focused()
        page.click("#keys")
        page.locator("h1").click()
        press("g", "b")
        page.wait_for_url(f"{at}/staff/batches?*")


@pytest.mark.browser
def test_a_narrow_window_folds_the_menu_and_opens_it_without_script(
    portal: Portal, chromium: Browser
) -> None:
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="lea")
        clerk.hire(Role.ADMIN)
        clerk.sign_in()
        page = clerk.page
        clerk.goto("/staff/batches")
        entries = page.locator("nav.menu .groups")
        expect(entries).to_be_visible()
        expect(page.locator(".to-menu")).to_be_hidden()
        page.set_viewport_size({"width": 390, "height": 844})
        expect(entries).to_be_hidden()
        # The doors of the group that one is in stay.
        expect(page.locator("nav.menu .within")).to_be_visible()
        page.locator(".to-menu").click()
        expect(entries).to_be_visible()
        page.locator("nav.menu .groups a", has_text="Chiffres").click()
        expect(page.locator("nav.menu .groups")).to_be_hidden()
        cookies = window.cookies()
    # axe is a script itself.
    with open_window(chromium, viewport={"width": 390, "height": 844}) as window:
        window.add_cookies(cookies)  # type: ignore[arg-type]
        page = window.new_page()
        page.goto(f"{portal.url}/staff/batches?lang=fr#menu")
        expect(page.locator("nav.menu .groups")).to_be_visible()
        assert broken_in_both_themes(page) == []
