"""Access points of Meraki as the portal sees them: packets of RADIUS as documented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.types import Client
from tests import radius_nas
from tests.gateways.contract.drivers.nas import NasDriver, free_port, opened_nas


class MerakiDriver(NasDriver):
    """It says no address, and takes Disconnect-Request by the session's number."""

    def listen(self, listener: radius_nas.Nas) -> None:
        listener.needs_user = False
        super().listen(listener)

    def names(self, client: Client, session_id: str) -> dict[str, str]:
        return {
            "Calling_Station_Id": client.mac.upper().replace(":", "-"),
            "Acct_Session_Id": session_id,
        }


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(MerakiDriver(folder, "meraki", free_port()), folder) as driver:
        yield driver
