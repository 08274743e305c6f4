"""What the first page weighs, and that nothing about our pages looks like advertising to a blocker."""

from __future__ import annotations

import gzip
import re

import pytest

from tests.portal.pages.scene import FREE, LIBRARY, PAGES, Guest, Portal

# An "ad" inside a longer word is none; these are, wherever they stand.
BLOCKED_PARTS = re.compile(r"advert|banner|promo|sponsor|publicit", re.IGNORECASE)
BLOCKED_WORDS = {"ad", "ads", "pub", "pubs"}
MOST_BYTES = 6_000


@pytest.mark.parametrize("gateway", [FREE, LIBRARY])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_first_page_weighs_at_most_6_kb_with_its_style(portal: Portal, gateway: str, lang: str) -> None:
    stranger = portal.app.test_client()
    path = portal.landing_url(gateway, portal.new_mac(), lang).removeprefix(portal.url)
    answer = stranger.get(path, base_url=portal.url, environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
    assert answer.status_code == 200
    headers = sum(len(name) + len(value) + 4 for name, value in answer.headers)
    assert len(gzip.compress(answer.data, 9)) + headers <= MOST_BYTES
    assert "<style>" in answer.text


def test_no_address_of_ours_looks_like_advertising(portal: Portal) -> None:
    for rule in portal.app.url_map.iter_rules():
        assert not looks_like_advertising(rule.rule), rule.rule
        assert not looks_like_advertising(rule.endpoint), rule.endpoint


@pytest.mark.browser
@pytest.mark.parametrize("name", [name for name in PAGES if name != "opening"])
@pytest.mark.parametrize("lang", ["en"])
def test_no_name_in_a_page_looks_like_advertising(guest: Guest, name: str) -> None:
    PAGES[name](guest)
    names: list[str] = guest.page.evaluate(
        """() => [...document.querySelectorAll('*')].flatMap(one =>
        ['id', 'class', 'name', 'href', 'action', 'src'].map(name => one.getAttribute(name) || ''))"""
    )
    # Tokens are chance letters; blockers do not read them either.
    readable = [re.sub(r"(visit|landing|ticket)=[^&]*", "", text) for text in names]
    assert [text for text in readable if looks_like_advertising(text)] == []


@pytest.mark.parametrize("text", ["/ads/1", "top-banner", "/pub.png", "ad_slot", "sponsored"])
def test_the_blockers_eye_sees_what_it_should(text: str) -> None:
    assert looks_like_advertising(text)


@pytest.mark.parametrize("text", ["/public", "loading", "address", "/hotspots", "head"])
def test_the_blockers_eye_passes_over_innocent_words(text: str) -> None:
    assert not looks_like_advertising(text)


def looks_like_advertising(text: str) -> bool:
    words = set(re.split(r"[^a-z0-9]+", text.lower()))
    return bool(BLOCKED_PARTS.search(text) or words & BLOCKED_WORDS)
