"""The forms around the desk under an impatient finger, in a browser: signing in, a legal hold, a retention period."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Locator, expect
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.models import StaffSession
from auth.staff.roles import Role
from auth.staff.totp import STEP_SECONDS
from sessions.retention import periods
from sessions.retention.models import LegalHold, RetentionRule
from tests.clock import NOON
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.conftest import PASSWORD
from tests.portal.staff.window import DESKTOP, Clerk

pytestmark = pytest.mark.browser


def seed(db: Session) -> None:
    periods.seed(db, now=NOON)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("impatient"), prepare=seed) as portal:
        yield portal


@pytest.fixture
def officer(portal: Portal, chromium: Browser) -> Iterator[Clerk]:
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="olga")
        clerk.hire(Role.PRIVACY)
        yield clerk


@dataclass(frozen=True)
class Done:
    """How many holds, rows of retention periods, and entries of the audit log about either there are."""

    holds: int = 0
    periods: int = 0
    entries: int = 0

    def __sub__(self, before: Done) -> Done:
        return Done(self.holds - before.holds, self.periods - before.periods, self.entries - before.entries)


def done(portal: Portal) -> Done:
    with portal.services.make_session() as db:
        deeds = db.scalars(select(AuditEntry.action)).all()
        return Done(
            db.scalar(select(func.count(LegalHold.id))) or 0,
            db.scalar(select(func.count(RetentionRule.id))) or 0,
            sum(deed in ("hold placed", "term changed") for deed in deeds),
        )


def hold(clerk: Clerk) -> Locator:
    clerk.goto("/staff/holds")
    clerk.page.fill("#reference", "TJ Besançon 2026/114")
    clerk.page.fill("#reason", "Ordonnance du juge")
    clerk.page.fill("#expires_at", "2027-06-01")
    clerk.page.fill("#mac", "02:00:00:00:0a:01")
    return clerk.page.locator("form:has(#reference) button.go")


def longer_period(clerk: Clerk) -> Locator:
    """One more than it was."""
    clerk.goto("/staff/retention")
    form = clerk.page.locator("details:has(input[name=amount])").last
    form.locator("summary").click()
    amount = form.locator("input[name=amount]")
    amount.fill(str(int(amount.input_value()) + 1))
    form.locator("input[name=basis]").fill("Une loi")
    return form.locator("button.go")


@dataclass(frozen=True)
class Form:
    """A form filled in and its button, what the page after it shows, and what one press does."""

    fill: Callable[[Clerk], Locator]
    shows: str
    once: Done


FORMS = {
    "hold": Form(hold, "text=TJ Besançon 2026/114", Done(holds=1, entries=1)),
    "retention": Form(longer_period, "text=Une loi", Done(periods=1, entries=1)),
}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest, officer: Clerk) -> Form:
    officer.sign_in()
    expect(officer.page.locator("nav.menu")).to_be_visible()
    return FORMS[request.param]


def test_a_double_click(officer: Clerk, form: Form) -> None:
    button = form.fill(officer)
    before = done(officer.portal)
    button.dblclick()
    expect(officer.page.locator(form.shows).first).to_be_visible()
    assert done(officer.portal) - before == form.once


def test_enter_twice_and_loading_again(officer: Clerk, form: Form) -> None:
    button = form.fill(officer)
    before = done(officer.portal)
    button.focus()
    officer.page.keyboard.press("Enter")
    officer.page.keyboard.press("Enter")
    expect(officer.page.locator(form.shows).first).to_be_visible()
    officer.page.reload()
    expect(officer.page.locator(form.shows).first).to_be_visible()
    assert done(officer.portal) - before == form.once


def test_back_and_forward(officer: Clerk, form: Form) -> None:
    button = form.fill(officer)
    before = done(officer.portal)
    with officer.page.expect_navigation():
        button.click()
    officer.page.go_back()
    expect(officer.page.locator("main h1")).to_be_visible()
    officer.page.go_forward()
    expect(officer.page.locator(form.shows).first).to_be_visible()
    assert done(officer.portal) - before == form.once


@pytest.mark.parametrize("keys", [False, True], ids=["double click", "Enter twice"])
def test_signing_in(officer: Clerk, keys: bool) -> None:
    officer.portal.clock.advance(seconds=STEP_SECONDS)
    before = signins(officer.portal)
    officer.goto("/staff/signin")
    officer.page.fill("#login", officer.login)
    officer.page.fill("#password", PASSWORD)
    twice(officer, "#password", keys)
    expect(officer.page.locator("#code")).to_be_visible()
    officer.page.fill("#code", officer.code())
    twice(officer, "#code", keys)
    # A browser that dropped the answer to the first press is not signed in: it is told that each code works only once.
    inside = officer.page.locator("h1", has_text="Vue d’ensemble")
    expect(inside.or_(officer.page.locator("[role=alert]"))).to_be_visible()
    assert signins(officer.portal) - before == 1
    if not inside.is_visible():
        officer.portal.clock.advance(seconds=STEP_SECONDS)
        expect(officer.page.locator("[role=alert]")).to_contain_text("chaque code ne sert qu’une fois")
        officer.sign_in()
        expect(inside).to_be_visible()


def twice(clerk: Clerk, field: str, keys: bool) -> None:
    if not keys:
        clerk.page.locator("main .go").dblclick()
        return
    clerk.page.focus(field)
    clerk.page.keyboard.press("Enter")
    clerk.page.keyboard.press("Enter")


def signins(portal: Portal) -> int:
    with portal.services.make_session() as db:
        return db.scalar(select(func.count(StaffSession.id))) or 0
