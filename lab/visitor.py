"""The visitor's journey: a clerk issues a day pass at the desk, and it lasts until the end of a day of 24 seconds."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from html import unescape

from sqlalchemy import update

from auth.vouchers.models import Plan
from lab import doors
from lab.clerk import DESK, Clerk
from lab.flows import download, echo
from lab.guest import Guest, Page
from lab.hotspot import Hotspot, now
from lab.journeys import (
    DOWNLOAD_BYTES,
    LIBRARY,
    MOST_AFTER_DEADLINE,
    PROBE,
    Tour,
    cut_at,
    is_online,
    seconds_told,
)
from lab.report import Report, until

PLAN = "day"
# An hour of the day becomes a second.
DAY_SECONDS = 24
ENDED = "Ce pass n’est plus valable"
_REFUSED = re.compile(r'<div class="refused".*?<h2>(?:<a[^>]*>)?([^<]+)', re.DOTALL)
_BOOKS = re.compile(r"printed (\d+) used (\d+) void (\d+) expired (\d+) left (\d+)")


def visitor_has_a_day_pass(tour: Tour) -> None:
    report, guest = tour.report, tour.visitor
    report.journey("6. A clerk issues a day pass; a visitor redeems it, and is cut at the end of the day")
    clerk = Clerk(tour.place)
    desk = _clerk_signs_in(report, clerk)
    url = tour.arrive(guest, LIBRARY)
    report.step("the RFC 8908 answer says captive to the visitor", guest.capport(url)["captive"] is True)
    midnight = bring_midnight(tour.place)
    pressed = time.monotonic()
    code = clerk.issue(desk, plan=PLAN, site=doors.LIBRARY.site)
    report.step("the desk's one button gives a code", True, f"{(time.monotonic() - pressed) * 1000:.0f} ms")
    _redeem(report, guest, code)
    left = seconds_told(guest, url)
    report.step("the RFC 8908 answer is true", 0 < left <= DAY_SECONDS, f"{left} s left")
    granted = tour.access(guest).until
    apart = (granted - midnight).total_seconds()
    report.step("the pass lasts until the end of the day, to the instant", apart == 0, f"{apart:g} s apart")
    body = guest.fetch("GET", f"http://www.example.org/bytes/{DOWNLOAD_BYTES}").body
    report.step("bytes of the Internet", len(body) == DOWNLOAD_BYTES, str(len(body)))
    flows = [download(guest.phone, tour.outside), echo(guest.phone, tour.outside)]
    cut_at(report, flows, midnight.timestamp(), "end of the day", MOST_AFTER_DEADLINE)
    report.step("the phone is captive again", not is_online(guest))
    _try_again(report, guest, code)
    _balance(tour)


def bring_midnight(place: Hotspot) -> datetime:
    """Let the day of the plan end in `DAY_SECONDS`; gives that instant.

    The plan counts until local midnight, which nobody can move. So its calendar end is set, as an operator may set
    it: it stands above midnight in the same rule (`auth.vouchers.plans.until`), and what follows from the end of a
    pass is all the same from there on: the session's deadline, the gateway's, the words of the refusal.
    """
    end = now() + timedelta(seconds=DAY_SECONDS)
    with place.services.make_session.begin() as db:
        db.execute(update(Plan).where(Plan.slug == PLAN).values(ends_at=end))
    return end


def _clerk_signs_in(report: Report, clerk: Clerk) -> Page:
    page = clerk.open_door()
    report.step("the desk asks who is there", page.path == "/staff/signin", page.path)
    second = clerk.give_password(page)
    still = clerk.open_door()
    report.step("a clerk's password alone does not open it", still.path == "/staff/signin", still.path)
    desk = clerk.give_digits(second)
    report.step("with the six digits it opens", desk.path == DESK and desk.has_form(DESK), desk.path)
    return desk


def _redeem(report: Report, guest: Guest, code: str) -> None:
    landing = guest.get(PROBE)
    wrong = guest.submit(landing, "/pass", code=code[:-1])
    refused = wrong.status >= 400 and not is_online(guest)
    report.step("a code with a symbol missing is refused", refused, _words(wrong))
    typed = f" {code.lower().replace('-', ' ')} "
    pressed = time.monotonic()
    page = guest.submit(wrong, "/pass", code=typed)
    report.step("typed small and with spaces it opens the status page", page.shows_session, f"“{typed}”")
    until(lambda: is_online(guest), 5, every=0.005)
    took = time.monotonic() - pressed
    report.step("from the button to the first byte of the Internet", True, f"{took * 1000:.0f} ms")


def _try_again(report: Report, guest: Guest, code: str) -> None:
    page = guest.submit(guest.get(PROBE), "/pass", code=code)
    words = _words(page)
    refused = page.status >= 400 and words.startswith(ENDED) and not is_online(guest)
    report.step("the same code again is refused, and told why", refused, f"{page.status}, “{words}”")


def _words(page: Page) -> str:
    """The refusal on a page; empty where there is none."""
    output = _REFUSED.search(page.text)
    return unescape(output[1]) if output else ""


def _balance(tour: Tour) -> None:
    output = tour.place.flask("vouchers", "list", "--most", "1")
    found = _BOOKS.search(output)
    counts = [int(number) for number in found.groups()] if found else []
    measured = found[0] if found else output.strip()
    tour.report.step("the books add up: printed and used", counts == [1, 1, 0, 0, 0], measured)
