"""A live hotspot: from a committed lease to the kernel's element, and how many strangers are shown the way."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from auth.entitlements import Allowance
from gateways.nftables.kernel import Generations
from gateways.types import Client, parse_mac
from lab.bench.figures import Figure, percentile
from lab.bench.load import SpoiltRun, demand, load
from lab.doors import LIBRARY
from lab.hotspot import Hotspot, hotspot, now
from lab.namespace import Inside, demand_namespaces
from lab.network import client_address
from sessions import start
from sessions.arrival import Acceptance, Arrival
from sessions.policy import patron_until
from sites.models import Gateway, SigninMethod

CLIENTS = 16
# As many have an address each: who gets another's is somebody who moves.
ADDRESSES = 230
LOOK_SECONDS = 0.0002
PATIENCE_SECONDS = 5.0
# Long enough for the agent to ask again, and never the same, so that no rhythm of theirs meets one of ours.
PAUSES = (0.02, 0.06)
# Whatever is closed or forgotten while nobody comes is so after this: what the portal remembers after 2 s, a line of
# the agent's after 20 s (portal.KEPT_SECONDS), a question to the feed after 25 s, granian's connections after 30 s.
QUIET_SECONDS = 35.0


def measure(folder: Path, *, grants: int, quiet: int, seconds: int) -> Iterator[Figure]:
    """On one box, over TLS, with portal, agent, DNS and sweep all at work."""
    demand("wrk")
    demand_namespaces("dnsmasq", "openssl", "nginx")
    with hotspot(folder, [LIBRARY]) as place:
        place.start()
        yield from _single_grants(place, grants)
        if quiet:
            yield from _first_grants(place, quiet, numbered_from=grants)
        yield from _redirections(place, seconds)


def _single_grants(place: Hotspot, count: int) -> Iterator[Figure]:
    gateway = place.services.places.by_identity(LIBRARY.identity)
    assert gateway is not None
    watch = KernelWatch(place.net.gateway.ns)
    waits = []
    for number in range(count):
        time.sleep(random.uniform(*PAUSES))
        waits.append(_until_in_kernel(place, gateway, watch, number))
    name = "committed lease to kernel element"
    reference = "openNDS levels 0 to 2: under 200 ms, level 3: 1.8 to 9.8 s"
    yield Figure(f"{name}, p50", percentile(waits, 50) * 1000, "ms", "", reference)
    yield Figure(f"{name}, p99", percentile(waits, 99) * 1000, "ms", "under 20", reference)
    listed = place.net.gateway.ns.run(["nft", "list", "map", "inet", "arobase", "clients4"]).stdout
    held = listed.count("02:aa:")
    if held != count:
        raise SpoiltRun(f"the kernel holds {held} of {count} leases")


def _first_grants(place: Hotspot, count: int, *, numbered_from: int) -> Iterator[Figure]:
    """Nobody comes for so long that kept lines are closed and what was remembered is forgotten: then one does.

    Each in turn with the next one a moment later, which tells what the quiet cost on this machine.
    """
    gateway = place.services.places.by_identity(LIBRARY.identity)
    assert gateway is not None
    watch = KernelWatch(place.net.gateway.ns)
    first, second = [], []
    for number in range(numbered_from, numbered_from + 2 * count, 2):
        time.sleep(QUIET_SECONDS)
        first.append(_until_in_kernel(place, gateway, watch, number))
        time.sleep(random.uniform(*PAUSES))
        second.append(_until_in_kernel(place, gateway, watch, number + 1))
    name = "committed lease to kernel element, after a quiet time"
    yield Figure(f"{name}, p50", percentile(first, 50) * 1000, "ms")
    yield Figure(f"{name}, longest", max(first) * 1000, "ms", "under 20")
    yield Figure(f"{name}, the next one, p50", percentile(second, 50) * 1000, "ms")


def _until_in_kernel(place: Hotspot, gateway: Gateway, watch: KernelWatch, number: int) -> float:
    seen = watch.latest()
    _grant(place, gateway, number, at=now())
    return watch.wait_for_change(seen)


def _grant(place: Hotspot, gateway: Gateway, number: int, *, at: datetime) -> None:
    """What a sign-in does after the PIN was right, committed."""
    mac = parse_mac(f"02:aa:00:00:{number >> 8:02x}:{number & 255:02x}")
    client = Client(mac, (client_address(4, 0, 20 + number % ADDRESSES),))
    until = patron_until(now=at, length=gateway.lease_length, closing=None)
    allowance = Allowance(f"bench-{number}", SigninMethod.PATRON, until, 2)
    acceptance = Acceptance(gateway.network.terms_version, "fr", "0" * 64)
    with place.services.make_session.begin() as db:
        start.open_access(db, Arrival(gateway, client, acceptance), allowance=allowance, now=at)


def _redirections(place: Hotspot, seconds: int) -> Iterator[Figure]:
    """A phone without a lease asks for any page of the Internet; nobody keeps a connection to the redirector."""
    phone = place.net.phone[0]
    phone.walk(place.net.gateway)
    url = f"http://{place.net.internet_address(4)}/"
    for length in (1, seconds):
        reached = load(url, seconds=length, clients=CLIENTS, run=phone.run)
    yield Figure(
        "redirector answers", reached.per_second, "1/s", "at least 3,000", "one core, a connection each"
    )


class KernelWatch:
    """Waits for the next change of a namespace's tables. Asking costs microseconds, and no lock of the kernel's."""

    def __init__(self, node: Inside) -> None:
        self.latest = node.call(Generations).latest

    def wait_for_change(self, seen: int, *, changes: int = 1) -> float:
        """Seconds from now until the tables are so many changes further than `seen`."""
        started = time.perf_counter()
        while self.latest() < seen + changes:
            if time.perf_counter() - started > PATIENCE_SECONDS:
                raise SpoiltRun("a lease did not reach the kernel within five seconds")
            time.sleep(LOOK_SECONDS)
        return time.perf_counter() - started
