"""The portal on a home screen: the browser itself says that the page can be installed."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser

from tests.portal.pages.scene import Portal, new_guest, open_window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_browser_finds_nothing_that_keeps_the_page_from_being_installed(
    portal: Portal, chromium: Browser, lang: str
) -> None:
    with open_window(chromium) as window:
        guest = new_guest(portal, window, lang)
        guest.goto("/hotspots")
        browser = window.new_cdp_session(guest.page)
        found = browser.send("Page.getAppManifest")
        assert found["errors"] == []
        refused = browser.send("Page.getInstallabilityErrors")["installabilityErrors"]
        # A window of its own without a profile, as each test has one, is never installed from.
        assert [each for each in refused if each["errorId"] != "in-incognito"] == []
        manifest = json.loads(found["data"])
        assert (manifest["lang"], manifest["dir"]) == (lang, "rtl" if lang == "ar" else "ltr")
        assert manifest["start_url"] == f"/status?lang={lang}"
        assert manifest["display"] == "standalone"
        assert "Besançon" in manifest["short_name"]
        for icon in manifest["icons"]:
            answer = window.request.get(portal.url + icon["src"])
            assert answer.headers["content-type"] == icon["type"]
        touch = guest.page.locator('link[rel="apple-touch-icon"]').get_attribute("href")
        assert window.request.get(f"{portal.url}{touch}").ok


def test_the_manifest_holds_nothing_of_whoever_asks(portal: Portal) -> None:
    browser = portal.app.test_client()
    answer = browser.get("/app.webmanifest?visit=stale&lang=fr", base_url=portal.url)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert "visit" not in answer.text
