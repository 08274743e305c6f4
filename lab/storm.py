"""``python -m lab.storm``: a crowd comes to the live hotspot while somebody is online. Prints what was met.

    python -m lab.storm [--phones 10000] [--seconds 600] [--stay 330]

Every phone has a card and an IPv6 address, and goes the whole way of the free network as phones do (`lab.crowd`):
probes, redirects, landing, message, button, session, a stay, and its end. Portal, front, agents, kernel and the crowd
itself are on the same processors. The addresses stand on the gateway, behind its radio: what the air costs is not
measured. Exit status 1 where anything failed, somebody who was online was harmed, or an aim of docs/performance.md was
missed that no other work on the machine can spoil.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import resource
import shutil
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from gateways.types import MacAddress
from lab import doors, flows
from lab.bench.figures import percentile
from lab.crowd import Places, Seen, Walker
from lab.hotspot import PORTAL_HOST, Hotspot, hotspot
from lab.journeys import CARD, PIN, PROBE
from lab.namespace import Namespace, NoNamespaces, become_root, demand_namespaces
from lab.network import client_prefix
from lab.packages import HOTSPOT, MissingPackages, provide
from lab.records import REDIRECTOR_PORT
from lab.watching import Watch
from sessions.models import Lease
from sites.models import Network

FAILED, IMPOSSIBLE = 1, 3
# linux/in6.h: bind to an address that is nobody's yet.
IPV6_FREEBIND = 78
CROWD, LIBRARY = 0, 1
CONFIRMING_SECONDS = 60.0
WARMING, SHORTEST_LEASE = 30, 30
# Two workers, and what the connections of their threads remember of SQLite's file.
PORTAL_MEGABYTES = 350


def main() -> int:
    parser = argparse.ArgumentParser(description="A crowd comes to the live hotspot.")
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=600, help="in which they come, one after the other")
    parser.add_argument("--stay", type=float, default=330, help="for how many seconds each is online")
    chosen = parser.parse_args()
    try:
        provide(HOTSPOT)
        become_root()
        demand_namespaces("dnsmasq", "openssl", "nginx")
    except (MissingPackages, NoNamespaces) as reason:
        print(f"No storm here: {reason}", file=sys.stderr)
        return IMPOSSIBLE
    folder = Path(tempfile.mkdtemp(prefix="arobase-storm-"))
    try:
        with hotspot(folder, (doors.STATION, doors.LIBRARY)) as place:
            place.start()
            result = storm(place, phones=chosen.phones, seconds=chosen.seconds, stay=chosen.stay)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in result.items():
        print(json.dumps({"name": name, "value": value}), flush=True)
    harmed = result["errors"] or result["phones let in"] != chosen.phones or result["datagrams lost, online"]
    is_heavy = result["portal, most memory (MB)"] > PORTAL_MEGABYTES
    return FAILED if harmed or is_heavy else 0


def storm(place: Hotspot, *, phones: int, seconds: float, stay: float) -> dict[str, Any]:
    """Have them come, beside a patron who is online; what was met, by name."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    guest = place.guest(place.net.phone[0])
    place.join(guest, place.net.gateways[LIBRARY])
    guest.submit(guest.get(PROBE), "/signin", login=CARD, secret=PIN)
    outside = str(place.net.internet_address(4))
    running = [flows.download(guest.phone, outside), flows.echo(guest.phone, outside)]
    _prepare(place, WARMING + phones, stay)
    # Each worker has imported everything and read its templates before what a phone costs is counted.
    asyncio.run(_come(place, Seen(), range(phones, phones + WARMING), 0.2, stay=0.0))
    seen, began = Seen(), time.monotonic()
    with Watch(place.processes) as watch:
        asyncio.run(_come(place, seen, range(phones), seconds / phones, stay))
        took = time.monotonic() - began
        let_in = _await_leases(place, phones + WARMING) - WARMING
    for flow in running:
        flow.stop()
    return {
        "phones": phones,
        "a second": round(phones / seconds, 2),
        "phones let in": let_in,
        "online at once": seen.most_here,
        "seconds in all": round(took, 1),
        "errors": sum(seen.errors.values()),
        **{f"error: {name}": count for name, count in seen.errors.items()},
        "put off with a page that asks again": seen.put_off,
        **{f"phones of which each {name}": count for name, count in seen.habits.items()},
        "requests": sum(map(len, seen.waits.values())),
        **dict(_figures(seen)),
        **watch.figures(phones),
        "longest silence of a download, online (s)": round(running[0].longest_gap, 3),
        "datagrams, online": running[1].sent,
        "datagrams lost, online": running[1].lost,
        "load of the machine": round(os.getloadavg()[0], 1),
    }


