"""A clerk in front of a browser window, at the portal as it runs."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page, ViewportSize

from auth.staff import accounts, lookup, own_account
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from auth.staff.totp import STEP_SECONDS, totp
from tests.actors import TESTER
from tests.portal.pages.scene import Portal
from tests.portal.staff.conftest import PASSWORD, password_hash
from tests.portal.staff.issuing import CODE

DESKTOP = ViewportSize(width=1280, height=800)


@dataclass
class Clerk:
    """Somebody at a desk's computer, in a browser that runs no script."""

    portal: Portal
    page: Page
    lang: str
    login: str = "cem"
    home_site: str = "etude-et-conservation"

    def goto(self, path: str) -> None:
        mark = "&" if "?" in path else "?"
        self.page.goto(f"{self.portal.url}{path}{mark}lang={self.lang}")

    def hire(self, *roles: Role, sites: tuple[str, ...] = ()) -> None:
        services = self.portal.services
        with services.make_session.begin() as db:
            if lookup.find(db, self.login) is not None:
                return
            invitation = accounts.invite(
                db,
                login=self.login,
                name="Camille Martin",
                authority=Authority(frozenset(roles), ALL_NETWORKS, frozenset(sites)),
                actor=TESTER,
                now=services.clock(),
                home_site=self.home_site,
            )
            token, hashed = invitation.token, password_hash()
            own_account.set_up(db, token, password_hash=hashed, totp_step=0, now=services.clock())

    def code(self) -> str:
        services = self.portal.services
        with services.make_session() as db:
            person = lookup.find(db, self.login)
            assert person is not None
            secret = services.staff.totp_secret(person.totp_seed)
        return totp(secret, int(self.portal.clock().timestamp()) // STEP_SECONDS)

    def give_password(self, password: str = PASSWORD) -> None:
        self.goto("/staff/signin")
        self.page.fill("#login", self.login)
        self.page.fill("#password", password)
        self.enter("#password")

    def enter(self, field: str) -> None:
        """Send the form of this field as a keyboard does, and wait for what comes."""
        with self.page.expect_navigation():
            self.page.press(field, "Enter")

    def preview(self) -> None:
        """See what would be printed."""
        with self.page.expect_navigation():
            self.page.click('button[formaction*="/desk/preview"]')

    def issue(self, count: str = "", **fields: str) -> list[str]:
        """Issue passes; their codes, as the page shows them."""
        self.goto("/staff/desk")
        self.page.fill("#count", count)
        if fields:
            self.page.click(".desk summary")
        for name, text in fields.items():
            self.page.fill(f"#{name}", text)
        self.enter("#count")
        return list(dict.fromkeys(CODE.findall(self.page.content())))

    def sign_in(self) -> None:
        self.portal.clock.advance(seconds=STEP_SECONDS)
        self.give_password()
        self.page.fill("#code", self.code())
        self.enter("#code")
