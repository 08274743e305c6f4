"""From the end in the kernel to the word on a page that was left open, with script and without."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import update

from lab.bench.figures import Figure
from lab.bench.load import SpoiltRun
from lab.doors import STATION
from lab.flows import echo
from lab.guest import Guest
from lab.hotspot import PORTAL_HOST, Hotspot, hotspot
from lab.journeys import PROBE, is_online
from lab.left_open import ENDED
from lab.namespace import demand_namespaces
from lab.report import until
from sites.models import Network
from tests.services.parts import program

VIEWING_SECONDS = 1
PATIENCE_SECONDS = 120
MODES = (("script", "at most 2"), ("plain", "at most 5"))


def measure(folder: Path, *, rounds: int, lease_seconds: int) -> Iterator[Figure]:
    """Phones on the free network, Chromium in their namespaces, and a flow whose last datagram is the kernel's end.

    The browser must have come before the lease of `lease_seconds` ends.
    """
    program("chromium")
    demand_namespaces("dnsmasq", "openssl", "nginx")
    with hotspot(folder, [STATION], phones=len(MODES)) as place, ThreadPoolExecutor() as pool:
        place.start()
        _compress(place, lease_seconds)
        guests = [place.guest(phone) for phone in place.net.phone[: len(MODES)]]
        for guest in guests:
            place.join(guest, place.net.gateways[0])
        # Each phone waits for the end of a lease: both at once.
        watching = [
            pool.submit(_longest, place, guest, mode, rounds)
            for guest, (mode, _) in zip(guests, MODES, strict=True)
        ]
        for (mode, aim), watched in zip(MODES, watching, strict=True):
            name = "with script" if mode == "script" else "without script"
            yield Figure(
                f"kernel's end to the page's word, {name}, longest of {rounds}", watched.result(), "s", aim
            )


def _longest(place: Hotspot, guest: Guest, mode: str, rounds: int) -> float:
    return max(_seconds_to_the_word(place, guest, mode) for _ in range(rounds))


def _compress(place: Hotspot, lease_seconds: int) -> None:
    with place.services.make_session.begin() as db:
        short = {"lease_seconds": lease_seconds, "renewal_seconds": 5, "viewing_seconds": VIEWING_SECONDS}
        db.execute(update(Network).where(Network.slug == STATION.network).values(**short))


def _seconds_to_the_word(place: Hotspot, guest: Guest, mode: str) -> float:
    landing = guest.get(PROBE)
    time.sleep(VIEWING_SECONDS + 0.1)
    page = guest.submit(landing, "/pause")
    if not page.shows_session:
        raise SpoiltRun(f"the message led to {page.path}")
    until(lambda: is_online(guest), 5)
    flow = echo(guest.phone, str(place.net.internet_address(4)))
    address = guest.resolve(PORTAL_HOST)
    watched = guest.phone.ns.python(
        "-m", "lab.bench.watched_page", address, mode, ENDED, stdout=subprocess.PIPE, text=True
    )
    printed, _ = watched.communicate(timeout=PATIENCE_SECONDS)
    times = [float(line) for line in printed.split()]
    if len(times) != 2 or not flow.until_silent(5):
        raise SpoiltRun("the page did not say that the connection ended, or the connection did not end")
    if times[0] > flow.last_at:
        raise SpoiltRun("the browser came when the connection had ended already")
    return times[1] - flow.last_at
