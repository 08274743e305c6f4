"""A client is its MAC and its address together, and the outside is never inside."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import time
from functools import partial
from pathlib import Path

import pytest

from lab.network import Phone
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.traffic import Tap, family, outside, reaches, tcp_stream, udp_ping_pong

pytestmark = pytest.mark.netns
FOREIGN = {4: "192.0.2.7", 6: "2001:db8:99::7"}
OUTSIDE = ("203.0.113.0/24", "2001:db8:113::/64")
CLIENTS = ("10.66.0.0/24", "fd66::/64", "192.0.2.0/24", "2001:db8:99::/64")


def readdress(phone: Phone, version: int, address: str) -> None:
    length, nodad = (24, "") if version == 4 else (64, " nodad")
    lines = [
        f"addr flush dev {phone.interface} scope global",
        f"addr add {address}/{length} dev {phone.interface}{nodad}",
    ]
    way = "0.0.0.0/0 via 10.66.0.1" if version == 4 else "::/0 via fd66::1"
    phone.ns.ip(*lines, f"route replace {way} dev {phone.interface} onlink")


def grant_ada(spot: Hotspot) -> Phone:
    ada = spot.net.phone[0]
    spot.portal.grant(17, ada, 600, addresses=[str(ada.address(4)), str(ada.address(6))])
    spot.portal.wait_confirmed(17)
    for version in (4, 6):
        with udp_ping_pong(spot.net, ada, version=version) as flow:
            until(lambda: flow.here.count)
    return ada


def sent_nothing_and_was_counted(spot: Hotspot, phone: Phone, version: int, *, packets: int = 5) -> None:
    before = spot.agent.counter("spoofed")
    with Tap(spot.net.internet, "gw0") as tap:
        with phone.ns.socket(family(version), socket.SOCK_DGRAM) as udp:
            for _ in range(packets):
                udp.sendto(b"let me out", (outside(spot.net, version), 7))
        until(lambda: spot.agent.counter("spoofed") > before)
        assert tap.sources(*CLIENTS) == []


@pytest.mark.parametrize("version", [4, 6])
def test_a_stranger_with_the_address_of_a_granted_phone_gets_nothing(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada = grant_ada(spot)
        address = str(ada.address(version))
        readdress(ada, version, "10.66.0.99" if version == 4 else "fd66::99")
        readdress(spot.net.phone[1], version, address)
        sent_nothing_and_was_counted(spot, spot.net.phone[1], version)


def test_a_granted_phone_with_another_address_is_a_stranger(tmp_path: Path) -> None:
    """Its first packet is: by that the agent learns the address, and lets the next ones pass (`test_new_addresses`)."""
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        readdress(ada, 4, "10.66.0.99")
        sent_nothing_and_was_counted(spot, ada, 4, packets=1)


@pytest.mark.parametrize("version", [4, 6])
def test_an_address_outside_the_prefixes_gets_nothing(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        readdress(ada, version, FOREIGN[version])
        sent_nothing_and_was_counted(spot, ada, version)
        assert FOREIGN[version] not in spot.agent.nft("list", "map", "inet", "arobase", f"clients{version}")


@pytest.mark.parametrize("version", [4, 6])
def test_the_outside_cannot_speak_as_a_client(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = grant_ada(spot), spot.net.phone[1]
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        before = spot.agent.counter("spoofed")
        level, option = (socket.IPPROTO_IP, 19) if version == 4 else (socket.IPPROTO_IPV6, 75)
        with Tap(ada.ns, ada.interface) as tap, spot.net.internet.socket(family, socket.SOCK_DGRAM) as liar:
            liar.setsockopt(level, option, 1)  # IP_TRANSPARENT, IPV6_TRANSPARENT
            liar.bind((str(bo.address(version)), 0))
            for _ in range(5):
                liar.sendto(b"I am your neighbour", (str(ada.address(version)), 7))
            until(lambda: spot.agent.counter("spoofed") >= before + 5)
            assert tap.sources(str(bo.address(version))) == []


@pytest.mark.parametrize("version", [4, 6])
def test_the_outside_opens_no_flow_to_a_granted_phone(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        with ada.ns.socket(family(version)) as server, spot.net.internet.socket(family(version)) as caller:
            server.bind((str(ada.address(version)), 0))
            server.listen()
            caller.settimeout(0.5)
            with Tap(ada.ns, ada.interface) as tap:
                with pytest.raises(OSError):
                    caller.connect(server.getsockname())
                assert tap.sources(*OUTSIDE) == []


@pytest.mark.parametrize("version", [4, 6])
def test_clients_do_not_reach_each_other_through_the_gateway(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        for number, phone in ((17, ada), (18, bo)):
            spot.portal.grant(number, phone, 600, addresses=[str(phone.address(4)), str(phone.address(6))])
        spot.portal.wait_confirmed(18)
        # The access point isolates its clients; what it sends up to the gateway must not come back down.
        length = 32 if version == 4 else 128
        ada.ns.ip(f"route add {bo.address(version)}/{length} via {spot.net.gateway.address(version)}")
        with Tap(bo.ns, bo.interface) as tap, ada.ns.socket(family(version), socket.SOCK_DGRAM) as udp:
            udp.connect((str(bo.address(version)), 7))
            for _ in range(5):
                with contextlib.suppress(OSError):
                    udp.send(b"neighbour")
                time.sleep(0.02)
            assert [each for each in tap.sources(str(ada.address(version))) if b"neighbour" in each] == []


@pytest.mark.parametrize("version", [4, 6])
def test_a_flow_of_an_earlier_owner_never_becomes_the_next_owners(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = grant_ada(spot), spot.net.phone[1]
        address = str(ada.address(version))
        with tcp_stream(spot.net, ada, up=False, version=version) as flow:
            until(lambda: flow.here.count)
            spot.portal.end(17)
            spot.portal.wait_confirmed()
            readdress(ada, version, "10.66.0.99" if version == 4 else "fd66::99")
            readdress(bo, version, address)
            spot.portal.grant(18, bo, 600, addresses=[address])
            spot.portal.wait_confirmed(18)
            with Tap(bo.ns, bo.interface) as tap:
                assert reaches(spot.net, bo, version=version, patience=3)
                time.sleep(0.5)
                packets = tap.sources(*OUTSIDE)
                # What comes is the new owner's own connection, and nothing from the old one's port.
                ports = 14 + (20 if version == 4 else 40)
                assert packets and not [
                    each for each in packets if each[ports : ports + 2] == flow.port.to_bytes(2, "big")
                ]


@pytest.mark.parametrize("version", [4, 6])
def test_an_address_outside_the_prefixes_may_not_even_ask_our_resolver(tmp_path: Path, version: int) -> None:
    kind, own = family(version), {4: "10.66.0.1", 6: "fd66::1"}[version]
    with hotspot(tmp_path) as spot, spot.net.gateway.ns.socket(kind, socket.SOCK_DGRAM) as resolver:
        phone = spot.net.phone[0]
        resolver.bind((own, 53))
        resolver.settimeout(0.5)
        readdress(phone, version, FOREIGN[version])
        with phone.ns.socket(kind, socket.SOCK_DGRAM) as udp:
            # Our answer would go to whoever really has that address.
            udp.sendto(b"reflect", (own, 53))
            with pytest.raises(TimeoutError):
                resolver.recv(100)


def test_a_mark_that_came_with_the_packet_is_forgotten(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        grant_ada(spot)
        # Somebody else's table marks every packet with Ada's number before we look at it.
        early = "chain inet elsewhere early { type filter hook prerouting priority raw; }"
        rule = "rule inet elsewhere early meta mark set 17"
        spot.agent.nft(f"add table inet elsewhere; add {early}; add {rule}")
        for version in (4, 6):
            assert not reaches(spot.net, spot.net.phone[1], version=version, patience=0.3)
            assert reaches(spot.net, spot.net.phone[0], version=version)


def test_a_packet_of_no_flow_does_not_leave_with_an_inside_address(tmp_path: Path) -> None:
    with hotspot(tmp_path, masquerade=True, masquerade_ipv6=True) as spot:
        ada = grant_ada(spot)
        with Tap(spot.net.internet, "gw0") as tap:
            for version in (4, 6):
                ada.ns.call(partial(send_lone_reset, str(ada.address(version)), outside(spot.net, version)))
            time.sleep(0.3)
            assert tap.sources(*CLIENTS) == []


def send_lone_reset(near: str, far: str) -> None:
    """A reset of a connection that never was: conntrack calls it invalid, and translates nothing."""
    segment = struct.pack("!HHLLBBHHH", 4000, 4001, 1, 1, 5 << 4, 4, 0, 0, 0)
    is_four = ":" not in near
    # Without its checksum (RFC 9293 section 3.1) it would be invalid for another reason.
    ends = ipaddress.ip_address(near).packed + ipaddress.ip_address(far).packed
    pseudo = ends + (struct.pack("!BBH", 0, 6, 20) if is_four else struct.pack("!LHBB", 20, 0, 0, 6))
    total = sum(struct.unpack(f"!{len(pseudo + segment) // 2}H", pseudo + segment))
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    family = socket.AF_INET if is_four else socket.AF_INET6
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP) as raw:
        raw.sendto(segment[:16] + struct.pack("!H", ~total & 0xFFFF) + segment[18:], (far, 0))
