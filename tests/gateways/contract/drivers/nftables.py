"""The real agent in network namespaces, following the real portal over HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from werkzeug.serving import ThreadedWSGIServer

from gateways.types import Client, MacAddress
from lab.network import Phone, Town
from portal.app import system_clock
from tests.gateways.contract.driver import Download
from tests.gateways.contract.portal import ContractPortal
from tests.gateways.hotspot import AgentProcess
from tests.gateways.scripted_portal import CREDENTIAL, PORT
from tests.gateways.traffic import outside, reaches
from tests.services.town import opened as opened_town

PHONES = 18
DATAGRAM_BYTES = 1000
PAUSE_SECONDS = 0.0005


class _Server(ThreadedWSGIServer):
    """Can hang up on whoever waits for news, as a process that is killed does."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        super().__init__("0.0.0.0", PORT, app, fd=listener.fileno())
        self._lines: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._lines.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A line that was cut is what the contract is about."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Quiet."""

    def hang_up(self) -> None:
        self.shutdown()
        self.server_close()
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


class NftablesDriver:
    def __init__(self, net: Town, folder: Path) -> None:
        url = f"http://{net.portal_address(4)}:{PORT}"
        self.portal = ContractPortal(folder, "nftables", clock=system_clock, credential=CREDENTIAL, url=url)
        self.net = net
        self.agent = AgentProcess(net, folder / "agent")
        self._server: _Server | None = None
        self._newcomers = iter(net.phone)
        self._phones: dict[MacAddress, Phone] = {}

    def newcomer(self) -> Client:
        phone = next(self._newcomers)
        self._phones[phone.mac] = phone
        return Client(phone.mac, (phone.address(4),))

    def passes(self, client: Client) -> bool:
        return reaches(self.net, self._phones[client.mac], patience=2.0)

    def end_of(self, client: Client) -> float | None:
        left = self.agent.leases()
        numbers = self.portal.numbers_of(client)
        ends = [time.time() + seconds for number, seconds in left.items() if number in numbers]
        return max(ends, default=None)

    def learn(self) -> None:
        """It follows."""

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    def power_cut(self) -> None:
        self.agent.kill()
        self.agent.nft("flush", "ruleset")
        self.agent.start()

    def portal_away(self) -> None:
        server, self._server = self._server, None
        assert server is not None
        server.hang_up()

    def portal_back(self) -> None:
        self.portal.restart()
        with self.net.portal.call(lambda: socket.create_server(("0.0.0.0", PORT))) as listener:
            # It takes a copy of the descriptor.
            self._server = _Server(self.portal.app, listener)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def download(self, client: Client, *, bytes_sent: int) -> Download:
        phone = self._phones[client.mac]
        far = self.net.internet.socket(socket.AF_INET, socket.SOCK_DGRAM)
        near = phone.ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with far, near, ThreadPoolExecutor(1) as pool:
            far.bind((outside(self.net, 4), 0))
            near.connect(far.getsockname())
            near.send(b"begin")
            far.settimeout(5)
            _, peer = far.recvfrom(100)
            began = time.monotonic()
            arrived = pool.submit(_received, near)
            for _ in range(bytes_sent // DATAGRAM_BYTES):
                far.sendto(bytes(DATAGRAM_BYTES), peer)
                time.sleep(PAUSE_SECONDS)
            return Download(arrived.result(), time.monotonic() - began)


def _received(near: socket.socket) -> int:
    """The bytes that arrive until none has come for a while."""
    near.settimeout(1.0)
    size = 0
    with suppress(TimeoutError):
        while True:
            size += len(near.recv(65536))
    return size


@contextmanager
def opened(folder: Path) -> Iterator[NftablesDriver]:
    with opened_town(phones=PHONES) as net:
        driver = NftablesDriver(net, folder)
        driver.portal_back()
        driver.agent.start()
        try:
            yield driver
        finally:
            driver.agent.kill()
            if driver._server is not None:
                driver.portal_away()
            driver.portal.close()
