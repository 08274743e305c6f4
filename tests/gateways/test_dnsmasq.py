from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateways.nftables.configuration import Configuration
from gateways.nftables.dnsmasq import render
from lab.dhcp import NoLease, acquire, join
from lab.network import Town
from tests.services.parts import program
from tests.services.town import opened

pytestmark = pytest.mark.netns
URL = "https://portal.example.org/capport/gare"


def configuration(folder: Path) -> Configuration:
    return Configuration(
        portal_url="https://portal.example.org",
        gateway="gare",
        credential="x" * 20,
        client_interface="lan0",
        uplink_interface="wan0",
        client_prefixes=(ipaddress.ip_network("10.66.0.0/24"), ipaddress.ip_network("fd66::/64")),
        portal_addresses=(ipaddress.ip_address("203.0.113.2"), ipaddress.ip_address("2001:db8:113::2")),
        state_directory=folder,
        dhcp_leases_file=folder / "leases",
        ntp_servers=(ipaddress.ip_address("203.0.113.1"),),
    )


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose gateway runs the dnsmasq that ships, and whose phones have no addresses yet."""
    dnsmasq = program("dnsmasq")
    folder = tmp_path_factory.mktemp("dnsmasq")
    file = folder / "dnsmasq.conf"
    file.write_text(render(configuration(folder), servers=[ipaddress.ip_address("203.0.113.1")]))
    with opened(phones=2, addressed=False) as net:
        process = net.gateway.ns.popen(
            [dnsmasq, "--keep-in-foreground", f"--conf-file={file}", "--user=root", "--log-facility=-"],
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        for line in process.stderr:
            # Its last word before it serves.
            if b"cleared cache" in line or b"using nameserver" in line:
                break
        yield net


def test_dnsmasq_finds_no_fault_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "dnsmasq.conf"
    file.write_text(render(configuration(tmp_path)))
    checked = subprocess.run(
        [program("dnsmasq"), "--test", f"--conf-file={file}"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_phone_gets_an_address_and_the_capport_url_by_dhcp(net: Town) -> None:
    lease = join(net.phone[0])
    assert lease.address in ipaddress.ip_network("10.66.0.0/24")
    assert str(lease.router) == str(lease.resolver) == "10.66.0.1"
    assert lease.capport_url == URL
    assert lease.seconds == 600
    assert net.phone[0].run(["ping", "-c1", "-W5", "10.66.0.1"]).returncode == 0


def ask_for_options(net: Town, *wanted: int) -> dict[int, bytes]:
    """Send a DHCPv6 information-request (RFC 8415 section 18.2.6) from the phone."""
    number = secrets.token_bytes(3)
    asked = struct.pack(f"!HH{len(wanted)}H", 6, 2 * len(wanted), *wanted)
    client = struct.pack("!HHHH6s", 1, 10, 3, 1, bytes.fromhex(net.phone[0].mac.replace(":", "")))
    with net.phone[0].ns.socket(socket.AF_INET6, socket.SOCK_DGRAM) as port:
        index = net.phone[0].call(lambda: socket.if_nametoindex("wlan0"))
        port.settimeout(5)
        port.bind(("::", 546))
        port.sendto(b"\x0b" + number + client + asked, ("ff02::1:2", 547, 0, index))
        answer = port.recv(1500)
    assert answer[0] == 7
    assert answer[1:4] == number
    found, rest = {}, answer[4:]
    while rest:
        kind, length = struct.unpack_from("!HH", rest)
        found[kind], rest = rest[4 : 4 + length], rest[4 + length :]
    return found


def test_a_phone_gets_the_capport_url_by_dhcpv6(net: Town) -> None:
    assert ask_for_options(net, 23, 103)[103] == URL.encode()


def test_a_phone_makes_itself_an_ipv6_address_from_what_is_advertised(net: Town) -> None:
    phone = net.phone[1]
    watcher = phone.popen(["ip", "monitor", "address"], stdout=subprocess.PIPE, text=True)
    assert watcher.stdout is not None
    phone.ns.ip("link set wlan0 down", "link set wlan0 up")
    for line in watcher.stdout:
        if "fd66::" in line:
            break
    assert "default via fe80::" in phone.run(["ip", "-6", "route"]).stdout


def resolve(net: Town, name: str, *, kind: int = 1) -> tuple[int, bytes]:
    """Ask the gateway's resolver for an address: the answer's code and its whole text."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with net.phone[0].ns.socket(kind=socket.SOCK_DGRAM) as port:
        port.settimeout(5)
        question = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1)
        port.sendto(question, ("10.66.0.1", 53))
        answer = port.recv(1500)
    return answer[3] & 0xF, answer


def test_the_portals_name_is_known_even_without_an_uplink(net: Town) -> None:
    join(net.phone[0])
    code, answer = resolve(net, "portal.example.org")
    assert code == 0
    assert ipaddress.ip_address("203.0.113.2").packed in answer
    assert ipaddress.ip_address("2001:db8:113::2").packed in resolve(net, "portal.example.org", kind=28)[1]


def test_other_names_are_asked_of_the_uplink_and_never_captured(net: Town) -> None:
    join(net.phone[0])
    with net.internet.socket(kind=socket.SOCK_DGRAM) as upstream:
        upstream.settimeout(5)
        upstream.bind(("203.0.113.1", 53))

        def serve() -> None:
            question, peer = upstream.recvfrom(1500)
            # NXDOMAIN: a resolver that captures names would answer with an address of its own.
            upstream.sendto(question[:2] + b"\x81\x83" + question[4:], peer)

        server = threading.Thread(target=serve)
        server.start()
        code, answer = resolve(net, "captive.apple.com")
        server.join()
    assert code == 3
    assert ipaddress.ip_address("10.66.0.1").packed not in answer


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("printer.local", 1, 3),
        ("_dns.resolver.arpa", 64, 3),
        ("nas.home.arpa", 28, 3),
        ("wiki.internal", 1, 3),
        ("hidden.onion", 1, 3),
        ("7.0.66.10.in-addr.arpa", 12, 3),
        # Known, and without a record of this type.
        ("portal.example.org", 65, 0),
    ],
)
def test_names_of_the_house_are_asked_of_nobody_outside(net: Town, name: str, kind: int, code: int) -> None:
    join(net.phone[0])
    with net.internet.socket(kind=socket.SOCK_DGRAM) as upstream:
        upstream.settimeout(0.3)
        upstream.bind(("203.0.113.1", 53))
        assert resolve(net, name, kind=kind)[0] == code
        with pytest.raises(TimeoutError):
            upstream.recv(1500)


def test_a_range_of_ipv4_alone_brings_no_router_advertisements(tmp_path: Path) -> None:
    only4 = Configuration(
        **{
            **{name: getattr(configuration(tmp_path), name) for name in Configuration.__slots__},
            "client_prefixes": (ipaddress.ip_network("10.66.0.0/22"),),
        }
    )
    text = render(only4)
    assert "ra-" not in text
    assert "dhcp-range=10.66.0.10,10.66.3.254,255.255.252.0,10m" in text
    assert "dhcp-lease-max=1013" in text


def test_without_a_server_no_lease_is_taken() -> None:
    with opened(addressed=False) as net, pytest.raises(NoLease):
        net.phone[0].call(lambda: acquire("wlan0", bytes.fromhex("020000000001"), 0.2))
