"""Passkeys in Chromium with its virtual authenticator, and as an attacker would send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Request, expect
from sqlalchemy import select, update

from auth.audit.log import AuditEntry
from auth.staff import accounts, lookup, passkeys
from auth.staff.models import Passkey
from auth.staff.roles import Role
from tests.actors import TESTER
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.window import DESKTOP, Clerk

pytestmark = pytest.mark.browser
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
ADD, SHOW = "form.passkey[action*='/account/passkey'] button", "form.passkey button"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("passkeys"), host="localhost") as portal:
        yield portal


def with_authenticator(page: Page, **changes: Any) -> tuple[CDPSession, str]:
    """Give the page's browser an authenticator that asks nobody; the session that controls it, and its id."""
    control = page.context.new_cdp_session(page)
    control.send("WebAuthn.enable")
    made = control.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, **changes}})
    return control, made["authenticatorId"]


def add_passkey(clerk: Clerk, name: str = "Téléphone bleu") -> None:
    clerk.goto("/staff/account")
    clerk.page.click("a[href*='/account/passkey']")
    clerk.page.fill("#name", name)
    with clerk.page.expect_navigation(url="**/staff/account*"):
        clerk.page.click(ADD)


def sign_out(clerk: Clerk) -> None:
    clerk.goto("/staff/account")
    with clerk.page.expect_navigation():
        clerk.page.click("form[action*='/staff/signout'] button")


def sign_in(clerk: Clerk) -> None:
    clerk.goto("/staff/signin")
    with clerk.page.expect_navigation():
        clerk.page.click(SHOW)


def deeds(portal: Portal, login: str) -> list[tuple[str, dict[str, Any]]]:
    with portal.services.make_session() as db:
        found = select(AuditEntry.action, AuditEntry.detail).where(AuditEntry.actor == login)
        return [(row.action, row.detail) for row in db.execute(found.order_by(AuditEntry.number))]


def passkey_of(portal: Portal, login: str) -> Passkey:
    with portal.services.make_session() as db:
        person = lookup.find(db, login)
        assert person is not None
        (found,) = passkeys.of(db, person)
        return found


def test_a_passkey_is_added_signs_in_without_a_login_and_is_removed(
    portal: Portal, chromium: Browser
) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="ada.pass")
        clerk.hire(Role.ADMIN)
        control, authenticator = with_authenticator(clerk.page)
        clerk.sign_in()
        clerk.goto("/staff/account/passkey")
        assert broken_in_both_themes(clerk.page) == []
        add_passkey(clerk)
        expect(clerk.page.locator("main")).to_contain_text("Téléphone bleu")
        assert broken_in_both_themes(clerk.page) == []
        (held,) = control.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
        assert held["rpId"] == "localhost" and held["isResidentCredential"]

        # The same device once more: it is known, and makes no second one.
        clerk.goto("/staff/account/passkey")
        clerk.page.click(ADD)
        expect(clerk.page.locator("form.passkey .wrong")).not_to_be_empty()

        sign_out(clerk)
        clerk.goto("/staff/signin")
        assert broken_in_both_themes(clerk.page) == []
        sign_in(clerk)
        assert "/staff/overview" in clerk.page.url
        assert deeds(portal, "ada.pass")[-1] == ("signed in", {"by": "passkey"})
        assert passkey_of(portal, "ada.pass").sign_count > 0

        # Ten minutes later it answers "Is it still you?" as well, and a form that was sent meanwhile goes on.
        portal.clock.advance(minutes=11)
        clerk.goto("/staff/people")
        assert broken_in_both_themes(clerk.page) == []
        with clerk.page.expect_navigation(url="**/staff/people*"):
            clerk.page.click(SHOW)
        clerk.goto("/staff/account")
        portal.clock.advance(minutes=11)
        with clerk.page.expect_navigation():
            clerk.page.click("form[action*='/remove'] button")
        with clerk.page.expect_navigation(url="**/staff/account*"):
            clerk.page.click(SHOW)
        expect(clerk.page.locator("main")).not_to_contain_text("Téléphone bleu")
        assert [deed for deed, _ in deeds(portal, "ada.pass")][-1] == "passkey removed"

        sign_out(clerk)
        sign_in(clerk)
        expect(clerk.page.locator(".refused")).to_be_visible()


