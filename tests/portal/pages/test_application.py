"""The portal on a home screen: the browser itself says that the page can be installed."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, expect

from tests.portal.pages.scene import Portal, new_guest, open_window, yours

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_the_browser_finds_nothing_that_keeps_the_page_from_being_installed(
    portal: Portal, desktop: Browser, lang: str
) -> None:
    with open_window(desktop) as window:
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


# What a browser has or lacks, before any page of ours runs.
CAPTIVE = "delete Navigator.prototype.serviceWorker"
BY_HAND = "Object.defineProperty(navigator, 'standalone', {value: false})"
OFFERS = """() => {
    const offer = new Event("beforeinstallprompt", {cancelable: true});
    offer.prompt = () => { window.asked = true; };
    window.dispatchEvent(offer);
}"""
OPEN, SHARE, PUT = "ouvrez 127.0.0.1", "touchez Partager", "Mettre sur l’écran d’accueil"


@pytest.mark.parametrize(
    ("options", "lacks", "says"),
    [
        ({"java_script_enabled": False}, "", OPEN),
        ({}, CAPTIVE, OPEN),
        ({}, BY_HAND, SHARE),
    ],
    ids=["without script", "a captive window", "by hand"],
)
def test_where_a_browser_cannot_install_one_line_says_what_to_do(
    portal: Portal, chromium: Browser, options: dict[str, bool], lacks: str, says: str
) -> None:
    with open_window(chromium, **options) as window:
        window.add_init_script(lacks)
        guest = new_guest(portal, window, "fr")
        guest.go_online()
        expect(guest.page.locator("#install")).to_contain_text(says)


def test_where_it_can_a_button_asks_it_to(portal: Portal, chromium: Browser) -> None:
    """The browser says so by itself, in a window with a profile; a test's window has none, so it is said for it."""
    with open_window(chromium) as window:
        guest = new_guest(portal, window, "fr")
        guest.go_online()
        guest.page.evaluate(OFFERS)
        guest.page.get_by_role("button", name=PUT).click()
        assert guest.page.evaluate("window.asked")


@pytest.mark.parametrize(
    ("options", "lacks", "downloads"),
    [({}, "", True), ({}, CAPTIVE, False), ({"java_script_enabled": False}, "", False)],
    ids=["a browser", "a captive window", "without script"],
)
def test_a_captive_window_reads_what_a_browser_downloads(
    portal: Portal, chromium: Browser, options: dict[str, bool], lacks: str, downloads: bool
) -> None:
    with open_window(chromium, **options) as window:
        window.add_init_script(lacks)
        guest = new_guest(portal, window, "fr")
        yours(guest)
        page = guest.page
        link = page.locator('a[href*="/yours.json"]')
        expect(link).to_be_visible(visible=downloads)
        assert page.locator("a[target], a[download], a[href^=mailto]").count() == 0
        page.get_by_text("Tout, sous forme de texte").click()
        text = page.locator("details .lines").inner_text()
        assert guest.mac in {one["mac"] for one in json.loads(text)["connection"]}
        if downloads:
            with page.expect_download() as fetched:
                link.click()
            assert json.loads(fetched.value.path().read_text("utf-8")).keys() == json.loads(text).keys()
