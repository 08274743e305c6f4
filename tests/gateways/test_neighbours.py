from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterator

import pytest

from gateways.nftables.neighbours import NeighbourTable, follow
from gateways.types import Client
from lab.network import Town
from tests.services.town import opened

pytestmark = pytest.mark.netns


@pytest.fixture(scope="module")
def net() -> Iterator[Town]:
    with opened(phones=2) as net:
        yield net


@pytest.fixture(scope="module")
def table(net: Town) -> Iterator[NeighbourTable]:
    """It lives in the gateway, where its socket and the interface's index come from."""
    with net.gateway.ns.call(lambda: NeighbourTable("lan0")) as table:
        yield table


def forget_everybody(net: Town) -> None:
    net.gateway.ns.run(["ip", "neigh", "flush", "dev", "lan0"])


def greet(net: Town, version: int, phone: int = 0) -> None:
    """Have the phone send the gateway a datagram, so that the gateway must learn who it is to answer."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with net.phone[phone].ns.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(5)
        sender.connect((str(net.gateway.address(version)), 9))
        sender.send(b"hello")
        with pytest.raises(ConnectionRefusedError):
            sender.recv(1)


@pytest.mark.parametrize("version", [4, 6])
def test_it_knows_the_mac_behind_an_address_that_spoke(
    net: Town, table: NeighbourTable, version: int
) -> None:
    forget_everybody(net)
    greet(net, version)
    assert net.gateway.ns.call(lambda: table.lookup(net.phone[0].address(version))) == net.phone[0].mac


@pytest.mark.parametrize("address", ["10.66.0.77", "fd66::77", "192.0.2.1"])
def test_it_knows_nobody_behind_an_address_that_never_spoke(
    net: Town, table: NeighbourTable, address: str
) -> None:
    assert net.gateway.ns.call(lambda: table.lookup(ipaddress.ip_address(address))) is None


@pytest.mark.parametrize("state", ["incomplete", "failed", "noarp"])
def test_an_entry_that_nobody_answered_for_names_nobody(net: Town, table: NeighbourTable, state: str) -> None:
    address = ipaddress.ip_address("10.66.0.88")
    if state == "incomplete":
        with net.gateway.ns.socket(kind=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"?", (str(address), 9))
    else:
        mac = ["lladdr", "02:00:00:00:00:88"] if state == "noarp" else []
        net.gateway.ns.run(["ip", "neigh", "replace", str(address), *mac, "dev", "lan0", "nud", state])
    assert state.upper() in net.gateway.ns.run(["ip", "neigh", "show", "nud", "all", str(address)]).stdout
    assert net.gateway.ns.call(lambda: table.lookup(address)) is None
    net.gateway.ns.run(["ip", "neigh", "del", str(address), "dev", "lan0"])


def test_it_sees_only_its_own_interface(net: Town, table: NeighbourTable) -> None:
    outside = net.internet_address(4)
    net.gateway.ns.run(["ping", "-c1", "-W5", str(outside)])
    assert net.gateway.ns.call(lambda: table.lookup(outside)) is None


def test_an_interface_that_is_gone_is_a_fault_and_not_nobody(net: Town) -> None:
    with (
        net.gateway.ns.call(lambda: NeighbourTable("lan9")) as table,
        pytest.raises(OSError, match=r"No such device|no interface"),
    ):
        net.gateway.ns.call(lambda: table.lookup(net.phone[0].address(4)))


def test_a_kernel_that_cannot_answer_is_a_fault_and_not_nobody(net: Town) -> None:
    """Asked in another namespace than the table was made in, of an interface that the table's own does not have."""
    net.portal.ip("link add far9 index 999 type bridge")
    with (
        net.gateway.ns.call(lambda: NeighbourTable("far9")) as table,
        pytest.raises(OSError, match="No such device"),
    ):
        net.portal.call(lambda: table.lookup(net.phone[0].address(4)))


def listen(
    net: Town, until: Callable[[list[Client]], bool], *, meanwhile: Callable[[], None]
) -> list[Client]:
    """Follow the neighbours from inside the gateway, do something meanwhile, stop when enough was seen."""
    seen: list[Client] = []

    async def watch() -> None:
        news = follow("lan0")
        first = asyncio.get_running_loop().run_in_executor(None, meanwhile)
        async for client in news:
            seen.append(client)
            if until(seen):
                break
        await news.aclose()  # type: ignore[attr-defined]
        await first

    net.gateway.ns.call(lambda: asyncio.run(asyncio.wait_for(watch(), 10)))
    return seen


def test_followers_are_told_first_of_those_who_are_already_there(net: Town) -> None:
    forget_everybody(net)
    greet(net, 4, phone=1)
    address = net.phone[1].address(4)
    seen = listen(
        net, lambda seen: any(address in client.addresses for client in seen), meanwhile=lambda: None
    )
    assert Client(net.phone[1].mac, (address,)) in seen


@pytest.mark.parametrize("version", [4, 6])
def test_followers_are_told_of_a_phone_that_arrives(net: Town, version: int) -> None:
    forget_everybody(net)
    expected = Client(net.phone[0].mac, (net.phone[0].address(version),))
    seen = listen(net, lambda seen: expected in seen, meanwhile=lambda: greet(net, version))
    assert all(client.mac in {phone.mac for phone in net.phone} for client in seen)


def test_lost_news_make_the_whole_table_be_told_again(net: Town) -> None:
    """Three thousand entries come while nobody reads: the kernel drops news, and yet none is missed."""
    macs = {f"10.66.{n >> 8}.{n & 255}": f"02:00:00:01:{n >> 8:02x}:{n & 255:02x}" for n in range(256, 3256)}
    # Permanent entries are spared by the limits of the table, which hold for the whole machine.
    lines = [f"neigh add {address} lladdr {mac} dev lan0 nud permanent" for address, mac in macs.items()]
    greet(net, 4)
    seen: set[str] = set()

    async def watch() -> None:
        async for client in follow("lan0"):
            if not seen:
                # The loop stands still here, and with it the reading of the socket.
                net.gateway.ns.ip(*lines)
            seen.add(client.mac)
            if set(macs.values()) <= seen:
                return

    try:
        net.gateway.ns.call(lambda: asyncio.run(asyncio.wait_for(watch(), 20)))
    finally:
        net.gateway.ns.run(["ip", "neigh", "flush", "dev", "lan0", "nud", "permanent"])
    assert set(macs.values()) <= seen
