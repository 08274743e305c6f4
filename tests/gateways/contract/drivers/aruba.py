"""Access points of Aruba as the portal sees them: packets of RADIUS as documented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.types import Client
from tests.gateways.contract.drivers.nas import NasDriver, free_port, opened_nas


class ArubaDriver(NasDriver):
    """It names clients without separators."""

    def names(self, client: Client, session_id: str) -> dict[str, str]:
        return super().names(client, session_id) | {"Calling_Station_Id": client.mac.replace(":", "")}


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(ArubaDriver(folder, "aruba", free_port()), folder) as driver:
        yield driver
