"""Every guest page at every width, in every theme and language, with script and without: before a release.

Each page is loaded once with script and, where it has any, once without; width and theme change on the open page. Of
this matrix `make test` looks at the narrowest and the widest window (test_every_page.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.portal.languages import LANGUAGES
from tests.portal.pages.axe import broken_rules
from tests.portal.pages.geometry import layout_faults
from tests.portal.pages.scene import PAGES, Portal, never_asked, new_guest, open_window

pytestmark = [pytest.mark.browser, pytest.mark.release]
WIDTHS = (320, 360, 414, 1280)
THEMES: tuple[Literal["light", "dark", "forced"], ...] = ("light", "dark", "forced")
# In the language that every colour is looked at in; the others have each width and each theme once.
FIRST = "fr"
LOOKED_AT = {(360, "dark"), (1280, "light")}
LOOKED_AT_FIRST = LOOKED_AT | {(360, "light"), (1280, "dark")}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_holds_at_every_width_and_in_every_theme(
    portal: Portal, chromium: Browser, name: str, lang: str
) -> None:
    faults = []
    for script in (True, False):
        with never_asked(open_window(chromium, java_script_enabled=script)) as window:
            guest = new_guest(portal, window, lang)
            PAGES[name](guest)
            page = guest.page
            faults += wrong_language(page, lang)
            page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
            for width, theme in emulations(page):
                found = layout_faults(page)
                if script and (width, theme) in (LOOKED_AT_FIRST if lang == FIRST else LOOKED_AT):
                    found += broken_rules(page)
                faults += [f"{width}, {theme}, {'with' if script else 'no'} script: {one}" for one in found]
            source = page.content()
        if "<script" not in source:
            break
        if not script and lang == FIRST:
            faults += [f"no script: {one}" for one in broken_as_sent(chromium, source)]
    assert faults == []


def emulations(page: Page) -> Iterator[tuple[int, str]]:
    """Show the open page at each width in each theme, one after the other."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 740})
        for theme in THEMES:
            forced = theme == "forced"
            page.emulate_media(
                color_scheme="dark" if theme == "dark" else "light",
                forced_colors="active" if forced else "none",
            )
            yield width, theme


def wrong_language(page: Page, lang: str) -> list[str]:
    said: list[str] = page.evaluate(
        "[document.documentElement.lang, getComputedStyle(document.body).direction]"
    )
    right = [lang, "rtl" if lang == "ar" else "ltr"]
    return [] if said == right else [f"lang and direction are {said}"]


def broken_as_sent(browser: Browser, source: str) -> list[str]:
    """What axe, a script, finds in a page whose own scripts never ran."""
    with open_window(browser) as window:
        window.route("**/*", lambda asked: asked.abort())
        page = window.new_page()
        page.set_content(source)
        return broken_rules(page)
