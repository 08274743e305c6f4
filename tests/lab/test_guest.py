from __future__ import annotations

import http.client

import pytest

from lab.guest import Lost, Page, Refresh

PAGE = b"""<!doctype html><form action="/search"><input name="q"></form>
<form method="post" action="/signin?visit=abc"><input type="hidden" name="visit" value="a&amp;b">
<input name="login" value="kept"><input type="checkbox" name="agreed" value="yes">
<input type="radio" name="how" value="slow"><input type="radio" name="how" value="fast" checked>
<button name="go" value="1">Go</button></form>"""


def page(body: bytes, **headers: str) -> Page:
    carried = http.client.HTTPMessage()
    for name, value in headers.items():
        carried[name] = value
    return Page("https://portal.example.org/?landing=x", 200, carried, body)


def test_a_form_is_found_by_where_it_goes_and_keeps_the_values_it_came_with() -> None:
    form = page(PAGE).form("/signin")
    assert form.method == "post"
    assert form.fields == {"visit": "a&b", "login": "kept", "how": "fast", "go": "1"}


def test_a_page_without_the_form_says_which_it_has() -> None:
    assert not page(PAGE).has_form("/pause")
    with pytest.raises(Lost, match="/search"):
        page(PAGE).form("/pause")


def test_a_page_asks_again_at_its_own_address_or_at_another() -> None:
    own, other = "https://portal.example.org/?landing=x", "https://portal.example.org/status?visit=abc"
    assert page(b"").refresh is None
    assert page(b"", Refresh="26").refresh == Refresh(26, own)
    assert page(b"", Refresh="26;url=/status?visit=abc").refresh == Refresh(26, other)


def test_a_reader_is_led_on_by_a_page_that_asks_at_once_for_another() -> None:
    assert (
        page(b"", Refresh="0;url=/status?visit=abc").leads_to == "https://portal.example.org/status?visit=abc"
    )
    assert page(b"", Refresh="1;url=/status?visit=abc").leads_to is None
    assert page(b"", Refresh="0").leads_to is None
