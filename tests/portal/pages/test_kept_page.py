"""Without a connection: the browser shows the one page that it keeps, and keeps nothing else."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lab.report import until
from sites.queries import site_by_slug
from tests.portal.pages.scene import Portal, new_guest, open_window, running_portal

pytestmark = pytest.mark.browser
GONE, ONLINE = "Le portail est injoignable", "Vous êtes en ligne"
# The addresses that the browser keeps, and every byte of what it keeps under them.
KEPT = """async () => {
    const found = [];
    for (const name of await caches.keys()) {
        const kept = await caches.open(name);
        for (const asked of await kept.keys()) {
            found.push([name, new URL(asked.url).pathname, await (await kept.match(asked)).text()]);
        }
    }
    return found;
}"""


@pytest.fixture
def own_portal() -> Iterator[Portal]:
    """A portal that a test may end."""
    with tempfile.TemporaryDirectory() as folder, running_portal(Path(folder)) as portal:
        yield portal


def wait_for_worker(page: Page) -> None:
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")


def test_when_the_portal_is_gone_the_kept_page_says_so_and_where_the_wifi_is(
    chromium: Browser, tmp_path: Path
) -> None:
    with open_window(chromium, service_workers="allow") as window:
        with running_portal(tmp_path) as portal:
            guest = new_guest(portal, window, "fr")
            guest.go_online()
            expect(guest.page.locator("h1:visible")).to_have_text(ONLINE)
            wait_for_worker(guest.page)
        guest.goto("/status")
        expect(guest.page.locator("h1")).to_have_text(GONE)
        expect(guest.page.get_by_text("Gare de Besançon-Viotte")).to_be_visible()
        assert ONLINE not in guest.page.locator("body").inner_text()
        link = guest.page.locator('a[href^="geo:"]').first
        expect(link).to_be_visible()


def test_nothing_of_a_person_is_kept(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, service_workers="allow") as window:
        guest = new_guest(portal, window, "fr")
        guest.sign_in()
        wait_for_worker(guest.page)
        guest.goto("/hotspots")
        guest.goto("/status")
        kept = guest.page.evaluate(KEPT)
        assert [address for _, address, _ in kept] == ["/away"]
        (_, _, text) = kept[0]
        assert not re.search(r"visit=|Set-Cookie|resume|En ligne", text)
        assert guest.mac not in text


def test_the_network_is_asked_first(portal: Portal, chromium: Browser) -> None:
    """What is shown with a connection is what the portal says now, and not what was kept."""
    with open_window(chromium, service_workers="allow") as window:
        guest = new_guest(portal, window, "fr")
        guest.go_online()
        wait_for_worker(guest.page)
        portal.clock.advance(minutes=31)
        guest.goto("/status")
        expect(guest.page.locator("h1:visible")).to_have_text(re.compile("^Vous n’êtes pas"))


def test_another_list_is_kept_under_another_name_and_the_old_one_goes(
    own_portal: Portal, chromium: Browser
) -> None:
    with open_window(chromium, service_workers="allow") as window:
        guest = new_guest(own_portal, window, "fr")
        guest.goto("/hotspots")
        wait_for_worker(guest.page)
        ((before, _, _),) = guest.page.evaluate(KEPT)
        _rename(own_portal, "gare-viotte", "Gare Neuve")
        guest.goto("/hotspots")
        until(lambda: {name for name, _, _ in guest.page.evaluate(KEPT)}.isdisjoint({before}), 20)
        ((_, _, text),) = guest.page.evaluate(KEPT)
        assert "Gare Neuve" in text


def test_the_worker_is_of_the_readers_language(portal: Portal) -> None:
    browser = portal.app.test_client()
    answers = {lang: browser.get(f"/worker.js?lang={lang}", base_url=portal.url) for lang in ("fr", "ar")}
    assert {answer.mimetype for answer in answers.values()} == {"text/javascript"}
    for lang, answer in answers.items():
        assert f'"/away?lang={lang}"' in answer.text
        assert "{" + "version}" not in answer.text
        page = browser.get(f"/away?lang={lang}", base_url=portal.url)
        assert page.status_code == 200 and f'lang="{lang}"' in page.text


def _rename(portal: Portal, slug: str, name: str) -> None:
    with portal.services.make_session.begin() as db:
        site = site_by_slug(db, slug)
        assert site is not None
        site.name = name


def test_a_window_without_workers_is_as_it_was(portal: Portal, chromium: Browser) -> None:
    with open_window(chromium, service_workers="block") as window:
        guest = new_guest(portal, window, "fr")
        guest.go_online()
        expect(guest.page.locator("h1:visible")).to_have_text(ONLINE)
