"""A firewall with OPNsense as the portal sees it: it names no client, and looks at the clock every five seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.types import Client
from tests.gateways.contract.drivers.nas import NasDriver, Passing, free_port, opened_nas


class OpnsenseDriver(NasDriver):
    """Only user and password say who asks."""

    def names(self, client: Client, session_id: str) -> dict[str, str]:
        return {"NAS_Port": "0", "Acct_Session_Id": session_id}

    def account(self, status: str, client: Client, held: Passing, **more: object) -> None:
        super().account(status, client, held, Framed_IP_Address=str(client.addresses[0]), **more)

    def _until(self, held: Passing) -> float:
        return -(-super()._until(held) // 5.0) * 5.0


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(OpnsenseDriver(folder, "opnsense", free_port()), folder) as driver:
        yield driver