def test_what_was_sent_once_and_what_may_be_a_copy_opens_nothing(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), "en", login="bo.pass")
        clerk.hire(Role.DESK)
        with_authenticator(clerk.page)
        clerk.sign_in()
        add_passkey(clerk)
        sign_out(clerk)
        sent: list[str] = []
        clerk.page.on("request", lambda request: sent.append(form_of(request)))
        sign_in(clerk)
        (answer,) = [text for text in sent if "passkey_answer" in text]
        sign_out(clerk)

        # The same words again, as somebody who recorded them would send them.
        again = clerk.page.request.post(
            f"{portal.url}/staff/signin/passkey",
            data=answer,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept-Language": "en"},
            max_redirects=0,
        )
        assert again.status == 400 and "sent twice" in again.text()

        # An authenticator that counts less than it did before is a copy: refused, and on record.
        with portal.services.make_session.begin() as db:
            db.execute(update(Passkey).where(Passkey.name == "Téléphone bleu").values(sign_count=1000))
        sign_in(clerk)
        expect(clerk.page.locator(".refused")).to_contain_text("copy")
        assert deeds(portal, "bo.pass")[-1] == ("passkey copied", {"passkey": "Téléphone bleu"})

        # An account that begins anew has none, and one that is disabled opens by none.
        with portal.services.make_session.begin() as db:
            db.execute(update(Passkey).where(Passkey.name == "Téléphone bleu").values(sign_count=0))
            person = lookup.find(db, "bo.pass")
            assert person is not None
            accounts.disable(db, person, actor=TESTER, now=portal.clock())
        sign_in(clerk)
        expect(clerk.page.locator(".refused")).to_be_visible()
        with portal.services.make_session.begin() as db:
            person = lookup.find(db, "bo.pass")
            assert person is not None
            accounts.reset(db, person, actor=TESTER, now=portal.clock())
            assert passkeys.of(db, person) == []


def form_of(request: Request) -> str:
    return request.post_data or ""


def test_a_passkey_asks_for_finger_or_pin_and_belongs_to_one_host(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), "en", login="cy.pass")
        clerk.hire(Role.DESK)
        control, authenticator = with_authenticator(clerk.page)
        clerk.sign_in()
        add_passkey(clerk)
        sign_out(clerk)
        # A finger that is another's: the browser refuses, and the password is there.
        control.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
        clerk.goto("/staff/signin")
        clerk.page.click(SHOW)
        expect(clerk.page.locator("form.passkey .wrong")).not_to_be_empty()
        expect(clerk.page.locator("#password")).to_be_visible()
        # What a page with another name, or one that asks for no finger, was answered.
        control.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
        for change, status in (("origin", 401), ("verification", 401), ("none", 303)):
            clerk.goto("/staff/signin")
            form = clerk.page.locator("form.passkey")
            options = json.loads(form.get_attribute("data-options") or "")
            if change == "verification":
                options["userVerification"] = "discouraged"
                control.send(
                    "WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False}
                )
            clerk.page.evaluate(
                "([form, options]) => { form.dataset.options = options; HTMLFormElement.prototype.submit = () => {} }",
                [form.element_handle(), json.dumps(options)],
            )
            clerk.page.click(SHOW)
            held = clerk.page.locator("input[name=passkey_answer]")
            expect(held).not_to_have_value("")
            fields = {
                name: clerk.page.locator(f"form.passkey input[name={name}]").input_value()
                for name in ("form", "passkey_challenge", "passkey_answer")
            }
            if change == "origin":
                fields["passkey_answer"] = forged(fields["passkey_answer"])
            answer = clerk.page.request.post(
                f"{portal.url}/staff/signin/passkey", form=fields, max_redirects=0
            )
            assert answer.status == status, change
            control.send(
                "WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True}
            )


def forged(answer: str) -> str:
    """The answer as a page of another host would have had it made."""
    import base64

    shown = json.loads(answer)
    packed = shown["response"]["clientDataJSON"]
    said = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    said["origin"] = "http://localhost.evil.example"
    shown["response"]["clientDataJSON"] = (
        base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    )
    return json.dumps(shown)


def test_without_script_password_and_code_are_the_whole_sign_in(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="di.pass")
        clerk.hire(Role.DESK)
        clerk.goto("/staff/signin")
        expect(clerk.page.locator("form.passkey")).to_be_hidden()
        clerk.sign_in()
        assert "/staff/desk" in clerk.page.url
        clerk.goto("/staff/account/passkey")
        expect(clerk.page.locator(".without")).to_be_visible()
