"""What holds for every page in every language: accessible, fitting, alone, in the language it says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

from portal.guest.assets import ASSETS
from portal.i18n.catalogues import catalogue
from tests.portal.languages import LANGUAGES
from tests.portal.pages.axe import broken_rules, themes
from tests.portal.pages.blockers import looks_like_advertising
from tests.portal.pages.geometry import layout_faults
from tests.portal.pages.scene import PAGES, PHONE, Portal, never_asked, new_guest, open_window

pytestmark = pytest.mark.browser
# Each page in French and light colours, and in dark ones from right to left or in one of the further languages, in
# turn; before a release in both.
OTHERS = [code for code in LANGUAGES if code not in ("fr", "ar")]


def cases() -> Iterator[Any]:
    for number, name in enumerate(PAGES):
        dark = ["ar", OTHERS[number % len(OTHERS)]]
        if number % 3:
            dark.reverse()
        yield from ((name, "fr"), (name, dark[0]), pytest.param(name, dark[1], marks=pytest.mark.release))


@dataclass
class Shown:
    lang: str
    page: Page
    portal: Portal
    # As it came, before any check looked at it: axe and large text leave their marks.
    source: str = ""
    requests: list[Request] = field(default_factory=list)


@pytest.mark.parametrize("name,lang", list(cases()))
def test_every_page_keeps_every_rule(portal: Portal, chromium: Browser, name: str, lang: str) -> None:
    """One visit, all rules: whoever breaks several is told all of them."""
    with never_asked(open_window(chromium)) as window:
        guest = new_guest(portal, window, lang)
        shown = Shown(lang, guest.page, portal)
        guest.page.on("request", lambda asked: shown.requests.append(asked))
        PAGES[name](guest)
        shown.source = guest.page.content()
        broken = {}
        for rule, look in RULES.items():
            if found := look(shown):
                broken[rule] = found
            shown.page.set_viewport_size(PHONE)
            shown.page.emulate_media(color_scheme="light")
            shown.page.evaluate("document.documentElement.removeAttribute('style')")
    assert broken == {}


def breaks_accessibility(shown: Shown) -> list[Any]:
    broken = []
    for theme in themes(shown.lang):
        shown.page.emulate_media(color_scheme=theme)
        broken += [f"{theme}: {rule}" for rule in broken_rules(shown.page)]
    return broken


def badly_laid_out(shown: Shown) -> list[Any]:
    """In the narrowest window, and in a laptop's."""
    found = []
    for width, height in ((320, 568), (1280, 800)):
        shown.page.set_viewport_size({"width": width, "height": height})
        found += [f"{width}: {fault}" for fault in layout_faults(shown.page)]
    return found


def too_wide_with_text_twice_as_large(shown: Shown) -> list[Any]:
    shown.page.set_viewport_size({"width": 320, "height": 568})
    shown.page.evaluate("document.documentElement.style.fontSize = '225%'")
    return [fault for fault in layout_faults(shown.page) if "edge" in fault or "sideways" in fault]


def wrong_language_or_name(shown: Shown) -> list[Any]:
    said = shown.page.locator("html").get_attribute("lang")
    title, headings = shown.page.title(), shown.page.locator("h1").count()
    right = said == shown.lang and title.strip(" ·") and headings == 1
    return [] if right else [said, title, headings]


def hints_read_twice(shown: Shown) -> list[Any]:
    """A hint describes its field; within the label it would be a part of the name as well."""
    twice: list[Any] = shown.page.evaluate(
        """() => [...document.querySelectorAll('[aria-describedby]')].flatMap(field =>
        field.getAttribute('aria-describedby').trim().split(/\\s+/).map(id => document.getElementById(id))
        .filter(hint => !hint || [...(field.labels || [])].some(label => label.contains(hint)))
        .map(hint => [field.id, hint ? hint.id : 'no such hint']))"""
    )
    return twice


def headings_out_of_order(shown: Shown) -> list[Any]:
    """No level is skipped, so that a list of headings is a table of contents."""
    levels: list[int] = shown.page.eval_on_selector_all(
        "h1,h2,h3,h4", "found => found.map(one => Number(one.tagName[1]))"
    )
    return [pair for pair in itertools.pairwise(levels) if pair[1] > pair[0] + 1]


def fetched_from_elsewhere(shown: Shown) -> list[Any]:
    """A page is its own document. Beside it there are files of ours, and what a script of ours asks us."""
    assert shown.requests
    ours = {"document": "/", "script": "/assets/", "other": "/assets/", "fetch": "/status"}
    return [
        (request.resource_type, request.url)
        for request in shown.requests
        if not request.url.startswith(shown.portal.url + ours.get(request.resource_type, "/nowhere"))
    ]


def first_page_fetches_anything(shown: Shown) -> list[Any]:
    """The page before the grant is one answer, whole. What comes after it, where there is a message, is the deferred
    script that tells whether it was seen; a guest waits for nothing of it."""
    if "landing=" not in shown.page.url:
        return []
    asked = [one for one in shown.requests if one.headers.get("referer") == shown.page.url]
    counting = f"{shown.portal.url}/assets/{ASSETS['seen.js'].hashed_name}"
    return [one.url for one in asked if one.resource_type != "document" and one.url != counting]


def misses_accessibility_or_privacy(shown: Shown) -> list[Any]:
    mention = catalogue(shown.lang).gettext("Accessibility: not compliant")
    said = shown.page.locator("footer a").first.inner_text()
    links = shown.page.locator('footer a[href^="/privacy"]').count()
    return [] if (said, links) == (mention, 1) else [said, links]


def script_or_style_besides_the_one(shown: Shown) -> list[Any]:
    tags = re.findall(r"<[a-z][^>]*>", shown.source)
    assert shown.source.count("<style") == 1
    ours = r'<script src="/assets/[a-z]+\.[0-9a-f]{12}\.js"( data-worker="/worker\.js\?lang=[a-z]{2}")? defer="">'
    return [
        tag for tag in tags if re.search(r"^<script|\sstyle=|stylesheet", tag) and not re.fullmatch(ours, tag)
    ]


def looks_like_an_advertisement(shown: Shown) -> list[Any]:
    names: list[str] = shown.page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap(one =>
        ['id', 'class', 'name', 'href', 'action', 'src'].map(name => one.getAttribute(name) || ''))"""
    )
    # Tokens are chance letters; blockers do not read them either.
    readable = [re.sub(r"(visit|landing|ticket|press)=[^&]*", "", text) for text in names]
    return [text for text in readable if looks_like_advertising(text)]


RULES: dict[str, Callable[[Shown], list[Any]]] = {
    look.__name__: look
    for look in (
        breaks_accessibility,
        badly_laid_out,
        too_wide_with_text_twice_as_large,
        wrong_language_or_name,
        hints_read_twice,
        headings_out_of_order,
        fetched_from_elsewhere,
        first_page_fetches_anything,
        misses_accessibility_or_privacy,
        script_or_style_besides_the_one,
        looks_like_an_advertisement,
    )
}
