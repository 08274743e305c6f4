"""From the end in the kernel to the word on a page that was left open, with script and without."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

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

# Long enough for a browser to start on a busy machine, with half a minute more.
LEASE_SECONDS, VIEWING_SECONDS = 40, 1
PATIENCE_SECONDS = 120
MODES = (("script", "at most 2"), ("plain", "at most 5"))


def measure(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """A phone on the free network, Chromium in its namespace, and a flow whose last datagram is the kernel's end."""
    program("chromium")
    demand_namespaces("dnsmasq", "openssl", "nginx")
    with hotspot(folder, [STATION]) as place:
        place.start()
        _compress(place)
        guest = place.guest(place.net.phone[0])
        place.join(guest, place.net.gateways[0])
        for mode, aim in MODES:
            seconds = max(_seconds_to_the_word(place, guest, mode) for _ in range(rounds))
            name = "with script" if mode == "script" else "without script"
            yield Figure(f"kernel's end to the page's word, {name}, longest of {rounds}", seconds, "s", aim)


def _compress(place: Hotspot) -> None:
    with place.services.make_session.begin() as db:
        short = {"lease_seconds": LEASE_SECONDS, "renewal_seconds": 5, "viewing_seconds": VIEWING_SECONDS}
        db.execute(update(Network).where(Network.slug == STATION.network).values(**short))


def _seconds_to_the_word(place: Hotspot, guest: Guest, mode: str) -> float:
    landing = guest.get(PROBE)
    time.sleep(VIEWING_SECONDS + 0.1)
    page = guest.submit(landing, "/pause")
    if urlsplit(page.url).path != "/status":
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
