"""What a gateway that speaks RADIUS lacks, as far as FreeRADIUS on this machine says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from gateways.radius import server_log
from gateways.set_up import Finding
from portal.services import services
from sites.models import Gateway

LOG = Path("/var/log/freeradius/radius.log")
# Of what was long ago, nothing is said: it may have been mended.
LATELY = timedelta(hours=1)
MOST_BYTES = 262_144


def self_test(gateway: Gateway) -> list[Finding]:
    """What FreeRADIUS has dropped lately. Nothing where it runs on another machine, or its log may not be read."""
    return list(_found(gateway, LOG))


def _found(gateway: Gateway, log: Path) -> Iterator[Finding]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - MOST_BYTES))
            lines = file.read(MOST_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    dropped = server_log.read(lines, since=services().clock() - LATELY)
    if any(name.rpartition("-")[0] == gateway.identity for name in dropped.clients):
        yield Finding("radius_secret_differs", (("gateway", gateway.identity),))
    if dropped.strangers:
        yield Finding("radius_strangers", (("addresses", ", ".join(dropped.strangers[:5])),))
