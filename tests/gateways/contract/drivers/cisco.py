"""A controller of Cisco as the portal sees it: packets of RADIUS as documented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.types import Client
from tests.gateways.contract.drivers.nas import NasDriver, free_port, opened_nas


class CiscoDriver(NasDriver):
    """It names clients in small letters."""

    def names(self, client: Client, session_id: str) -> dict[str, str]:
        return super().names(client, session_id) | {"Calling_Station_Id": client.mac}


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(CiscoDriver(folder, "cisco", free_port()), folder) as driver:
        yield driver
