"""Whatever address a card with a grant takes passes within a second or two, if nobody else holds it."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from pathlib import Path

import pytest

from gateways.types import MacAddress
from lab.network import Phone
from tests.gateways import frames
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_neighbour_spoofing import permanent
from tests.gateways.test_spoofing import grant_ada, readdress, sent_nothing_and_was_counted
from tests.gateways.traffic import Tap, outside, reaches, tcp_pair, udp_ping_pong

pytestmark = pytest.mark.netns
FRESH = {4: "10.66.0.77", 6: "fd66::aaaa:1"}


def test_a_phone_that_walked_in_passes_though_the_portal_knew_no_address_of_it(tmp_path: Path) -> None:
    # The portal heard of the link-local address first, and granted that.
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600, addresses=["fe80::ff:fe00:1"])
        spot.portal.wait_confirmed(17)
        for version in (4, 6):
            with udp_ping_pong(spot.net, phone, version=version) as flow:
                until(lambda: flow.here.count, seconds=3)
        spot.portal.wait_report(lambda report: str(phone.address(4)) in str(report["clients"]))


@pytest.mark.parametrize("version", [4, 6])
def test_the_first_connection_from_a_new_address_is_not_refused(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        readdress(ada, version, FRESH[version])
        begun = time.monotonic()
        # The kernel sends a first segment again after a second; a refusal would end it.
        with tcp_pair(spot.net, ada, version=version) as (_, far):
            assert far.getpeername()[0] == FRESH[version]
        assert time.monotonic() - begun < 4
        spot.portal.wait_report(lambda report: FRESH[version] in str(report["clients"]))
        until(lambda: FRESH[version] in permanent(spot))


@pytest.mark.parametrize("version", [4, 6])
def test_a_call_goes_on_from_a_new_address_by_its_datagrams_alone(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        readdress(ada, version, FRESH[version])
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with ada.ns.socket(family, socket.SOCK_DGRAM) as call, Tap(spot.net.internet, "gw0") as tap:
            call.connect((outside(spot.net, version), 7))

            def heard() -> bool:
                with contextlib.suppress(ConnectionRefusedError):
                    call.send(b"hello?")
                return bool(tap.sources(f"{FRESH[version]}/{32 if version == 4 else 128}"))

            until(heard, seconds=3, every=0.1)


def test_an_unsolicited_advertisement_makes_an_address_known_before_its_first_packet(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        own = spot.net.gateway.address(6)
        card = frames.gateway_mac(ada, own)
        readdress(ada, 6, FRESH[6])
        said = frames.discovery(
            frames.ADVERTISES,
            sender=ada.mac,
            source=ipaddress.ip_address(FRESH[6]),
            target=ipaddress.ip_address(FRESH[6]),
            card=ada.mac,
            to=card,
            gateway=own,
        )
        frames.send(ada, said)
        until(lambda: FRESH[6] in permanent(spot))


def test_the_portal_knows_a_strangers_new_address_by_the_advertisement_alone(tmp_path: Path) -> None:
    """No packet of a stranger is written down: the kernel must take the advertisement that it did not ask for."""
    with hotspot(tmp_path) as spot:
        phone, own = spot.net.phone[0], spot.net.gateway.address(6)
        new = ipaddress.ip_address("fd66::57:1")
        said = frames.discovery(
            frames.ADVERTISES,
            sender=phone.mac,
            source=new,
            target=new,
            card=phone.mac,
            to=frames.gateway_mac(phone, own),
            gateway=own,
        )
        frames.send(phone, said)
        spot.portal.wait(lambda: str(new) in str(spot.portal.arrivals))


def test_the_kernel_is_told_about_the_clients_interface_each_time_it_comes(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        gateway = spot.net.gateway.ns
        name = "/proc/sys/net/ipv6/conf/lan0/accept_untracked_na"
        assert gateway.run(["cat", name]).stdout == "1\n"
        gateway.ip("link del lan0", "link add lan0 type veth peer name there")
        until(lambda: gateway.run(["cat", name]).stdout == "1\n")


def change_mac(phone: Phone, mac: str) -> None:
    phone.ns.ip(f"link set {phone.interface} down", f"link set {phone.interface} address {mac}")
    phone.ns.ip(f"link set {phone.interface} up")
    phone.mac = MacAddress(mac)
    phone.ns.ip(*phone.addressing())


@pytest.mark.parametrize("old", ["ended", "still on"])
def test_a_laptop_with_a_new_mac_keeps_its_stable_address(tmp_path: Path, old: str) -> None:
    """A stable-privacy address (RFC 7217) need not depend on the MAC, which is another one for each connection."""
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        change_mac(ada, "02:00:00:00:00:99")
        if old == "ended":
            spot.portal.end(17)
        spot.portal.grant(18, ada, 600, addresses=[str(ada.address(4)), str(ada.address(6))])
        spot.portal.wait_confirmed(18)
        for version in (4, 6):
            until(lambda v=version: reaches(spot.net, ada, version=v), seconds=6)
        assert "02:00:00:00:00:01" not in spot.agent.nft(
            "list", "map", "inet", "arobase", "clients6"
        ).replace("02:00:00:00:00:01 . fe80", "")


def test_a_card_with_a_lease_uses_no_other_address(tmp_path: Path) -> None:
    leases = tmp_path / "dnsmasq.leases"
    with hotspot(tmp_path, dhcp_leases_file=str(leases)) as spot:
        ada = spot.net.phone[0]
        leases.write_text(f"1700000000 {ada.mac} {ada.address(4)} ada *\n")
        until(lambda: str(ada.address(4)) in permanent(spot))
        grant_ada(spot)
        readdress(ada, 4, FRESH[4])
        begun = time.monotonic()
        while time.monotonic() < begun + 2:
            sent_nothing_and_was_counted(spot, ada, 4)
        # And it is told what to do, instead of to wait for ever.
        assert b"turn the Wi-Fi of your device off and on" in page(ada)


def page(phone: Phone) -> bytes:
    with phone.ns.socket() as near:
        near.settimeout(5)
        near.connect(("203.0.113.1", 80))
        near.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        answer = b""
        while got := near.recv(65536):
            answer += got
    return answer


def test_one_card_takes_no_more_addresses_than_a_phone_has(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = grant_ada(spot), spot.net.phone[1]
        spot.portal.grant(18, bo, 600)
        spot.portal.wait_confirmed(18)
        many = [f"fd66::b0:{number:x}" for number in range(200)]
        bo.ns.ip(*[f"addr add {each}/64 dev {bo.interface} nodad" for each in many])
        for each in many:
            with bo.ns.socket(socket.AF_INET6, socket.SOCK_DGRAM) as udp:
                udp.bind((each, 0))
                udp.sendto(b"me too", (outside(spot.net, 6), 7))
        until(lambda: held_by(spot, bo) > 8)
        assert held_by(spot, bo) <= 20
        readdress(ada, 6, FRESH[6])
        until(lambda: reaches(spot.net, ada, version=6), seconds=6)


def held_by(spot: Hotspot, phone: Phone) -> int:
    return spot.agent.nft("list", "map", "inet", "arobase", "clients6").count(phone.mac)
