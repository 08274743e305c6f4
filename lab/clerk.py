"""Somebody of the staff in a browser, who signs in with both factors; a clerk at the desk hands out passes."""

from __future__ import annotations

import re
from html import unescape

from auth.staff.roles import Role
from lab import staff
from lab.guest import Page
from lab.hotspot import PORTAL_URL, Hotspot, now

DESK = "/staff/desk"
_ALOUD = re.compile(r'<p class="aloud">([^<]+)</p>')


class NoPass(Exception):
    """The desk showed no code."""


class Colleague:
    """The demo town's account of a role (see `lab.staff`), at work on the page at `door`."""

    role: Role
    door: str

    def __init__(self, place: Hotspot) -> None:
        self._place = place
        self.browser = place.office()

    def open_door(self) -> Page:
        """What the page's address leads to: the page, or the sign-in."""
        return self.browser.get(PORTAL_URL + self.door)

    def give_password(self, page: Page) -> Page:
        return self.browser.submit(page, "/staff/signin", login=self.role.value, password=staff.PASSWORD)

    def give_digits(self, page: Page) -> Page:
        """The second factor, as the colleague's authenticator shows it now."""
        digits = staff.codes(self._place.services, at=now())[self.role.value]
        return self.browser.submit(page, "/staff/signin/code", code=digits)


class Clerk(Colleague):
    """At the desk of a library."""

    role, door = Role.DESK, DESK

    def issue(self, page: Page, *, plan: str, site: str) -> str:
        """One pass from the desk's page; its code as the screen shows it. Raises `NoPass`."""
        issued = self.browser.submit(page, DESK, plan=plan, desk=site)
        shown = _ALOUD.search(issued.text)
        if shown is None:
            raise NoPass(f"the desk answered {issued.status} and showed no code")
        return unescape(shown[1])
