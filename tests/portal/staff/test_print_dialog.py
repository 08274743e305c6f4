"""From the desk straight to the print dialog: with script it opens by itself, without it a button opens the PDF."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete, func, select

from auth.staff.roles import Role
from auth.vouchers.models import Voucher
from sites.printers import Printer
from tests.portal.pages.axe import broken_in_both_themes
from tests.portal.pages.scene import Portal, open_window
from tests.portal.printing.printed import read_facts
from tests.portal.staff.test_journey import portal
from tests.portal.staff.test_receipts import add_printer
from tests.portal.staff.window import DESKTOP, Clerk
from tests.services.receipt_printer import ReceiptPrinter, receipt_printer

__all__ = ["portal"]
pytestmark = pytest.mark.browser
# What the dialog of a window without a screen would be.
COUNT = "window.dialogs = 0; window.print = () => { window.dialogs += 1 }"


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def clerk(portal: Portal, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Clerk]:
    with open_window(chromium, viewport=DESKTOP, java_script_enabled=request.param) as window:
        if request.param:
            window.add_init_script(COUNT)
        clerk = Clerk(portal, window.new_page(), "fr")
        clerk.hire(Role.DESK)
        clerk.sign_in()
        yield clerk


def has_script(page: Page) -> bool:
    return page.locator("#print").is_visible()


def issue_and_print(clerk: Clerk, count: str) -> Page:
    clerk.goto("/staff/desk")
    clerk.page.fill("#count", count)
    with clerk.page.expect_navigation(wait_until="load"):
        clerk.page.get_by_role("button", name="Émettre et imprimer").click()
    return clerk.page


def test_one_press_leads_from_the_desk_to_the_dialog(clerk: Clerk) -> None:
    """Thirty passes on two sheets: with script the dialog is open, and nothing but the sheets is printed."""
    page = issue_and_print(clerk, "30")
    expect(page.locator("h1")).to_have_text("30 tickets à imprimer")
    expect(page.locator(".printed img")).to_have_count(2)
    if has_script(page):
        assert broken_in_both_themes(page) == []
        page.wait_for_function("window.dialogs === 1")
        page.reload()
        assert page.evaluate("window.dialogs") == 0
        page.click("#print")
        assert page.evaluate("window.dialogs") == 1
    else:
        expect(page.locator("#as-pdf")).to_be_visible()
        form = page.locator('form[action*="/desk/print"]')
        fields = form.locator("input").evaluate_all("all => all.map(one => [one.name, one.value])")
        answer = page.request.post(f"{clerk.portal.url}/staff/desk/print", form=dict(fields))
        assert answer.headers["content-type"] == "application/pdf" and answer.body().startswith(b"%PDF")
        assert answer.headers["content-disposition"].startswith("inline")
    for width in (390, 768, 1280):
        page.set_viewport_size({"width": width, "height": 844})
        assert (
            page.evaluate("document.documentElement.scrollWidth <= innerWidth") if has_script(page) else True
        )


@pytest.mark.parametrize(("paper", "sheets", "size"), [("a4", 1, "595 x 842"), ("receipt", 3, "227 x 340")])
def test_what_is_printed_is_the_paper_and_nothing_beside_it(
    clerk: Clerk, paper: str, sheets: int, size: str
) -> None:
    """The browser's own print of the page, as PDF: so many pages of this size, in points."""
    clerk.issue("3")
    clerk.page.select_option("#paper", paper)
    clerk.page.select_option("#second", "")
    with clerk.page.expect_navigation(wait_until="load"):
        clerk.page.click('button[formaction*="/desk/sheet"]')
    facts = read_facts(clerk.page.pdf(prefer_css_page_size=True))
    pages, points = re.search(r"Pages: +(\d+)", facts), re.search(r"Page size: +([\d.]+) x ([\d.]+)", facts)
    assert pages and points
    assert int(pages[1]) == sheets
    assert f"{float(points[1]):.0f} x {float(points[2]):.0f}" == size


def test_a_paper_without_room_leads_back_to_the_codes(clerk: Clerk) -> None:
    (code,) = clerk.issue(
        event="Rencontre internationale des bibliothèques de quartier et des médiathèques de la région"
    )
    clerk.page.select_option("#paper", "l7651")
    with clerk.page.expect_navigation():
        clerk.page.click('button[formaction*="/desk/sheet"]')
    expect(clerk.page.locator("body")).to_contain_text("Cela ne tient pas sur ce papier")
    assert code in clerk.page.content() and clerk.page.locator(".printed").count() == 0


def test_the_buttons_below_a_batch_count_what_is_ticked(clerk: Clerk) -> None:
    clerk.issue("3")
    page = clerk.page
    with page.expect_navigation():
        page.get_by_role("link", name=re.compile("Lot n°")).click()
    boxes, button = page.locator('input[name="pass"]'), page.locator('button[value="void"]')
    boxes.nth(0).check()
    if page.locator("#tick-all").is_visible():
        expect(button).to_have_text("Annuler 1 pass coché…")
        page.check("#tick-all")
        expect(button).to_have_text("Annuler 3 pass cochés…")
        assert broken_in_both_themes(page) == []
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        boxes.nth(2).uncheck()
        boxes.nth(1).uncheck()
    else:
        expect(button).to_have_text("Annuler les pass cochés…")
    with page.expect_navigation():
        button.click()
    expect(page.locator(".go")).to_have_text("Annuler 1 pass")
    with page.expect_navigation():
        page.locator(".go").click()
    expect(page.locator('[role="status"]')).to_have_text("1 pass a été annulé.")


@pytest.fixture
def roll(portal: Portal) -> Iterator[ReceiptPrinter]:
    """A printer on this very machine, as the settings allow for as long as it stands there."""
    here = replace(portal.services.settings, printer_networks=(ipaddress.ip_network("127.0.0.0/8"),))
    portal.app.extensions["arobase"] = replace(portal.services, settings=here)
    with receipt_printer() as printer:
        add_printer(portal.services, printer, site="etude-et-conservation")
        yield printer
    with portal.services.make_session.begin() as db:
        db.execute(delete(Printer))
    portal.app.extensions["arobase"] = portal.services


def test_what_a_receipt_printer_had_no_time_for_is_printed_by_script(
    clerk: Clerk, roll: ReceiptPrinter, request: pytest.FixtureRequest
) -> None:
    """One of three came out in time. A script presses the button for the others, and that once."""
    codes, page = clerk.issue("3"), clerk.page
    with clerk.portal.services.make_session() as db:
        mark = f"{db.scalar(select(func.max(Voucher.batch_id)))}-1"
    page.goto(f"{page.url.partition('?')[0]}?printer=accueil&after={mark}", wait_until="commit")
    rest, finished = page.locator("form.notice button"), page.get_by_text("Les 3 tickets sont imprimés")
    if request.node.callspec.params["clerk"]:
        expect(finished).to_be_visible()
    else:
        expect(rest).to_contain_text("Imprimer les 2 autres")
        with page.expect_navigation():
            rest.click()
        expect(finished).to_be_visible()
    assert [paper.lines[0] for paper in roll.receipts] == codes[1:]
    page.reload()
    page.go_back()
    expect(page.locator("h1")).to_be_visible()
    assert len(roll.receipts) == 2
