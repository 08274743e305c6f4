"""What gateways without packets have in common as drivers: a clock that the test moves, and clients of thin air."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from gateways.types import Client, parse_mac
from tests.clock import MovingClock
from tests.gateways.contract.driver import Download
from tests.gateways.contract.portal import ContractPortal

CREDENTIAL = "credential-of-gate-0-0123456789abcdef"
URL = "https://portal.example.org"


class InMemory:
    """Everything but what the gateway itself holds."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.clock = MovingClock()
        self.portal = ContractPortal(folder, kind, clock=self.clock, credential=CREDENTIAL, url=URL)
        self.is_portal_there = True
        self._newcomers = 0

    def newcomer(self) -> Client:
        self._newcomers += 1
        address = ipaddress.ip_address(f"10.66.0.{9 + self._newcomers}")
        return Client(parse_mac(f"02:00:00:00:00:{self._newcomers:02x}"), (address,))

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    def portal_away(self) -> None:
        self.is_portal_there = False

    def portal_back(self) -> None:
        self.portal.restart()
        self.is_portal_there = True

    def download(self, client: Client, *, bytes_sent: int) -> Download:
        raise AssertionError("no packet passes through it")
