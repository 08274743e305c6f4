"""The made-up hourglass, asking the portal as its maker would have it ask."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateways.types import Client
from tests.gateways.contract.drivers.in_memory import InMemory


class HourglassDriver(InMemory):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "hourglass")
        self.box: Any = importlib.import_module("gateways.hourglass.box").Hourglass()

    def passes(self, client: Client) -> bool:
        return self.end_of(client) is not None

    def end_of(self, client: Client) -> float | None:
        end: float = self.box.ends.get(client.mac, 0.0)
        return end if self.clock().timestamp() < end else None

    def learn(self) -> None:
        if not self.is_portal_there:
            return
        browser, base = self.portal.app.test_client(), self.portal.url
        headers = {"Authorization": f"Bearer {self.portal.credential}"}
        answer = browser.get("/gateways/hourglass/list", base_url=base, headers=headers).get_json()
        for mac, minutes in answer["minutes"].items():
            self.box.turn(mac, minutes, now=self.clock().timestamp())
        taken = {"version": answer["version"]}
        browser.post("/gateways/hourglass/taken", base_url=base, headers=headers, json=taken)

    def power_cut(self) -> None:
        self.box.ends.clear()


@contextmanager
def opened(folder: Path) -> Iterator[HourglassDriver]:
    driver = HourglassDriver(folder)
    yield driver
    driver.portal.close()
