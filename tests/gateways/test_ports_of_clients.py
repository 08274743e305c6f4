"""Each client behind its own block of source ports: who sent a packet can be told from its port alone."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.network import FIRST_GATEWAY, Phone, Town, outside_address
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.traffic import outside, reaches

pytestmark = pytest.mark.netns
PUBLIC = str(outside_address(4, FIRST_GATEWAY))
ADA_PORTS, BO_PORTS = range(5120, 6128), range(6128, 7136)
SHARED = range(1024, 5120)
FLOWS = 200
SO_LINGER_NOW = struct.pack("ii", 1, 0)


def ports(block: range, address: str = PUBLIC) -> list[Any]:
    return [address, block[0], block[-1]]


@contextlib.contextmanager
def two_clients(tmp_path: Path, **settings: Any) -> Iterator[tuple[Hotspot, Phone, Phone]]:
    """Ada and Bo online behind one address, each with a block."""
    with hotspot(tmp_path, phones=2, **{"masquerade": True, **settings}) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 600, ports=ports(ADA_PORTS))
        spot.portal.grant(18, bo, 600, ports=ports(BO_PORTS))
        spot.portal.wait_confirmed(18)
        yield spot, ada, bo


def datagrams(
    net: Town, phone: Phone, count: int, *, near: list[socket.socket] | None = None
) -> set[tuple[str, int]]:
    """Where `count` datagrams of as many flows came from, as the Internet sees it; those that came."""
    seen: set[tuple[str, int]] = set()
    with net.internet.socket(socket.AF_INET, socket.SOCK_DGRAM) as far, contextlib.ExitStack() as stack:
        far.bind((outside(net, 4), 0))
        far.settimeout(2)
        for _ in range(count):
            sender = phone.ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
            if near is None:
                stack.enter_context(sender)
            else:
                near.append(sender)
            try:
                sender.sendto(b"?", far.getsockname())
                seen.add(far.recvfrom(10)[1])
            except OSError:
                break
    return seen


def connections(net: Town, phone: Phone, count: int, *, patience: float = 2.0) -> list[tuple[str, int]]:
    """Where `count` TCP connections that are open at once came from; less of them where one failed."""
    seen = []
    with net.internet.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((outside(net, 4), 0))
        listener.listen(count)
        listener.settimeout(patience)
        for _ in range(count):
            near = stack.enter_context(phone.ns.socket())
            # Leave nothing behind in the table of connections.
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, SO_LINGER_NOW)
            near.settimeout(patience)
            try:
                near.connect(listener.getsockname())
                far, peer = listener.accept()
            except OSError:
                break
            stack.enter_context(far)
            seen.append(peer)
    return seen


def test_the_internet_sees_each_client_in_its_own_block_only(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, bo):
        for phone, block in ((ada, ADA_PORTS), (bo, BO_PORTS)):
            for seen in (connections(spot.net, phone, FLOWS), datagrams(spot.net, phone, FLOWS)):
                assert len(seen) == FLOWS
                assert {address for address, _ in seen} == {PUBLIC}
                assert {port for _, port in seen} <= set(block)


def test_a_full_block_refuses_its_clients_next_flow_and_borrows_from_nobody(tmp_path: Path) -> None:
    small = range(5120, 5136)
    with hotspot(tmp_path, phones=2, masquerade=True) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 600, ports=ports(small))
        spot.portal.grant(18, bo, 600, ports=ports(range(5136, 5152)))
        spot.portal.wait_confirmed(18)
        seen = connections(spot.net, ada, len(small) + 1, patience=1.0)
        assert sorted(port for _, port in seen) == list(small)
        assert sorted(port for _, port in datagrams(spot.net, ada, len(small) + 1)) == list(small)
        assert reaches(spot.net, bo)


def test_clients_without_a_block_share_ports_that_are_nobodys(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, bo):
        spot.portal.grant(17, ada, 600, ports=ports(SHARED))
        spot.portal.grant(18, bo, 600, ports=ports(SHARED))
        spot.portal.wait_confirmed(18)
        for phone in (ada, bo):
            seen = connections(spot.net, phone, 50)
            assert len(seen) == 50 and {port for _, port in seen} <= set(SHARED)


def test_the_gateway_itself_keeps_out_of_the_blocks(tmp_path: Path) -> None:
    with (
        two_clients(tmp_path) as (spot, *_),
        spot.net.internet.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
    ):
        far.bind((outside(spot.net, 4), 0))
        far.settimeout(2)
        for port in (ADA_PORTS[5], BO_PORTS[5], 40000):
            with spot.net.gateway.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                own.bind(("0.0.0.0", port))
                own.sendto(b"?", far.getsockname())
                assert far.recvfrom(10)[1][1] in SHARED


def test_a_block_stays_over_a_renewal_and_the_flow_with_it(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, _), talking(spot.net, ada) as talk:
        before = talk()
        spot.portal.grant(17, ada, 1200, ports=ports(ADA_PORTS))
        spot.portal.wait_confirmed(17)
        assert talk() == before and before in ADA_PORTS


def test_a_block_stays_over_kill_9_a_reload_and_a_lost_table(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, bo), talking(spot.net, ada) as talk:
        before = talk()
        spot.agent.kill()
        assert talk() == before
        spot.agent.start()
        assert talk() == before and before in ADA_PORTS
        # From the journal alone: the portal is away, and the table is gone.
        spot.portal.stop()
        spot.agent.nft("flush ruleset")
        until(lambda: spot.agent.leases().keys() == {17, 18})
        assert talk() == before
        for phone, block in ((ada, ADA_PORTS), (bo, BO_PORTS)):
            assert {port for _, port in datagrams(spot.net, phone, 50)} <= set(block)


def test_a_flow_that_left_through_ports_of_before_is_not_carried_on(tmp_path: Path) -> None:
    """The same phone signs in again and gets another block: its old flow would speak with somebody else's port."""
    with two_clients(tmp_path) as (spot, ada, bo), talking(spot.net, ada) as talk:
        assert talk() in ADA_PORTS
        spot.portal.change({17: None})
        spot.portal.grant(18, bo, 600, ports=ports(ADA_PORTS))
        spot.portal.grant(19, ada, 600, ports=ports(range(7136, 8144)))
        spot.portal.wait_confirmed(19)
        assert talk() is None
        assert {port for _, port in datagrams(spot.net, ada, 20)} <= set(range(7136, 8144))


