"""What a phone may do before its owner has signed in, and what nobody may do on the gateway."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateways.landing_token import verify
from lab.network import Namespace, Phone
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.scripted_portal import LANDING_KEY
from tests.gateways.traffic import Tap, family, outside, reaches, tcp_pair

OURS = {4: "10.66.0.1", 6: "fd66::1"}
PORTS = (22, 53, 443, 631, 1812, 5432, 8080, 9090)
pytestmark = pytest.mark.netns


@contextmanager
def answering(
    ns: Namespace, *ports: int, size: int = 0, padding: int = 0, version: int = 4
) -> Iterator[list[bytes]]:
    """A datagram service on these ports that echoes, with so many bytes more, or answers with `size` bytes.

    Gives what it was asked.
    """
    asked: list[bytes] = []
    stopping = threading.Event()
    services = [ns.socket(family(version), socket.SOCK_DGRAM) for _ in ports]

    def serve(service: socket.socket) -> None:
        while not stopping.is_set():
            try:
                question, peer = service.recvfrom(2048)
            except TimeoutError:
                continue
            asked.append(question)
            # Over the budget, the kernel refuses to send.
            with contextlib.suppress(PermissionError):
                service.sendto(bytes(size) or question + bytes(padding), peer)

    threads = []
    for service, port in zip(services, ports, strict=True):
        service.bind(("0.0.0.0" if version == 4 else "::", port))
        service.settimeout(0.05)
        threads.append(threading.Thread(target=serve, args=(service,), daemon=True))
        threads[-1].start()
    try:
        yield asked
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        for service in services:
            service.close()


def ask(phone: Phone, address: str, port: int, question: bytes, patience: float = 0.3) -> bytes | None:
    with phone.ns.socket(family(6 if ":" in address else 4), socket.SOCK_DGRAM) as udp:
        udp.settimeout(patience)
        udp.sendto(question, (address, port))
        try:
            return udp.recv(2048)
        except OSError:
            return None


def get(phone: Phone, address: str, port: int = 80) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(address, port, timeout=3)
    near = phone.ns.socket(family(6 if ":" in address else 4))
    near.settimeout(3)
    near.connect((address, port))
    connection.sock = near
    connection.request("GET", "/generate_204", headers={"Host": "connectivitycheck.example"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def granted(spot: Hotspot) -> Phone:
    phone = spot.net.phone[0]
    spot.portal.grant(17, phone, 600, addresses=[str(phone.address(4)), str(phone.address(6))])
    spot.portal.wait_confirmed(17)
    return phone


@pytest.mark.parametrize("version", [4, 6])
def test_plain_http_leads_to_the_portal_with_a_token_that_names_the_phone(
    tmp_path: Path, version: int
) -> None:
    # The gateway's own clock is years behind the portal's: the token is good by the portal's.
    with hotspot(tmp_path, offset=3e8) as spot:
        phone = spot.net.phone[0]
        answer = get(phone, outside(spot.net, version))
        location = answer.headers["Location"]
        assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
        assert location.startswith(spot.agent.settings["portal_url"] + "/?landing=")
        key = LANDING_KEY
        token = location.partition("landing=")[2]
        landing = verify(token, gateway="gate-0", key=key, now=spot.portal.now())
        assert (landing.mac, landing.address) == (phone.mac, phone.address(version))


@pytest.mark.parametrize("version", [4, 6])
def test_https_is_refused_at_once_and_quic_too(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        for port in (443, 22, 8443):
            with phone.ns.socket(family(version)) as near, pytest.raises(ConnectionRefusedError):
                near.settimeout(3)
                near.connect((outside(spot.net, version), port))
        with (
            phone.ns.socket(family(version), socket.SOCK_DGRAM) as quic,
            pytest.raises(ConnectionRefusedError),
        ):
            quic.settimeout(3)
            quic.connect((outside(spot.net, version), 443))
            quic.send(b"hello")
            quic.recv(10)


def test_the_portal_is_reached_and_sees_the_phones_own_address(tmp_path: Path) -> None:
    with hotspot(tmp_path, masquerade=True, masquerade_ipv6=True) as spot:
        phone = spot.net.phone[0]
        for version, any_address in ((4, "0.0.0.0"), (6, "::")):
            kind = family(version)
            with spot.net.portal.socket(kind) as portal, phone.ns.socket(kind) as near:
                portal.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if version == 6:
                    portal.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                portal.bind((any_address, 443))
                portal.listen()
                portal.settimeout(3)
                near.settimeout(3)
                near.connect((str(spot.net.portal_address(version)), 443))
                far, peer = portal.accept()
                far.close()
                assert peer[0] == str(phone.address(version))


def test_the_internet_sees_the_gateway_where_addresses_are_translated(tmp_path: Path) -> None:
    with hotspot(tmp_path, masquerade=True) as spot:
        phone = granted(spot)
        with tcp_pair(spot.net, phone) as (_, far):
            assert far.getpeername()[0] == "203.0.113.10"


@pytest.mark.parametrize("version", [4, 6])
def test_dns_reaches_only_our_own_resolver(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        phone, far = spot.net.phone[0], outside(spot.net, version)
        with (
            answering(spot.net.gateway.ns, 53, version=version) as ours,
            answering(spot.net.internet, 53, version=version) as foreign,
        ):
            assert ask(phone, OURS[version], 53, b"ours") == b"ours"
            # Whoever it was meant for, it was answered by ours.
            assert ask(phone, far, 53, b"theirs") == b"theirs"
            assert (ours, foreign) == ([b"ours", b"theirs"], [])
        for port in (53, 853):
            assert not reaches(spot.net, phone, port=port, version=version)


@pytest.mark.parametrize("version", [4, 6])
def test_after_signing_in_any_resolver_is_reached(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        phone = granted(spot)
        with answering(spot.net.internet, 53, version=version) as foreign:
            assert ask(phone, outside(spot.net, version), 53, b"mine") == b"mine"
            assert foreign == [b"mine"]


@pytest.mark.parametrize("version", [4, 6])
def test_a_dns_tunnel_is_starved_and_told_once(tmp_path: Path, version: int) -> None:
    with (
        hotspot(tmp_path, phones=2) as spot,
        answering(spot.net.gateway.ns, 53, version=version) as asked,
    ):
        stranger, ada = spot.net.phone
        spot.portal.wait_report(lambda report: report["refused"]["dns"] == 0)
        with stranger.ns.socket(family(version), socket.SOCK_DGRAM) as udp:
            for number in range(1000):
                udp.sendto(b"%0120d" % number, (OURS[version], 53))
            for number in range(500):
                udp.sendto(b"%060d" % number, (OURS[version], 53))
        until(lambda: spot.agent.counter("dns") > 1300)
        assert len([each for each in asked if len(each) > 100]) <= 35
        assert len(asked) <= 150
        spot.portal.wait_report(lambda report: report["refused"]["dns"] > 1300)
        spot.agent.wait_line("alert")
        spot.portal.wait_report(lambda report: True)
        assert len([line for line in spot.agent.lines if "alert" in line]) == 1
        # Nobody else pays for it, and signing in ends the budget.
        assert ask(ada, OURS[version], 53, b"short") == b"short"
        granted(spot)
        for number in range(200):
            assert ask(stranger, OURS[version], 53, b"%0120d" % number)


@pytest.mark.parametrize("version", [4, 6])
def test_long_answers_to_a_stranger_are_budgeted_too(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot, answering(spot.net.gateway.ns, 53, size=1200, version=version):
        phone = spot.net.phone[0]
        received = sum(ask(phone, OURS[version], 53, b"TXT?", 0.05) is not None for _ in range(90))
        assert received * 1228 < 75_000


def test_a_phone_reaches_nothing_of_the_gateway_but_what_it_needs(tmp_path: Path) -> None:
    with hotspot(tmp_path, redirector_port=8081) as spot:
        phone, gateway = spot.net.phone[0], spot.net.gateway.ns
        listeners = []
        for port in PORTS:
            for kind, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                listener = gateway.socket(kind)
                if kind == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((address, port))
                listener.listen()
                listeners.append(listener)
        try:
            for is_granted in (False, True):
                if is_granted:
                    spot.portal.grant(
                        17, phone, 600, addresses=[str(phone.address(4)), str(phone.address(6))]
                    )
                    spot.portal.wait_confirmed(17)
                # Port 80 of the gateway is the redirector's while one is a stranger.
                expected = {53, 8081} if is_granted else {53, 80, 8081}
                assert open_ports(phone, 4, "10.66.0.1", range(1, 65536)) == expected
                assert open_ports(phone, 6, "fd66::1", [*PORTS, 80, 8081]) == expected
                # Nor by the gateway's other address.
                assert open_ports(phone, 4, "203.0.113.10", [*PORTS, 80, 8081]) <= expected
        finally:
            for listener in listeners:
                listener.close()


@pytest.mark.parametrize("is_granted", [False, True])
def test_what_the_gateway_does_not_offer_is_refused_at_once(tmp_path: Path, is_granted: bool) -> None:
    """A phone that tries https, DNS over TLS or QUIC on the gateway must not wait for nothing."""
    with hotspot(tmp_path) as spot:
        phone = granted(spot) if is_granted else spot.net.phone[0]
        for address in ("10.66.0.1", "203.0.113.10", "fd66::1"):
            kind = family(6 if ":" in address else 4)
            for port in (443, 853, 22, *([80] if is_granted and kind == socket.AF_INET else [])):
                with phone.ns.socket(kind) as near, pytest.raises(ConnectionRefusedError):
                    near.settimeout(10)
                    near.connect((address, port))
            for port in (443, 853):
                with (
                    phone.ns.socket(kind, socket.SOCK_DGRAM) as quic,
                    pytest.raises(ConnectionRefusedError),
                ):
                    quic.settimeout(10)
                    quic.connect((address, port))
                    quic.send(b"hello")
                    quic.recv(10)


def open_ports(phone: Phone, version: int, address: str, ports: Sequence[int]) -> set[int]:
    """Which of these ports answer, many tried at once."""
    found: set[int] = set()

    def scan() -> None:
        for start in range(0, len(ports), 8192):
            pending: dict[int, socket.socket] = {}
            for port in ports[start : start + 8192]:
                near = socket.socket(family(version))
                near.setblocking(False)
                near.connect_ex((address, port))
                pending[port] = near
            time.sleep(0.05)
            for port, near in pending.items():
                try:
                    near.getpeername()
                    found.add(port)
                except OSError:
                    pass
                near.close()

    phone.call(scan)
    return found


@pytest.mark.parametrize("version", [4, 6])
def test_echo_to_the_gateway_is_answered_and_echo_through_it_is_not(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot, Tap(spot.net.internet, "gw0") as tap:
        ping = ["ping", f"-{version}", "-W", "2"]
        phone = spot.net.phone[0]
        assert phone.run([*ping, "-c", "1", OURS[version]], check=False).returncode == 0
        phone.run([*ping, "-c", "2", "-i", "0.2", outside(spot.net, version)], check=False)
        assert tap.sources("10.66.0.0/24", "fd66::/64") == []


@pytest.mark.parametrize("version", [4, 6])
def test_time_comes_from_the_named_server_in_small_packets_and_seldom(tmp_path: Path, version: int) -> None:
    servers = ["203.0.113.1", "2001:db8:113::1"]
    with (
        hotspot(tmp_path, ntp_servers=servers) as spot,
        answering(spot.net.internet, 123, version=version) as asked,
    ):
        phone, far = spot.net.phone[0], outside(spot.net, version)
        assert far in servers
        assert ask(phone, far, 123, bytes(48)) == bytes(48)
        assert ask(phone, far, 123, bytes(200)) is None
        assert ask(phone, str(spot.net.portal_address(version)), 123, bytes(48)) is None
        answered = sum(ask(phone, far, 123, bytes(48), 0.05) is not None for _ in range(30))
        assert answered <= 10 and len(asked) <= 11
