"""A clerk at the desk of a library, in a browser: signs in with both factors, and hands out passes."""

from __future__ import annotations

import re
from html import unescape

from auth.staff.roles import Role
from lab import staff
from lab.guest import Page
from lab.hotspot import PORTAL_URL, Hotspot, now

LOGIN = Role.DESK.value
DESK = "/staff/desk"
_ALOUD = re.compile(r'<p class="aloud">([^<]+)</p>')


class NoPass(Exception):
    """The desk showed no code."""


class Clerk:
    """The demo town's desk account (see `lab.staff`), at work."""

    def __init__(self, place: Hotspot) -> None:
        self._place = place
        self._browser = place.office()

    def open_desk(self) -> Page:
        """What the desk's address leads to: the desk, or the sign-in."""
        return self._browser.get(PORTAL_URL + DESK)

    def give_password(self, page: Page) -> Page:
        return self._browser.submit(page, "/staff/signin", login=LOGIN, password=staff.PASSWORD)

    def give_digits(self, page: Page) -> Page:
        """The second factor, as the clerk's authenticator shows it now."""
        digits = staff.codes(self._place.services, at=now())[LOGIN]
        return self._browser.submit(page, "/staff/signin/code", code=digits)

    def issue(self, page: Page, *, plan: str, site: str) -> str:
        """One pass from the desk's page; its code as the screen shows it. Raises `NoPass`."""
        issued = self._browser.submit(page, DESK, plan=plan, desk=site)
        shown = _ALOUD.search(issued.text)
        if shown is None:
            raise NoPass(f"the desk answered {issued.status} and showed no code")
        return unescape(shown[1])
