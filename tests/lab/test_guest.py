from __future__ import annotations

import http.client

import pytest

from lab.guest import Lost, Page

PAGE = b"""<!doctype html><form action="/search"><input name="q"></form>
<form method="post" action="/signin?visit=abc"><input type="hidden" name="visit" value="a&amp;b">
<input name="login" value="kept"><input type="checkbox" name="agreed" value="yes">
<input type="radio" name="how" value="slow"><input type="radio" name="how" value="fast" checked>
<button name="go" value="1">Go</button></form>"""


def page(body: bytes) -> Page:
    return Page("https://portal.example.org/?landing=x", 200, http.client.HTTPMessage(), body)


def test_a_form_is_found_by_where_it_goes_and_keeps_the_values_it_came_with() -> None:
    form = page(PAGE).form("/signin")
    assert form.method == "post"
    assert form.fields == {"visit": "a&b", "login": "kept", "how": "fast", "go": "1"}


def test_a_page_without_the_form_says_which_it_has() -> None:
    assert not page(PAGE).has_form("/pause")
    with pytest.raises(Lost, match="/search"):
        page(PAGE).form("/pause")
