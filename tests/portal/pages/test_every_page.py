"""What holds for every page in every language: accessible, fitting, alone, in the language it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, Request

from portal.wording import LANGUAGES
from tests.portal.pages.axe import broken_rules
from tests.portal.pages.blockers import looks_like_advertising
from tests.portal.pages.scene import PAGES, PHONE, Portal, new_guest, open_window

pytestmark = pytest.mark.browser
CASES = [(name, lang) for name in PAGES for lang in LANGUAGES]
# Small pieces of text may hold small links; everything that stands alone is a target for a thumb.
TARGETS = ".go, .tap, .brand, .languages a, footer a, summary, input:not([type=hidden])"


@dataclass
class Shown:
    name: str
    lang: str
    page: Page
    portal: Portal
    # As it came, before any test looked at it: axe and large text leave their marks.
    source: str = ""
    requests: list[Request] = field(default_factory=list)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def shown(request: pytest.FixtureRequest, portal: Portal, chromium: Browser) -> Iterator[Shown]:
    name, lang = request.param
    with open_window(chromium) as window:
        guest = new_guest(portal, window, lang)
        shown = Shown(name, lang, guest.page, portal)
        guest.page.on("request", lambda asked: shown.requests.append(asked))
        PAGES[name](guest)
        shown.source = guest.page.content()
        yield shown


@pytest.fixture(autouse=True)
def as_on_a_phone(shown: Shown) -> Iterator[None]:
    yield
    shown.page.set_viewport_size(PHONE)
    shown.page.emulate_media(color_scheme="light")
    shown.page.evaluate("document.documentElement.removeAttribute('style')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_breaks_no_rule_of_accessibility(shown: Shown, scheme: str) -> None:
    shown.page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
    assert broken_rules(shown.page) == []


def test_it_is_320_pixels_wide_where_the_screen_is(shown: Shown) -> None:
    shown.page.set_viewport_size({"width": 320, "height": 568})
    assert too_wide(shown.page) == []


def test_it_fits_with_text_twice_as_large(shown: Shown) -> None:
    shown.page.evaluate("document.documentElement.style.fontSize = '225%'")
    assert too_wide(shown.page) == []


def test_what_is_to_be_touched_is_44_pixels_high(shown: Shown) -> None:
    heights = shown.page.eval_on_selector_all(
        TARGETS, "found => found.map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height])"
    )
    assert [found for found in heights if found[1] < 44] == []


def test_it_says_its_language_and_its_name(shown: Shown) -> None:
    assert shown.page.locator("html").get_attribute("lang") == shown.lang
    assert shown.page.title().strip(" ·")
    assert shown.page.locator("h1").count() == 1


def test_it_asks_for_nothing_but_itself(shown: Shown) -> None:
    assert {request.resource_type for request in shown.requests} == {"document"}
    assert all(request.url.startswith(shown.portal.url + "/") for request in shown.requests)


def test_it_names_the_accessibility_and_privacy_pages(shown: Shown) -> None:
    mention = {"fr": "Accessibilité\u00a0: non conforme", "en": "Accessibility: not compliant"}[shown.lang]
    assert shown.page.locator("footer a").first.inner_text() == mention
    assert shown.page.locator('footer a[href^="/privacy"]').count() == 1


def test_it_has_no_script_and_no_style_but_the_one(shown: Shown) -> None:
    tags = re.findall(r"<[a-z][^>]*>", shown.source)
    assert not [tag for tag in tags if re.search(r"^<script|\sstyle=|stylesheet", tag)]
    assert shown.source.count("<style") == 1


def test_no_name_in_it_looks_like_advertising(shown: Shown) -> None:
    names: list[str] = shown.page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap(one =>
        ['id', 'class', 'name', 'href', 'action', 'src'].map(name => one.getAttribute(name) || ''))"""
    )
    # Tokens are chance letters; blockers do not read them either.
    readable = [re.sub(r"(visit|landing|ticket)=[^&]*", "", text) for text in names]
    assert [text for text in readable if looks_like_advertising(text)] == []


def too_wide(page: Page) -> list[str]:
    """The elements that reach over the right edge of the window, if the page can be scrolled sideways."""
    found: list[str] = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth)
        .map(one => one.outerHTML.slice(0, 120))"""
    )
    return found
