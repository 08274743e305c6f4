"""The desk under an impatient finger, in a browser: double click, Enter twice, load again, back and forward."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from auth.vouchers.models import Batch, Voucher
from tests.portal.staff.issuing import CODE
from tests.portal.staff.test_journey import clerk, open_pass, portal
from tests.portal.staff.window import Clerk

__all__ = ["clerk", "portal"]
pytestmark = pytest.mark.browser


def codes_on(page: Page) -> list[str]:
    return list(dict.fromkeys(CODE.findall(page.content())))


def count(clerk: Clerk, column: object) -> int:
    with clerk.portal.services.make_session() as db:
        return db.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]


def newest(clerk: Clerk) -> Voucher:
    with clerk.portal.services.make_session() as db:
        return db.scalars(select(Voucher).order_by(Voucher.id.desc())).all()[0]


def live_code(clerk: Clerk, code: str) -> bool:
    keys = clerk.portal.services.voucher_keys
    with clerk.portal.services.make_session() as db:
        found = db.scalar(select(Voucher).where(Voucher.digest == keys.digest(code.replace("-", ""))))
    return found is not None and found.voided_at is None


def test_a_double_click_shows_the_codes_of_the_one_batch(clerk: Clerk) -> None:
    before = count(clerk, Batch.id)
    clerk.goto("/staff/desk")
    clerk.page.fill("#count", "12")
    clerk.page.locator(".desk .go").dblclick()
    expect(clerk.page.locator(".aloud-list li")).to_have_count(12)
    assert count(clerk, Batch.id) == before + 1
    assert all(live_code(clerk, code) for code in codes_on(clerk.page))


def test_enter_twice_shows_the_code(clerk: Clerk) -> None:
    """The keys of the desk: the second one comes before the page does, or prints."""
    before = count(clerk, Batch.id)
    clerk.goto("/staff/desk")
    clerk.page.focus("#count")
    clerk.page.keyboard.press("Enter")
    clerk.page.keyboard.press("Enter")
    expect(clerk.page.locator(".aloud")).to_have_text(CODE)
    assert count(clerk, Batch.id) == before + 1


def test_loading_again_and_back_and_forward_keep_the_codes(clerk: Clerk) -> None:
    codes = clerk.issue("3")
    before = count(clerk, Voucher.id)
    clerk.page.reload()
    assert codes_on(clerk.page) == codes
    clerk.page.go_back()
    expect(clerk.page.locator("#count")).to_be_visible()
    clerk.page.go_forward()
    assert codes_on(clerk.page) == codes
    clerk.page.select_option("#paper", "l7160")
    clerk.preview()
    expect(clerk.page.locator("img.sheet")).to_be_visible()
    clerk.page.go_back()
    assert codes_on(clerk.page) == codes
    clerk.page.go_forward()
    expect(clerk.page.locator("img.sheet")).to_be_visible()
    assert count(clerk, Voucher.id) == before


def test_a_double_click_on_replace_shows_the_code_that_works(clerk: Clerk) -> None:
    clerk.issue()
    old = newest(clerk)
    open_pass(clerk, old.mark)
    clerk.page.locator('form[action*="/replace"] button').dblclick()
    expect(clerk.page.locator(".aloud")).to_have_text(CODE)
    (code,) = codes_on(clerk.page)
    assert newest(clerk).replaces_id == old.id and live_code(clerk, code)
    clerk.page.reload()
    assert codes_on(clerk.page) == [code]


def test_back_over_a_refused_number_shows_what_was_typed(clerk: Clerk) -> None:
    clerk.goto("/staff/desk")
    clerk.page.fill("#count", "lots")
    clerk.enter("#count")
    clerk.page.fill("#count", "2")
    clerk.enter("#count")
    clerk.page.go_back()
    expect(clerk.page.locator("#count")).to_have_value("lots")


def test_two_tabs_issue_two_batches(clerk: Clerk) -> None:
    other = Clerk(clerk.portal, clerk.page.context.new_page(), "fr", login=clerk.login)
    for tab in (clerk, other):
        tab.goto("/staff/desk")
    for tab, wanted in ((clerk, "2"), (other, "2")):
        tab.page.fill("#count", wanted)
        tab.enter("#count")
    first, second = codes_on(clerk.page), codes_on(other.page)
    assert len(first) == len(second) == 2 and not set(first) & set(second)
