"""An impatient finger on each form of guests, in a browser: double click, Enter twice, load again, back and forward,
two tabs, another language, a page left open. What was done is read back from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import func, select

from ads.models import Impression
from sessions.models import AccessSession, Lease
from tests.portal.pages.scene import (
    CARD,
    FREE,
    LIBRARY,
    PIN,
    Guest,
    Portal,
    new_guest,
    open_window,
    pass_in_use,
    pause_renewal,
    running_portal,
    status_library,
)
from tests.portal.visitors import issue

pytestmark = pytest.mark.browser
ONLINE, OFFLINE = "Vous êtes en ligne", "Vous n’êtes pas en ligne"
LONG_OPEN = "Cette page est restée ouverte trop longtemps."
# Longer than a browser's cookie and a page's token are good; the same hour of the same day of the week.
A_WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One of its own: the clock of the others does not move by weeks."""
    with running_portal(tmp_path_factory.mktemp("repeats")) as portal:
        yield portal


@pytest.fixture
def guest(portal: Portal, chromium: Browser) -> Iterator[Guest]:
    with open_window(chromium, java_script_enabled=False) as window:
        yield new_guest(portal, window, "fr")


@dataclass(frozen=True)
class Done:
    """What there is of sessions, those that are open among them, leases and accepted messages."""

    sessions: int = 0
    open: int = 0
    leases: int = 0
    accepted: int = 0

    def __sub__(self, before: Done) -> Done:
        return Done(
            self.sessions - before.sessions,
            self.open - before.open,
            self.leases - before.leases,
            self.accepted - before.accepted,
        )


def done(portal: Portal) -> Done:
    with portal.services.make_session() as db:
        rows = db.scalars(select(AccessSession)).all()
        return Done(
            len(rows),
            sum(row.ended_at is None for row in rows),
            db.scalar(select(func.count(Lease.id))) or 0,
            db.scalar(select(func.count(Impression.id))) or 0,
        )


@dataclass(frozen=True)
class Form:
    """A form: the page that shows it, what is typed, its button, the page after it, and what one press does."""

    show: Callable[[Guest], object]
    button: str
    once: Done
    heading: str = ONLINE
    typed: tuple[tuple[str, str], ...] = ()
    # How many devices the page after it lists, where its heading is that of the page before.
    devices: int | None = None

    def fill(self, guest: Guest, page: Page) -> Locator:
        for field, text in self.typed:
            page.fill(field, text if text != "a pass" else issue(guest.portal.services).codes[0])
        return page.locator(self.button).last

    def await_end(self, page: Page) -> None:
        expect(page.locator("h1")).to_have_text(self.heading)
        if self.devices is not None:
            expect(page.locator(".rows > li")).to_have_count(self.devices)


def message(guest: Guest) -> None:
    guest.land(FREE)
    guest.portal.clock.advance(seconds=6)


def renewal(guest: Guest) -> None:
    pause_renewal(guest)
    guest.portal.clock.advance(seconds=6)


def one_device(guest: Guest) -> None:
    guest.sign_in()
    expect(guest.page.locator("h1")).to_have_text(ONLINE)


def two_devices(guest: Guest) -> None:
    status_library(guest)
    expect(guest.page.locator(".rows > li")).to_have_count(2)


def new_address(guest: Guest) -> None:
    guest.go_online()
    guest.mac = guest.portal.new_mac()
    guest.land(FREE)


FORMS = {
    "card": Form(
        lambda guest: guest.land(LIBRARY),
        'form[action^="/signin"] button',
        Done(1, 1, 1),
        typed=(("#login", CARD), ("#secret", PIN)),
    ),
    "pass": Form(
        lambda guest: guest.land(LIBRARY),
        'form[action^="/pass"] button',
        Done(1, 1, 1),
        typed=(("#code", "a pass"),),
    ),
    "pass to this device": Form(pass_in_use, 'form[action^="/pass"] button', Done(1, 0, 1)),
    "message": Form(message, 'form[action^="/pause"] button:not([formaction])', Done(1, 1, 1, 1)),
    "renewal": Form(renewal, 'form[action^="/pause"] button:not([formaction])', Done(0, 0, 1, 1)),
    "carry on": Form(new_address, 'form[action^="/resume"] button', Done(1, 0, 1)),
    "leave": Form(one_device, 'form[action^="/leave"] button', Done(0, -1), OFFLINE),
    "release": Form(two_devices, ".rows button", Done(0, -1), devices=1),
}


