"""Journey of the tour: the page of the connection is left open, in a browser that runs no script."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from lab.flows import echo
from lab.guest import Guest, Page
from lab.journeys import RENEWAL_SECONDS, STATION, VIEWING_SECONDS, Tour, accept, is_online
from lab.report import NotInTime, until

MOST_TO_THE_WORD = 2.0
ENDED = "Vous n’êtes pas en ligne"


def page_left_open_warns_and_ends(tour: Tour) -> None:
    report, guest = tour.report, tour.visitor
    report.journey(
        "7. The page of the connection is left open: it warns, one tap renews, and it says the end"
    )
    tour.arrive(guest, STATION)
    page = accept(guest)
    until(lambda: is_online(guest), 5)
    first = tour.access(guest).until
    flow = echo(guest.phone, tour.outside)
    page = refreshed(guest, page, lambda shown: shown.has_form("/pause"), before=first)
    left = first.timestamp() - time.time()
    claim = f"it warns by itself, {RENEWAL_SECONDS} 'minutes' before the end, with the message on it"
    report.step(claim, 0 < left <= RENEWAL_SECONDS, f"{left:.1f} s left")
    time.sleep(VIEWING_SECONDS + 0.1)
    page = guest.submit(page, "/pause")
    second = tour.access(guest).until
    report.step("one tap renews", second > first and page.shows_session, page.path)
    time.sleep(max(0.0, first.timestamp() + 1 - time.time()))
    report.step("with no gap", flow.longest_gap < 1, f"longest {flow.longest_gap * 1000:.0f} ms")
    refreshed(guest, page, lambda shown: ENDED in shown.text, before=None)
    after = time.time() - second.timestamp()
    report.step(
        "left alone, the page says that it ended", 0 <= after <= MOST_TO_THE_WORD, f"{after:+.1f} s after"
    )
    report.step("and so it is", not is_online(guest))


def refreshed(guest: Guest, page: Page, is_so: Callable[[Page], bool], *, before: datetime | None) -> Page:
    """The page as it is when it says so: loaded again whenever it asks for that, as a browser does."""
    while not is_so(page):
        again = page.refresh
        if again is None or (before is not None and time.time() > before.timestamp()):
            raise NotInTime(f"{page.path} asks no more, and never said it")
        time.sleep(again.seconds)
        page = guest.get(again.url)
    return page
