"""IPv6 is enforced like IPv4, for every address a phone takes, and inside no tunnel."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path

import pytest

from tests.gateways.hotspot import hotspot, until
from tests.gateways.traffic import Tap, outside, reaches, udp_ping_pong

pytestmark = pytest.mark.netns
CLIENTS = ("10.66.0.0/24", "fd66::/64", "fe80::/10")


def test_a_stranger_gets_no_packet_out_by_any_road(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot, Tap(spot.net.internet, "gw0") as tap:
        phone, far = spot.net.phone[0], outside(spot.net, 6)
        begun = time.monotonic()
        phone.run(["ping", "-6", "-c", "3", "-i", "0.2", "-W", "1", far], check=False)
        assert not reaches(spot.net, phone, version=6)
        assert not reaches(spot.net, phone, version=4)
        with phone.ns.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
            for port in (53, 443, 123, 51820):
                udp.sendto(b"out", (far, port))
        with phone.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as teredo:
            teredo.sendto(bytes(60), (outside(spot.net, 4), 3544))
        with phone.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 41)) as six_in_four:
            inner = struct.pack("!IHBB", 0x60000000, 0, 59, 64) + bytes(32)
            six_in_four.sendto(inner, (outside(spot.net, 4), 0))
        time.sleep(0.3)
        assert tap.sources(*CLIENTS[:2], since=begun) == []


def test_a_granted_phone_has_ipv6_on_each_new_address(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        # The grant names IPv4 alone; the rest is learnt from the neighbour table.
        until(lambda: reaches(spot.net, phone, version=6), seconds=10)
        temporary = "fd66::aaaa:1"
        phone.ns.ip(
            f"addr add {temporary}/64 dev {phone.interface} nodad",
            f"addr del {phone.address(6)}/64 dev {phone.interface}",
        )
        until(lambda: reaches(spot.net, phone, version=6), seconds=10)
        spot.portal.wait_report(lambda report: temporary in str(report["clients"]))
        answer = {
            address
            for arrival in spot.portal.arrivals
            for client in arrival["clients"]
            for address in client["addresses"]
        }
        assert temporary in answer


def test_an_ipv6_address_that_somebody_holds_cannot_be_announced_away(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 600, addresses=[str(ada.address(4)), str(ada.address(6))])
        spot.portal.grant(18, bo, 600)
        spot.portal.wait_confirmed(18)
        with udp_ping_pong(spot.net, ada, version=6) as flow:
            until(lambda: flow.here.count > 3)
        victim = str(ada.address(6))
        bo.ns.ip(
            f"addr add {victim}/64 dev {bo.interface} nodad",
            f"addr del {bo.address(6)}/64 dev {bo.interface}",
        )
        before = spot.agent.counter("spoofed")
        assert not reaches(spot.net, bo, version=6, patience=2)
        assert not reaches(spot.net, bo, version=6, patience=2)
        assert spot.agent.counter("spoofed") > before
        assert reaches(spot.net, ada, version=6)
        # Once its holder has given it up, it is the next one's.
        ada.ns.ip(f"addr del {victim}/64 dev {ada.interface}")
        until(lambda: reaches(spot.net, bo, version=6), seconds=10)
