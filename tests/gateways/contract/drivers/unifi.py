"""A UniFi controller: its recorded wire, as no console can be had here (tests/gateways/unifi/recorded.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.types import Client
from portal.gateway_api import unifi_rounds
from tests.gateways.contract.driver import Download
from tests.gateways.contract.drivers.in_memory import InMemory
from tests.gateways.unifi.recorded import PASSWORD, USERNAME, RecordedController
from tests.services.certificates import Authority

# How long a download of the contract lasts, and what an access point sends without a rate of its own.
DOWNLOAD_SECONDS, LINE_KBPS = 10.0, 50_000


class UnifiDriver(InMemory):
    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        password = folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        super().__init__(folder, "unifi")
        certificate = authority.issue("127.0.0.1", label="controller")
        self.box = RecordedController(certificate, clock=lambda: self.clock().timestamp())
        self.box.start()
        options = {
            "url": self.box.url,
            "username": USERNAME,
            "credential_file": str(password),
            "ca_file": str(authority.ca_file),
        }
        self.portal.set_options(options)

    def newcomer(self) -> Client:
        client = super().newcomer()
        self.box.connect(client.mac, str(client.addresses[0]))
        return client

    def passes(self, client: Client) -> bool:
        return self.box.end_of(client.mac) is not None

    def end_of(self, client: Client) -> float | None:
        return self.box.end_of(client.mac)

    def learn(self) -> None:
        """The call of each minute."""
        if self.is_portal_there:
            self.portal.notify()

    def portal_back(self) -> None:
        unifi_rounds.close(self.portal.app)
        super().portal_back()

    def power_cut(self) -> None:
        """It comes back without its guests and without our session."""
        self.box.stop()
        self.box.forget_guests()
        self.box.forget_sessions()
        self.box.start()

    def download(self, client: Client, *, bytes_sent: int) -> Download:
        with self.box.lock:
            guest = self.box.authorized[client.mac]
            kbps = guest.down_kbps or LINE_KBPS
            size = min(bytes_sent, int(kbps * 125 * DOWNLOAD_SECONDS))
            guest.tx_bytes += size
        self.wait(DOWNLOAD_SECONDS)
        return Download(size, DOWNLOAD_SECONDS)

    def close(self) -> None:
        unifi_rounds.close(self.portal.app)
        self.box.stop()
        self.portal.close()


@contextmanager
def opened(folder: Path) -> Iterator[UnifiDriver]:
    driver = UnifiDriver(folder)
    try:
        yield driver
    finally:
        driver.close()
