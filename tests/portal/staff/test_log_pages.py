"""The log in Chromium: accessible, fitting, without a script; and from a complaint to its reason with the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Request, expect
from sqlalchemy import select, update

from auth.staff.roles import Role
from sessions.log.denials import show_code
from sessions.models import AccessSession, Decision, Lease
from sites.models import Feed
from tests.portal.pages.scene import Guest, Portal, new_guest, open_window, running_portal
from tests.portal.staff.test_pages import DESKTOP, Clerk, look

pytestmark = pytest.mark.browser
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"
WHY = "the guest asked at the desk"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("log-pages")) as portal:
        an_afternoon(portal, chromium)
        yield portal


def an_afternoon(portal: Portal, browser: Browser) -> None:
    """Some phones come and go: one renews, one is refused in the library, one waits for a silent gateway."""
    with open_window(browser, user_agent=IPHONE) as window:
        reader = new_guest(portal, window, "fr")
        for _ in range(2):
            reader.sign_in(pin="not-the-right-one")
            portal.clock.advance(minutes=2)
        reader.sign_in()
    for _ in range(3):
        with open_window(browser) as window:
            passer_by = new_guest(portal, window, "fr")
            passer_by.go_online()
            portal.clock.advance(minutes=4)
    with open_window(browser) as window:
        renews(new_guest(portal, window, "fr"))
    with open_window(browser, user_agent=IPHONE) as window:
        early = new_guest(portal, window, "fr")
        early.land("gw-viotte")
        early.press("/pause")
        expect(early.page.locator("[role=status]")).to_be_visible()


def renews(guest: Guest) -> None:
    guest.go_online()
    guest.portal.clock.advance(minutes=26)
    guest.page.goto(guest.portal.landing_url("gw-viotte", guest.mac, "fr"))
    guest.portal.clock.advance(seconds=6)
    guest.press("/pause")
    expect(guest.page.locator("h1")).to_be_visible()


def newest(clerk: Clerk, column: object, path: str) -> None:
    with clerk.portal.services.make_session() as db:
        found = db.scalars(select(column).order_by(column.desc())).first()  # type: ignore[attr-defined,call-overload]
    clerk.goto(path.format(found))


def incident(clerk: Clerk) -> None:
    with clerk.portal.services.make_session() as db:
        code = db.scalars(select(Decision.code).where(Decision.rule == "wrong_credentials")).first()
    assert code is not None
    clerk.goto(f"/staff/incidents/{show_code(code)}")


def unmasked(clerk: Clerk) -> None:
    newest(clerk, AccessSession.id, "/staff/sessions/{}")
    clerk.page.locator("details.masks summary").click()
    clerk.page.fill("#reason-devices", WHY)
    clerk.enter("#reason-devices")


def ended(clerk: Clerk) -> None:
    newest(clerk, AccessSession.id, "/staff/sessions/{}/end")
    with clerk.page.expect_navigation():
        clerk.page.locator('form[action*="/end"] button').click()


def refused(clerk: Clerk) -> None:
    """The session that has just been ended, as its gateway were one that answers client by client and says no."""
    with clerk.portal.services.make_session.begin() as db:
        access = db.scalars(select(AccessSession).order_by(AccessSession.id.desc())).first()
        assert access is not None
        db.execute(
            update(Lease).where(Lease.access_id == access.id).values(release_refused="unsupported service")
        )
        db.execute(update(Feed).where(Feed.gateway_id == access.gateway_id).values(confirmed_version=0))
    newest(clerk, AccessSession.id, "/staff/sessions/{}")


def ticked(clerk: Clerk) -> None:
    """Two of those who are online, by the box of each; the page after that asks."""
    clerk.goto("/staff/sessions?state=open&show=sessions")
    button, boxes = clerk.page.locator("form.ticks button"), clerk.page.locator('input[name="session"]')
    boxes.nth(0).check()
    boxes.nth(1).check()
    if clerk.page.locator("#tick-all").is_visible():
        expect(button).to_have_text(re.compile(r"\b2\b"))
    with clerk.page.expect_navigation():
        button.click()
    expect(clerk.page.locator(".go")).to_have_text(re.compile(r"\b2\b"))


WALK: dict[str, Callable[[Clerk], None]] = {
    "log-search": lambda clerk: clerk.goto("/staff/sessions"),
    "log-list": lambda clerk: clerk.goto("/staff/sessions?last=today"),
    "log-online": lambda clerk: clerk.goto("/staff/sessions?state=open&show=sessions"),
    "log-nothing": lambda clerk: clerk.goto("/staff/sessions?site=battant&reason=device_limit"),
    "log-bad-word": lambda clerk: clerk.goto("/staff/sessions?about=noonish"),
    "log-session": lambda clerk: newest(clerk, AccessSession.id, "/staff/sessions/{}"),
    "log-unmasked": unmasked,
    "log-incident": incident,
    "log-end": lambda clerk: newest(clerk, AccessSession.id, "/staff/sessions/{}/end"),
    "log-ticked": ticked,
    "log-ended": ended,
    "log-end-refused": refused,
    "log-export": lambda clerk: clerk.goto("/staff/sessions/export?last=today"),
}


@pytest.mark.parametrize("lang", ["fr", pytest.param("en", marks=pytest.mark.release)])
def test_every_page_of_the_log_is_open_to_all(portal: Portal, chromium: Browser, lang: str) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), lang, login=f"noor.{lang}")
        clerk.hire(Role.NETWORK)
        asked: list[Request] = []
        clerk.page.on("request", lambda request: asked.append(request))
        clerk.sign_in()
        for name, go in WALK.items():
            go(clerk)
            look(clerk, f"{name}-{lang}")
        assert {request.resource_type for request in asked} == {"document", "script"}
        whole = re.compile(r"([0-9a-f]{2}(:|%3A)){5}[0-9a-f]{2}|\d+\.\d+\.\d+\.\d+", re.IGNORECASE)
        assert [one.url for one in asked if whole.search(one.url.removeprefix(portal.url))] == []


def test_from_a_complaint_to_its_reason_with_the_keyboard(portal: Portal, chromium: Browser) -> None:
    """ "Pierre-Bayle, about two o'clock, an iPhone": no script, no mouse, three pages."""
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="noor")
        clerk.hire(Role.NETWORK)
        clerk.sign_in()
        with clerk.portal.services.make_session() as db:
            refused = db.scalars(select(Decision).where(Decision.rule == "wrong_credentials")).first()
        assert refused is not None
        clerk.goto("/staff/sessions")
        clerk.page.select_option("#site", "pierre-bayle")
        clerk.page.fill("#about", f"{refused.at:%Y-%m-%dT%H:%MZ}")
        clerk.enter("#about")
        row = clerk.page.locator("tr.refusal", has_text="iPhone").first
        expect(row).to_contain_text("Numéro de carte ou mot de passe inexact")
        row.locator("a").focus()
        with clerk.page.expect_navigation():
            clerk.page.keyboard.press("Enter")
        expect(clerk.page.locator("main")).to_contain_text("Demandez le numéro imprimé sur la carte")
        expect(clerk.page.locator("h1")).to_have_text("Numéro de carte ou mot de passe inexact")


def test_the_code_on_the_guest_s_page_leads_to_the_same_place(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium) as phone, open_window(chromium, viewport=DESKTOP) as desk:
        guest = new_guest(portal, phone, "fr")
        guest.sign_in(pin="not-the-right-one")
        answer = guest.page.get_by_text(re.compile(r"Incident [2-9A-Z]{3}-[2-9A-Z]{3}"))
        expect(answer).to_be_visible()
        code = answer.inner_text()[: len("Incident K7Q-4MX")]
        clerk = Clerk(portal, desk.new_page(), "fr", login="noor.two")
        clerk.hire(Role.NETWORK)
        clerk.sign_in()
        clerk.goto("/staff/sessions")
        clerk.page.fill("#wanted", code.lower())
        clerk.enter("#wanted")
        expect(clerk.page.locator(".lead").first).to_contain_text(code)
