"""What the first page weighs, and that nothing about our pages looks like advertising to a blocker."""

from __future__ import annotations

import gzip

import pytest

from tests.portal.pages.blockers import looks_like_advertising
from tests.portal.pages.scene import FREE, LIBRARY, Portal

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


@pytest.mark.parametrize("text", ["/ads/1", "top-banner", "/pub.png", "ad_slot", "sponsored"])
def test_the_blockers_eye_sees_what_it_should(text: str) -> None:
    assert looks_like_advertising(text)


@pytest.mark.parametrize("text", ["/public", "loading", "address", "/hotspots", "head"])
def test_the_blockers_eye_passes_over_innocent_words(text: str) -> None:
    assert not looks_like_advertising(text)
