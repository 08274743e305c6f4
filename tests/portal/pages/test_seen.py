"""What the page's own script tells of a message: open for its least time, and without its picture."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Request, Route

from tests.portal.pages.scene import Portal, landing_free, new_guest, open_window

pytestmark = pytest.mark.browser


def test_the_script_tells_once_of_a_message_that_was_open_for_its_least_time(
    portal: Portal, chromium: Browser
) -> None:
    told: list[str] = []

    def note(asked: Request) -> None:
        if "/pause/seen" in asked.url:
            told.append((asked.post_data or "").rpartition("&")[2])

    def with_lost_picture(route: Route) -> None:
        """The page, with a picture that something on the phone keeps from loading."""
        answer = route.fetch()
        page = answer.text().replace('<p class="lead">', '<img src="/images/lost" alt=""><p class="lead">')
        route.fulfill(response=answer, body=page)

    with open_window(chromium) as window:
        guest = new_guest(portal, window, "fr")
        window.on("request", note)
        guest.page.clock.install()
        guest.page.route("**/?landing=*", with_lost_picture)
        with guest.page.expect_request("**/pause/seen*"):
            landing_free(guest)
        assert told == ["blocked=1"]
        guest.page.clock.run_for(5_000)
        assert told == ["blocked=1"]
        with guest.page.expect_request("**/pause/seen*"):
            guest.page.clock.run_for(1_000)
        guest.page.clock.run_for(20_000)
        assert told == ["blocked=1", "viewed=1"]
