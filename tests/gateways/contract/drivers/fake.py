"""FakeGateway, which lives in the portal's memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.fake.gateway import FakeGateway
from gateways.types import Client
from portal.gateway_api.fake import HELD, fake_gateway
from tests.gateways.contract.drivers.in_memory import InMemory


class FakeDriver(InMemory):
    @property
    def _fake(self) -> FakeGateway:
        with self.portal.app.app_context():
            return fake_gateway(self.portal.gateway)

    def passes(self, client: Client) -> bool:
        return self.end_of(client) is not None

    def end_of(self, client: Client) -> float | None:
        return self._fake.end_of(client.mac, now=self.clock().timestamp())

    def learn(self) -> None:
        """It is told."""

    def power_cut(self) -> None:
        self.portal.app.extensions.pop(HELD, None)


@contextmanager
def opened(folder: Path) -> Iterator[FakeDriver]:
    driver = FakeDriver(folder, "fake")
    yield driver
    driver.portal.close()
