from __future__ import annotations

import asyncio
import ipaddress
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gateways.nftables import advertisements
from gateways.nftables.advertisements import advertise, advertisement, announce
from gateways.nftables.configuration import Configuration
from lab.network import Town
from tests.services.advertisements import SOLICITATION, ear, hear, options
from tests.services.town import opened

URL = "https://portal.example.org/capport/gare"


def configuration(folder: Path) -> Configuration:
    return Configuration(
        portal_url="https://portal.example.org",
        gateway="gare",
        credential="x" * 20,
        client_interface="lan0",
        uplink_interface="wan0",
        client_prefixes=(ipaddress.ip_network("10.66.0.0/24"), ipaddress.ip_network("fd66::/64")),
        portal_addresses=(ipaddress.ip_address("203.0.113.2"),),
        state_directory=folder,
    )


def test_the_option_is_padded_with_nul_to_eight_bytes() -> None:
    for length in range(1, 30):
        message = advertisement("h" * length)
        assert len(message) % 8 == 0
        assert options(message)[37].rstrip(b"\0") == b"h" * length


def test_an_address_over_255_bytes_is_refused() -> None:
    advertisement("h" * 255)
    with pytest.raises(ValueError, match="over 255 bytes"):
        advertisement("h" * 256)


def advertising(net: Town) -> AbstractContextManager[None]:
    return duty(net, advertise("lan0", URL))


@contextmanager
def duty(net: Town, coroutine: Coroutine[None, None, None]) -> Iterator[None]:
    """A sender at work in the gateway, in a loop and a thread of its own."""
    started = threading.Event()
    stop: list[Callable[[], object]] = []

    async def work() -> None:
        task = asyncio.create_task(coroutine)
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


@pytest.mark.netns
def test_phones_hear_the_capport_url_at_once_and_when_they_solicit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advertisements, "LEAST_GAP_SECONDS", 0.05)
    with opened() as net, ear(net.phone[0]) as port, advertising(net):
        message, hops = hear(port)
        assert options(message) == {37: URL.encode() + bytes(-(len(URL) + 2) % 8)}
        assert hops == 255, "a phone drops what may have come from beyond the link"
        port.sendto(SOLICITATION, ("ff02::2", 0))
        assert hear(port)[0] == message


@pytest.mark.netns
def test_it_never_takes_the_route_away_that_dnsmasq_advertised() -> None:
    with opened() as net, ear(net.phone[0]) as port, advertising(net):
        hear(port)
        assert "default via fe80::" in net.phone[0].run(["ip", "-6", "route"]).stdout


@pytest.mark.netns
def test_a_storm_of_solicitations_gets_one_answer_in_three_seconds() -> None:
    with opened() as net, ear(net.phone[0]) as port, advertising(net):
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


@pytest.mark.netns
def test_the_duty_goes_on_when_the_interface_comes_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(advertisements, "AGAIN_SECONDS", 0.05)
    with opened() as net:
        net.gateway.ns.ip("link set lan0 name away0")
        with duty(net, announce(configuration(tmp_path))), ear(net.phone[0]) as port:
            net.gateway.ns.ip("link set away0 name lan0")
            assert options(hear(port)[0])[37].startswith(b"https://portal.example.org/capport/gare")


@pytest.mark.netns
def test_without_ipv6_for_clients_nothing_is_advertised(tmp_path: Path) -> None:
    only4 = replace(configuration(tmp_path), client_prefixes=(ipaddress.ip_network("10.66.0.0/24"),))
    with opened() as net, ear(net.phone[0]) as port, duty(net, announce(only4)):
        port.settimeout(0.3)
        with pytest.raises(TimeoutError):
            hear(port)
