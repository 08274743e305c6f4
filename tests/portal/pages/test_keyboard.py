"""Every guest page by keyboard alone: each stop is reached in the order of the page and seen, and none is a trap."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.portal.languages import LANGUAGES
from tests.portal.pages.scene import PAGES, Portal, never_asked, new_guest, open_window

pytestmark = [pytest.mark.browser, pytest.mark.release]
# What stands in the focus order of a browser, and whether it is shown.
STOPS = """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary')]
  .filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true}))
  .map((one, index) => one.dataset.stop = index).length"""
# The stop that has the focus, how thick its ring is, and whether it can be seen: in the window, and nothing over it.
FOCUSED = """() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  const free = top && (one.contains(top) || top.contains(one));
  const ring = style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
  return {stop: one.dataset.stop, ring, free: Boolean(free), html: one.outerHTML.slice(0, 100)};
}"""


# The order does not depend on words: each page in one language, and each language on several pages.
@pytest.mark.parametrize(
    "name,lang", [(name, LANGUAGES[number % len(LANGUAGES)]) for number, name in enumerate(PAGES)]
)
def test_a_page_is_walked_by_keyboard_alone(portal: Portal, chromium: Browser, name: str, lang: str) -> None:
    with never_asked(open_window(chromium)) as window:
        guest = new_guest(portal, window, lang)
        PAGES[name](guest)
        assert walk(guest.page) == []
        guest.page.set_viewport_size({"width": 1280, "height": 800})
        assert walk(guest.page) == []


def walk(page: Page) -> list[str]:
    """Press Tab once around the page, from where it puts the focus itself; what was wrong on the way."""
    count: int = page.evaluate(STOPS)
    faults: list[str] = []
    met: list[int] = []
    # Behind the last stop the focus leaves the page, and comes back to the first.
    for _ in range(count + 1):
        page.keyboard.press("Tab")
        at: dict[str, Any] = page.evaluate(FOCUSED)
        if at["stop"] is None:
            continue
        met.append(int(at["stop"]))
        if at["ring"] < 2:
            faults.append(f"no ring: {at['html']}")
        if not at["free"]:
            faults.append(f"not to be seen: {at['html']}")
    around = [*range(met[0], count), *range(met[0])] if met else []
    if met[:count] != around:
        faults.append(f"of {count} stops met in the order {met}")
    return faults
