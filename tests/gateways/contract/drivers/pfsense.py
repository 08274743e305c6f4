"""A firewall with pfSense as the portal sees it: packets of RADIUS as its source sends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyrad import packet

from tests.gateways.contract.drivers.nas import NasDriver, Passing, free_port, opened_nas


class PfsenseDriver(NasDriver):
    """It looks at the clock once a minute, and ends what is over then."""

    def _until(self, held: Passing) -> float:
        return -(-super()._until(held) // 60.0) * 60.0

    def rates_in(self, reply: packet.Packet) -> tuple[int, int]:
        down, up = "pfSense-Bandwidth-Max-Down", "pfSense-Bandwidth-Max-Up"
        return (reply[down][0], reply[up][0]) if down in reply else (0, 0)


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(PfsenseDriver(folder, "pfsense", free_port()), folder) as driver:
        yield driver