def _figures(seen: Seen) -> Iterator[tuple[str, float]]:
    for kind, waits in [*seen.waits.items(), ("from the button to the session's page", seen.online)]:
        for share in (50, 95, 100):
            yield f"{kind}, p{share} (s)", round(percentile(waits, share), 3) if waits else 0.0


async def _come(place: Hotspot, seen: Seen, phones: range, pause: float, stay: float) -> None:
    gateway = place.net.gateways[CROWD]
    places = Places(
        PORTAL_HOST,
        (str(place.net.portal_address(6)), 443),
        (str(gateway.address(6)), REDIRECTOR_PORT),
        ssl.create_default_context(cafile=place.papers.authority.certificate),
    )
    began = time.monotonic()
    async with asyncio.TaskGroup() as crowd:
        for place_in_line, number in enumerate(phones):
            await asyncio.sleep(max(0.0, began + place_in_line * pause - time.monotonic()))
            crowd.create_task(Walker(number, places, _lines(gateway.ns, number), seen, stay).come())


def _lines(gateway: Namespace, number: int) -> Callable[[], socket.socket]:
    """What makes sockets that have this phone's address."""

    def line() -> socket.socket:
        made = gateway.socket(socket.AF_INET6)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        made.bind((str(_address(number)), 0))
        return made

    return line


def _prepare(place: Hotspot, phones: int, stay: float) -> None:
    """Give the gateway the phones' addresses, and tell it whose cards are behind them: they are on no air.

    A lease lasts as long as a phone stays, with no renewal before the middle.
    """
    length = max(SHORTEST_LEASE, round(stay))
    with place.services.make_session.begin() as db:
        network = update(Network).where(Network.slug == place.doors[CROWD].network)
        db.execute(network.values(lease_seconds=length, renewal_seconds=length // 3))
    gateway = place.net.gateways[CROWD]
    gateway.ns.ip(
        f"route add local {_addresses()} dev lo",
        *(
            f"neigh replace {_address(number)} lladdr {_card(number)} dev {gateway.clients} nud permanent"
            for number in range(phones)
        ),
    )


def _card(number: int) -> MacAddress:
    return MacAddress(f"06:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")


def _addresses() -> ipaddress.IPv6Network:
    network = client_prefix(6, CROWD)
    return ipaddress.IPv6Network((int(network.network_address) + (5 << 48), 80))


def _address(number: int) -> ipaddress.IPv6Address:
    return _addresses()[number + 1]


def _await_leases(place: Hotspot, phones: int) -> int:
    """How many of the crowd the gateway's kernel has let in, as far as it has said."""
    identity = place.doors[CROWD].identity
    gateway = place.services.places.by_identity(identity)
    assert gateway is not None
    deadline = time.monotonic() + CONFIRMING_SECONDS
    while True:
        with place.services.make_session() as db:
            found = db.scalar(
                select(func.count(func.distinct(Lease.access_id))).where(
                    Lease.gateway_id == gateway.id, Lease.confirmed_at.is_not(None)
                )
            )
        if (found or 0) >= phones or time.monotonic() > deadline:
            return found or 0
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