# What the server makes of every form sent again is in tests/portal/test_guest_repeats.py. Here is what the browser
# sends: a double click on every button, and the other gestures on a form with fields, one with none, and one in a list.
def of_each_sort(names: Iterable[str]) -> list[Any]:
    """Forms to try, those of a sort that is tried already before a release alone."""
    tried = ("card", "message", "release")
    return [name if name in tried else pytest.param(name, marks=pytest.mark.release) for name in names]


each_sort = pytest.mark.parametrize("form", of_each_sort(FORMS), indirect=True)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return FORMS[request.param]


@pytest.fixture
def before(guest: Guest, form: Form) -> Done:
    """What there was when the page with the form was there."""
    # A card has a number of devices, and the oldest makes way: those of the other tests are gone.
    with guest.portal.services.make_session.begin() as db:
        for row in db.scalars(select(AccessSession).where(AccessSession.ended_at.is_(None))):
            row.ended_at = guest.portal.clock()
    form.show(guest)
    return done(guest.portal)


def test_a_double_click(guest: Guest, form: Form, before: Done) -> None:
    form.fill(guest, guest.page).dblclick()
    form.await_end(guest.page)
    assert done(guest.portal) - before == form.once


@each_sort
def test_enter_twice(guest: Guest, form: Form, before: Done) -> None:
    button = form.fill(guest, guest.page)
    (guest.page.locator(form.typed[-1][0]) if form.typed else button).focus()
    guest.page.keyboard.press("Enter")
    guest.page.keyboard.press("Enter")
    form.await_end(guest.page)
    assert done(guest.portal) - before == form.once


@each_sort
def test_load_again_back_and_forward(guest: Guest, form: Form, before: Done) -> None:
    form.fill(guest, guest.page).click()
    form.await_end(guest.page)
    guest.page.reload()
    form.await_end(guest.page)
    guest.page.go_back()
    expect(guest.page.locator("main h1")).to_be_visible()
    guest.page.go_forward()
    form.await_end(guest.page)
    assert done(guest.portal) - before == form.once


# Another tab of the answer to a form shows the form before it.
@pytest.mark.parametrize(
    "form", of_each_sort(name for name in FORMS if name != "pass to this device"), indirect=True
)
def test_two_tabs(guest: Guest, form: Form, before: Done) -> None:
    """The same page in another tab, and the button pressed in both."""
    other = guest.page.context.new_page()
    other.goto(guest.page.url)
    guest.portal.clock.advance(seconds=6)
    form.fill(guest, guest.page)
    for field, _ in form.typed:
        other.fill(field, guest.page.input_value(field))
    for page in (guest.page, other):
        page.locator(form.button).last.click()
        form.await_end(page)
    assert done(guest.portal) - before == form.once


@each_sort
def test_another_language_first(guest: Guest, form: Form, before: Done) -> None:
    guest.follow(guest.page.locator('.languages [lang="en"]'))
    expect(guest.page.locator("html")).to_have_attribute("lang", "en")
    expect(guest.page.locator(form.button).last).to_be_visible()
    guest.portal.clock.advance(seconds=6)
    form.fill(guest, guest.page).click()
    expect(guest.page.locator("h1")).to_have_text(
        {ONLINE: "You are online", OFFLINE: "You are not online"}[form.heading]
    )
    if form.devices is not None:
        expect(guest.page.locator(".rows > li")).to_have_count(form.devices)
    assert done(guest.portal) - before == form.once


@each_sort
def test_left_open_for_a_week(guest: Guest, form: Form, before: Done) -> None:
    """Refused in words, with a button that leads on; nothing was done."""
    guest.portal.clock.advance(days=A_WEEK.days)
    with guest.page.expect_navigation():
        form.fill(guest, guest.page).click()
    expect(guest.page.locator("h1")).to_have_text(LONG_OPEN)
    assert done(guest.portal) - before == Done()
    guest.follow(guest.page.locator("main .go"))
    expect(guest.page.locator("main h1")).to_be_visible()
