from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateways.nftables import advertisements
from gateways.nftables.advertisements import advertise, advertisement
from lab.network import Town
from tests.services.town import opened

URL = "https://portal.example.org/capport/gare"
SOLICITATION = bytes([133, 0, 0, 0, 0, 0, 0, 0])


def options(message: bytes) -> dict[int, bytes]:
    found, rest = {}, message[16:]
    while rest:
        found[rest[0]] = rest[2 : rest[1] * 8]
        rest = rest[rest[1] * 8 :]
    return found


def test_the_option_is_padded_with_nul_to_eight_bytes() -> None:
    for length in range(1, 30):
        message = advertisement("h" * length)
        assert len(message) % 8 == 0
        assert options(message)[37].rstrip(b"\0") == b"h" * length


def test_an_address_over_255_bytes_is_refused() -> None:
    advertisement("h" * 255)
    with pytest.raises(ValueError, match="over 255 bytes"):
        advertisement("h" * 256)


@contextmanager
def advertising(net: Town) -> Iterator[None]:
    """The sender at work in the gateway, in a loop and a thread of its own."""
    started = threading.Event()
    stop: list[Callable[[], object]] = []

    async def work() -> None:
        task = asyncio.create_task(advertise("lan0", URL))
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(task.cancel))
        loop.call_soon(started.set)
        await asyncio.gather(task, return_exceptions=True)

    thread = threading.Thread(target=lambda: net.gateway.ns.call(lambda: asyncio.run(work())))
    thread.start()
    try:
        assert started.wait(5)
        yield
    finally:
        stop[0]()
        thread.join()


def ear(net: Town) -> socket.socket:
    """A raw socket in the phone that hears every ICMPv6 message, with the hop limit it came with."""

    def make() -> socket.socket:
        port = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        port.setsockopt(
            socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(net.phone[0].interface)
        )
        port.settimeout(5)
        return port

    return net.phone[0].call(make)


def hear(port: socket.socket) -> tuple[bytes, int]:
    """The next router advertisement, and its hop limit."""
    while True:
        message, extra, _, _ = port.recvmsg(1500, 256)
        if message[0] == 134:
            return message, int.from_bytes(extra[0][2], "little")


@pytest.mark.netns
def test_phones_hear_the_capport_url_at_once_and_when_they_solicit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advertisements, "LEAST_GAP_SECONDS", 0.05)
    with opened() as net, ear(net) as port, advertising(net):
        message, hops = hear(port)
        assert options(message) == {37: URL.encode() + bytes(-(len(URL) + 2) % 8)}
        assert hops == 255, "a phone drops what may have come from beyond the link"
        port.sendto(SOLICITATION, ("ff02::2", 0))
        assert hear(port)[0] == message


@pytest.mark.netns
def test_it_never_takes_the_route_away_that_dnsmasq_advertised() -> None:
    with opened() as net, ear(net) as port, advertising(net):
        hear(port)
        assert "default via fe80::" in net.phone[0].run(["ip", "-6", "route"]).stdout


@pytest.mark.netns
def test_a_storm_of_solicitations_gets_one_answer_in_three_seconds() -> None:
    with opened() as net, ear(net) as port, advertising(net):
        hear(port)
        for _ in range(200):
            port.sendto(SOLICITATION, ("ff02::2", 0))
        port.settimeout(0.5)
        with pytest.raises(TimeoutError):
            hear(port)


@pytest.mark.netns
def test_an_interface_that_is_not_there_is_a_fault() -> None:
    with opened() as net, pytest.raises(OSError, match=r"No such device|no interface"):
        net.gateway.ns.call(lambda: asyncio.run(advertise("lan9", URL)))
