"""The first page: how many a second, and how many bytes over the air; and what a portal at work weighs."""

from __future__ import annotations

import gzip
import ipaddress
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from gateways.landing_token import Landing, sign
from gateways.types import parse_mac
from lab.bench.figures import Figure
from lab.bench.load import demand, load
from lab.bench.memory import proportional_bytes
from lab.bench.portal import RunningPortal, running_portal
from lab.doors import LIBRARY, STATION, Door
from lab.hotspot import now

MEGABYTE = 1e6
ADDRESS = "10.66.0.77"
# As a browser asks: the front compresses each page anew.
HEADERS = (f"X-Forwarded-For: {ADDRESS}", "Accept-Encoding: gzip")


def measure(folder: Path, *, seconds: int) -> Iterator[Figure]:
    """Landing pages of both networks, as a phone without a cookie asks for them after the redirector's answer."""
    demand("wrk")
    with running_portal(folder, f"sqlite:///{folder / 'town.sqlite3'}") as portal:
        for door, network in ((STATION, "free"), (LIBRARY, "library")):
            url = landing_url(portal, door)
            rate = rate_of(url, portal, seconds=seconds)
            yield Figure(f"landing pages, {network} network", rate, "1/s", "at least 1,500")
            octets = len(gzip.compress(fetch(url, portal.ca_file), 9))
            yield Figure(
                f"first page, {network} network, gzip -9", octets, "B", "at most 6,000", "wall: 14,000 B"
            )
        weight = proportional_bytes(portal.process.pid)
        yield Figure(
            "memory of the portal, two workers (PSS)", weight / MEGABYTE, "MB", "under 250", "185 MB bare"
        )


def rate_of(url: str, portal: RunningPortal, *, seconds: int) -> float:
    """How many a second, once the portal has started and shown the page for a second."""
    # Its port is open before its workers have imported anything.
    fetch(url, portal.ca_file)
    load(url, seconds=1, headers=HEADERS)
    return load(url, seconds=seconds, headers=HEADERS).per_second


def landing_url(portal: RunningPortal, door: Door) -> str:
    """Where a gateway's redirector sends the phone that has `ADDRESS`."""
    gateway = portal.services.places.by_identity(door.identity)
    assert gateway is not None
    seen = Landing(gateway.identity, parse_mac("02:00:00:00:0a:01"), ipaddress.ip_address(ADDRESS))
    token = sign(
        seen,
        key=portal.services.gateway_secrets.landing_key(gateway.credential_digest),
        now=now().timestamp(),
    )
    return f"{portal.url}/?landing={token}"


def fetch(url: str, ca_file: Path) -> bytes:
    trust = ssl.create_default_context(cafile=ca_file)
    asked = urllib.request.Request(url, headers={"X-Forwarded-For": ADDRESS})
    with urllib.request.urlopen(asked, timeout=10, context=trust) as answer:
        body: bytes = answer.read()
        return body