def test_the_same_phone_that_gets_the_same_block_again_keeps_its_flows(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, _), talking(spot.net, ada) as talk:
        before = talk()
        spot.portal.change({17: None})
        spot.portal.grant(19, ada, 600, ports=ports(ADA_PORTS))
        spot.portal.wait_confirmed(19)
        assert talk() == before


def test_a_block_opens_nothing_for_a_stranger(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, bo):
        spot.portal.end(17)
        spot.portal.wait_confirmed()
        assert not reaches(spot.net, ada, patience=0.3)
        assert datagrams(spot.net, ada, 1) == set()
        assert reaches(spot.net, bo)


def test_blocks_that_somebody_tore_up_are_put_back(tmp_path: Path) -> None:
    with two_clients(tmp_path) as (spot, ada, _):
        for torn in (
            "flush map inet arobase blocks",
            "flush set inet arobase owned",
            "delete element inet arobase limited { 17 }",
        ):
            spot.agent.nft(torn)
            until(lambda: whole(spot) == {17, 18})
            assert {port for _, port in datagrams(spot.net, ada, 20)} <= set(ADA_PORTS)


def test_behind_another_translation_our_own_address_stands_for_the_public_one(tmp_path: Path) -> None:
    public = "198.51.100.7"
    with hotspot(tmp_path, masquerade=True, translated_addresses=[f"{public} = {PUBLIC}"]) as spot:
        spot.portal.grant(17, spot.net.phone[0], 600, ports=ports(ADA_PORTS, public))
        spot.portal.wait_confirmed(17)
        [(address, port)] = datagrams(spot.net, spot.net.phone[0], 1)
        assert address == PUBLIC and port in ADA_PORTS


@contextlib.contextmanager
def talking(net: Town, phone: Phone) -> Iterator[Any]:
    """One UDP flow. Calling it sends a question; gives the port that it came from, or None when nothing came."""
    with (
        net.internet.socket(socket.AF_INET, socket.SOCK_DGRAM) as far,
        phone.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as near,
    ):
        far.bind((outside(net, 4), 0))
        far.settimeout(1)
        near.settimeout(1)

        def talk() -> int | None:
            near.sendto(b"?", far.getsockname())
            try:
                peer = far.recvfrom(10)[1]
                far.sendto(b"!", peer)
                near.recv(10)
            except TimeoutError:
                return None
            return int(peer[1])

        yield talk


def whole(spot: Hotspot) -> set[int]:
    """The numbers that all three sets about ports speak of."""

    def listed(kind: str, name: str) -> list[Any]:
        found = json.loads(spot.agent.nft("-j", "list", kind, "inet", "arobase", name))["nftables"]
        return next((each[kind].get("elem", []) for each in found if kind in each), [])

    blocks = {number for number, _ in listed("map", "blocks")}
    owned = {each["concat"][0] for each in listed("set", "owned")}
    return blocks & owned & set(listed("set", "limited"))
