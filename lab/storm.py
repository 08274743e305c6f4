"""``python -m lab.storm``: a crowd comes to the live hotspot while somebody is online. Prints what was met.

    python -m lab.storm [--phones 2000] [--per-second 40]

Every phone has a card and an IPv6 address, makes a TLS connection for each request, and goes the whole way of the
free network: landing, message, button, session. Portal, front, agent, kernel and the crowd itself are on the same
processors. The addresses stand on the gateway, behind its radio: what the air costs is not measured. Exit status 1
where anything failed.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import shutil
import socket
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from gateways.landing_token import Landing, sign
from gateways.types import MacAddress
from lab import doors, flows
from lab.bench.figures import percentile
from lab.crowd import Seen, Walker
from lab.hotspot import PORTAL_HOST, PORTAL_URL, Hotspot, hotspot, now
from lab.journeys import CARD, PIN, PROBE
from lab.namespace import NoNamespaces, become_root, demand_namespaces
from lab.network import client_prefix
from lab.packages import HOTSPOT, MissingPackages, provide
from sessions.models import Lease

FAILED, IMPOSSIBLE = 1, 3
# linux/in6.h: bind to an address that is nobody's yet.
IPV6_FREEBIND = 78
CROWD, LIBRARY = 0, 1
CONFIRMING_SECONDS = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description="A crowd comes to the live hotspot.")
    parser.add_argument("--phones", type=int, default=2000)
    parser.add_argument("--per-second", type=float, default=40)
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
            result = storm(place, phones=chosen.phones, per_second=chosen.per_second)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in result.items():
        print(json.dumps({"name": name, "value": value}), flush=True)
    harmed = result["errors"] or result["phones online"] != chosen.phones or result["datagrams lost, online"]
    return FAILED if harmed else 0


def storm(place: Hotspot, *, phones: int, per_second: float) -> dict[str, Any]:
    """Have them come, beside a patron who is online; what was met, by name."""
    guest = place.guest(place.net.phone[0])
    place.join(guest, place.net.gateways[LIBRARY])
    guest.submit(guest.get(PROBE), "/signin", login=CARD, secret=PIN)
    outside = str(place.net.internet_address(4))
    running = [flows.download(guest.phone, outside), flows.echo(guest.phone, outside)]
    gateway = place.net.gateways[CROWD].ns
    gateway.run(["ip", "-6", "route", "add", "local", str(_addresses()), "dev", "lo"])
    began, seen = time.monotonic(), Seen()
    asyncio.run(_come(place, seen, phones, per_second))
    took = time.monotonic() - began
    online = _await_leases(place, phones)
    for flow in running:
        flow.stop()
    return {
        "phones": phones,
        "a second": per_second,
        "phones online": online,
        "seconds in all": round(took, 1),
        "errors": sum(seen.errors.values()),
        **{f"error: {name}": count for name, count in seen.errors.items()},
        "put off with a page that asks again": seen.put_off,
        **dict(_figures(seen)),
        "longest silence of a download, online (s)": round(running[0].longest_gap, 3),
        "datagrams, online": running[1].sent,
        "datagrams lost, online": running[1].lost,
        "load of the machine": round(os.getloadavg()[0], 1),
    }


def _figures(seen: Seen) -> Iterator[tuple[str, float]]:
    for kind, waits in [*seen.waits.items(), ("from the button to the session's page", seen.online)]:
        for share in (50, 95, 100):
            yield f"{kind}, p{share} (s)", round(percentile(waits, share), 3) if waits else 0.0


async def _come(place: Hotspot, seen: Seen, phones: int, per_second: float) -> None:
    trust = ssl.create_default_context(cafile=place.papers.authority.certificate)
    began = time.monotonic()
    async with asyncio.TaskGroup() as crowd:
        for number in range(phones):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            crowd.create_task(_walker(place, number, trust, seen).come(_landing(place, number)))


def _walker(place: Hotspot, number: int, trust: ssl.SSLContext, seen: Seen) -> Walker:
    gateway, address = place.net.gateways[CROWD].ns, str(_address(number))

    def line() -> socket.socket:
        made = gateway.socket(socket.AF_INET6)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        made.bind((address, 0))
        return made

    return Walker(PORTAL_HOST, (str(place.net.portal_address(6)), 443), line, trust, seen)


def _landing(place: Hotspot, number: int) -> str:
    """The link that the redirector would give this phone."""
    gateway = place.services.places.by_identity(place.doors[CROWD].identity)
    assert gateway is not None
    key = place.services.gateway_secrets.landing_key(gateway.credential_digest)
    mac = MacAddress(f"02:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}")
    token = sign(Landing(gateway.identity, mac, _address(number)), key=key, now=now().timestamp())
    return f"{PORTAL_URL}/?landing={token}"


def _addresses() -> ipaddress.IPv6Network:
    network = client_prefix(6, CROWD)
    return ipaddress.IPv6Network((int(network.network_address) + (5 << 48), 80))


def _address(number: int) -> ipaddress.IPv6Address:
    return _addresses()[number + 1]


def _await_leases(place: Hotspot, phones: int) -> int:
    """How many leases of the crowd the gateway's kernel holds, as far as it has said."""
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
