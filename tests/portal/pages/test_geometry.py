"""The look at a page's layout sees each fault that it is there for, and none where there is none."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.portal.pages.geometry import layout_faults
from tests.portal.pages.scene import open_window

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><style>.stripe{{display:block}}body{{margin:0}}.go{{display:block;min-height:44px}}</style>
<svg class="stripe"></svg>
<main><h1>Heading</h1><p>Text with <a href="#">a link</a>.</p><a class="go" href="#">Go</a>{}</main>"""
FAULTS = {
    "sideways": '<p style="width:500px">wide</p>',
    "outside of the window": '<p style="margin-left:-80px">out to the left</p>',
    "cut off": '<p style="width:3em;overflow:hidden;white-space:nowrap">longer than its room</p>',
    "two texts in one place": '<p>A line of text</p><p style="margin-top:-2.6em">and another over it</p>',
    "do not fit": '<button style="width:50px;white-space:nowrap;overflow:hidden;height:44px">much too long</button>',
    "under 24 pixels": '<button style="height:20px;padding:0">low</button>',
    "under 44 pixels": '<a class="tap" style="display:block;height:30px" href="#">low</a>',
}


def test_it_sees_each_fault(chromium: Browser) -> None:
    with open_window(chromium) as window:
        page = window.new_page()
        page.set_content(PAGE.format(""))
        assert layout_faults(page) == []
        for words, fault in FAULTS.items():
            page.set_content(PAGE.format(fault))
            assert any(words in found for found in layout_faults(page)), words


def test_it_sees_a_lonely_column_and_a_picture_over_the_page(chromium: Browser) -> None:
    with open_window(chromium, viewport={"width": 1280, "height": 800}) as window:
        page = window.new_page()
        page.set_content(PAGE.format("<style>main{max-width:30rem}</style>"))
        assert any("narrow column" in found for found in layout_faults(page))
        page.set_content(
            PAGE.format("<style>.stripe{position:fixed;left:0;width:400px;height:100vh}</style>")
        )
        assert any("over the page" in found for found in layout_faults(page))
