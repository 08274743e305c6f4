"""A MikroTik router as the portal sees it: packets of RADIUS as RouterOS documents them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyrad import packet

from gateways.types import Client
from tests.gateways.contract.drivers.nas import NasDriver, free_port, opened_nas


class MikrotikDriver(NasDriver):
    """It names clients with colons, and takes rates in an attribute of its own."""

    def names(self, client: Client, session_id: str) -> dict[str, str]:
        return {
            "Calling_Station_Id": client.mac.upper(),
            "Called_Station_Id": "hotspot1",
            "Framed_IP_Address": str(client.addresses[0]),
            "Acct_Session_Id": session_id,
        }

    def rates_in(self, reply: packet.Packet) -> tuple[int, int]:
        if "Mikrotik-Rate-Limit" not in reply:
            return 0, 0
        up, down = (1000 * int(part.removesuffix("k")) for part in reply["Mikrotik-Rate-Limit"][0].split("/"))
        return down, up


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(MikrotikDriver(folder, "mikrotik", free_port()), folder) as driver:
        yield driver
