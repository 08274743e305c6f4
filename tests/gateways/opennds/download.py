"""Datagrams to a phone behind a gateway that translates addresses, faster than a limited rate lets them through."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from lab.network import Phone, Town
from tests.gateways.contract.driver import Download
from tests.gateways.traffic import outside

DATAGRAM_BYTES = 1000
PAUSE_SECONDS = 0.0005


def download(net: Town, phone: Phone, *, bytes_sent: int, lead_seconds: float = 0.0) -> Download:
    """Send so much, after `lead_seconds` of the same traffic that is not counted."""
    far = net.internet.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near = phone.ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with far, near, ThreadPoolExecutor(1) as pool:
        far.bind((outside(net, 4), 0))
        near.connect(far.getsockname())
        near.send(b"begin")
        far.settimeout(5)
        _, peer = far.recvfrom(100)
        began = time.monotonic() + lead_seconds
        arrived = pool.submit(_received, near, began)
        while time.monotonic() < began:
            _send(far, peer)
        for _ in range(bytes_sent // DATAGRAM_BYTES):
            _send(far, peer)
        return Download(arrived.result(), time.monotonic() - began)


def _send(far: socket.socket, peer: object) -> None:
    far.sendto(bytes(DATAGRAM_BYTES), peer)  # type: ignore[arg-type]
    time.sleep(PAUSE_SECONDS)


def _received(near: socket.socket, since: float) -> int:
    """The bytes that arrive after `since` until none has come for a while."""
    near.settimeout(1.0)
    size = 0
    with suppress(TimeoutError):
        while True:
            data = near.recv(65536)
            size += len(data) if time.monotonic() >= since else 0
    return size
