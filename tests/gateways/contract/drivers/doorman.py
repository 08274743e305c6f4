"""The made-up doorman, whom the portal calls."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateways.types import Client
from tests.gateways.contract.drivers.in_memory import InMemory
from tests.gateways.contract.portal import IDENTITY


class DoormanDriver(InMemory):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "doorman")
        self._made: Any = importlib.import_module("gateways.doorman.box")
        self._doormen: dict[str, Any] = self._made.DOORMEN
        self.power_cut()

    def passes(self, client: Client) -> bool:
        return client.mac in self._doormen[IDENTITY].inside

    def end_of(self, client: Client) -> float | None:
        return None

    def learn(self) -> None:
        """He is called."""

    def power_cut(self) -> None:
        self._doormen[IDENTITY] = self._made.Doorman()

    def portal_away(self) -> None:
        super().portal_away()
        self._doormen[IDENTITY].is_there = False

    def portal_back(self) -> None:
        super().portal_back()
        self._doormen[IDENTITY].is_there = True


@contextmanager
def opened(folder: Path) -> Iterator[DoormanDriver]:
    driver = DoormanDriver(folder)
    yield driver
    driver.portal.close()
