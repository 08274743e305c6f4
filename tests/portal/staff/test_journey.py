"""From the sheet to the books, in two browser windows: what a clerk and a visitor do with a day's passes."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, expect

from auth.staff.roles import Role
from auth.vouchers.plans import add_first_plans
from portal.printing.wifi_qr import joining_uri
from tests.portal.pages.scene import LIBRARY, Guest, Portal, new_guest, open_window, running_portal
from tests.portal.staff.issuing import CODE
from tests.portal.staff.window import DESKTOP, Clerk

pytestmark = pytest.mark.browser
NETWORK = "Bibliotheques-Besancon"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running_portal(tmp_path_factory.mktemp("desk"), prepare=add_first_plans) as portal:
        yield portal


@pytest.fixture
def clerk(portal: Portal, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Clerk]:
    """Camille, at a desk with a large screen, signed in; no script runs."""
    login = request.node.name[:40].rstrip("_")
    with open_window(chromium, viewport=DESKTOP, device_scale_factor=2, java_script_enabled=False) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login=login)
        clerk.hire(Role.DESK)
        clerk.sign_in()
        yield clerk


@pytest.fixture
def visitor(portal: Portal, chromium: Browser) -> Iterator[Guest]:
    with open_window(chromium, java_script_enabled=False) as window:
        yield new_guest(portal, window, "fr")


def use(visitor: Guest, code: str) -> None:
    """Type a code at the library, and press the button."""
    visitor.land(LIBRARY)
    visitor.page.fill("#code", code)
    visitor.press("/pass")


def books(clerk: Clerk) -> list[int]:
    """Printed, used, void, expired, left, as the page of the batch tells them."""
    return [int(number) for number in re.findall(r"\d+", clerk.page.locator(".sum").inner_text())]


def open_pass(clerk: Clerk, mark: str) -> None:
    clerk.goto("/staff/desk")
    clerk.page.fill("#wanted", mark)
    clerk.enter("#wanted")
    expect(clerk.page.locator("h1")).to_have_text(re.compile(re.escape(mark)))


def test_a_batch_is_printed_used_replaced_and_balanced(clerk: Clerk, visitor: Guest) -> None:
    """Thirty for Saturday: one is used, one was spoiled, and on Monday every one of them is accounted for."""
    codes = clerk.issue("30", event="Fête du livre")
    assert len(codes) == 30
    mark = clerk.page.locator(".aloud-list .quiet").first.text_content() or ""
    batch = mark.partition("-")[0]

    use(visitor, codes[0])
    expect(visitor.page.locator("h1")).to_have_text("Vous êtes en ligne")

    open_pass(clerk, f"{batch}-2")
    with clerk.page.expect_navigation():
        clerk.page.click('form[action*="/replace"] button')
    (fresh,) = set(CODE.findall(clerk.page.content()))
    expect(clerk.page.locator(".aloud")).to_have_text(fresh)
    assert fresh not in codes

    second = new_guest(visitor.portal, visitor.page.context, "fr")
    second.page.context.clear_cookies()
    use(second, codes[1])
    expect(second.page.locator("[role=alert]")).to_be_visible()
    use(second, fresh)
    expect(second.page.locator("h1")).to_have_text("Vous êtes en ligne")

    clerk.goto(f"/staff/batches/{batch}")
    assert books(clerk) == [31, 2, 1, 0, 28]
    with clerk.page.expect_navigation():
        clerk.page.click('a[href*="/void"]')
    with clerk.page.expect_navigation():
        clerk.page.click('form[action*="/void"] button')
    assert books(clerk) == [31, 2, 29, 0, 0]


@pytest.mark.parametrize("paper", ["a4", "l7160", "l7163", "l7651", "receipt", "escpos"])
def test_a_camera_reads_every_code_of_the_preview(clerk: Clerk, paper: str) -> None:
    """What the browser shows: each QR code on the page, decoded from the screen."""
    codes = clerk.issue("3")
    clerk.page.select_option("#paper", paper)
    clerk.preview()
    picture = clerk.page.locator("img.sheet")
    expect(picture).to_be_visible()
    with Image.open(io.BytesIO(picture.screenshot())) as screen:
        seen = [code.text for code in zxingcpp.read_barcodes(screen.convert("L"))]
    # A receipt is a page by itself, and the first one is shown.
    on_the_page = codes[:1] if paper in ("receipt", "escpos") else codes
    address = f"{clerk.portal.url}/pass/"
    assert sorted(text for text in seen if "/PASS/" in text) == sorted(
        (address + code.replace("-", "")).upper() for code in on_the_page
    )
    joins = 0 if paper == "l7651" else len(on_the_page)
    assert [text for text in seen if "/PASS/" not in text] == [joining_uri(NETWORK)] * joins


def test_the_visitors_camera_reads_the_screen(clerk: Clerk) -> None:
    (code,) = clerk.issue()
    with Image.open(io.BytesIO(clerk.page.locator(".cameras").screenshot())) as screen:
        seen = {found.text for found in zxingcpp.read_barcodes(screen.convert("L"))}
    address = f"{clerk.portal.url}/pass/{code.replace('-', '')}".upper()
    assert seen == {address, joining_uri(NETWORK)}


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (960, 720), (768, 1024)])
def test_the_code_is_in_sight_while_the_keyboard_waits_to_print(
    clerk: Clerk, width: int, height: int
) -> None:
    """The page comes with Print in focus; the window must not have scrolled the code away for it."""
    clerk.page.set_viewport_size({"width": width, "height": height})
    clerk.issue()
    expect(clerk.page.locator(".print .go")).to_be_focused()
    for element in (".aloud", ".cameras", ".print .go"):
        expect(clerk.page.locator(element)).to_be_in_viewport(ratio=1)


def test_a_page_at_twice_the_text_loses_nothing(clerk: Clerk) -> None:
    """WCAG 1.4.4: a window half as wide, as a browser's zoom of 200 % makes it."""
    clerk.issue()
    clerk.page.set_viewport_size({"width": 640, "height": 400})
    for element in (".aloud", "#paper", "#language", ".print .go", 'button[formaction*="/desk/preview"]'):
        box = clerk.page.locator(element).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 640, element
