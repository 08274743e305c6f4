"""Made-up cards ask the resolver without end: who is new, who is known and who waits at the page are all answered."""

from __future__ import annotations

import ipaddress
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.network import Phone
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_strangers import answering
from tests.gateways.traffic import Tap, family, outside

pytestmark = pytest.mark.netns
URL = "http://portal.example.org:8000"
RESOLVER = {4: "10.66.0.1", 6: "fd66::1"}
# As many as fill a set of cards, and some.
CARDS = 70_000
# What strangers may have answered while one answer waits for its neighbour: 200 at once and 100 a second, for 3 s.
WAITING = 500
SYSCTL = Path(__file__).parents[2] / "deploy" / "sysctl.conf"


def question(name: str, *, kind: int = 1, extra: bytes = b"") -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    head = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, int(bool(extra)))
    return head + labels + struct.pack("!BHH", 0, kind, 1) + extra


def flood(spot: Hotspot, phone: Phone, *, count: int = CARDS) -> None:
    """Questions from `count` made-up cards, each with an address of its own in IPv6 and some in IPv4, as raw frames."""
    gateway = spot.net.gateway.ns.call(lambda: card("lan0"))
    text = question("x.example")
    order = random.Random(7)

    def send() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
            port.bind(("wlan0", 0))
            for number in range(count):
                sender = bytes([2, 0xEE]) + number.to_bytes(4, "big")
                host = order.randrange(20, 250)
                packet = datagram4(host, text) if number % 4 == 0 else datagram6(number, text)
                kind = b"\x08\x00" if number % 4 == 0 else b"\x86\xdd"
                port.send(gateway + sender + kind + packet)

    phone.call(send)


def ask(phone: Phone, address: str, text: bytes, patience: float = 0.5) -> bytes | None:
    with phone.ns.socket(family(6 if ":" in address else 4), socket.SOCK_DGRAM) as near:
        near.settimeout(patience)
        near.sendto(text, (address, 53))
        try:
            return near.recv(2048)
        except OSError:
            return None


def card(name: str) -> bytes:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
        port.bind((name, 0))
        found: bytes = port.getsockname()[4]
        return found


def datagram4(host: int, text: bytes) -> bytes:
    udp = struct.pack("!HHHH", 4000, 53, 8 + len(text), 0) + text
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    head += bytes([10, 66, 0, host, 10, 66, 0, 1])
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", 0xFFFF - (total & 0xFFFF)) + head[12:] + udp


def datagram6(number: int, text: bytes) -> bytes:
    source = ipaddress.ip_address(f"fd66::e:{number >> 16:x}:{number & 0xFFFF:x}").packed
    target = ipaddress.ip_address("fd66::1").packed
    udp = struct.pack("!HHHH", 4000, 53, 8 + len(text), 0) + text
    pseudo = source + target + struct.pack("!II", len(udp), 17) + udp + bytes(len(udp) % 2)
    total = sum(struct.unpack(f"!{len(pseudo) // 2}H", pseudo))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    udp = udp[:6] + struct.pack("!H", (0xFFFF - total) or 0xFFFF) + udp[8:]
    return struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + source + target + udp


@contextmanager
def flooded(tmp_path: Path) -> Iterator[Hotspot]:
    leases = tmp_path / "leases"
    with hotspot(tmp_path, phones=3, start=False, portal_url=URL, dhcp_leases_file=str(leases)) as spot:
        leases.write_text("")
        spot.agent.start(ready=False)
        spot.agent.wait_line("ready")
        known = spot.net.phone[1]
        leases.write_text(f"1900000000 {known.mac} {known.address(4)} * *\n")
        until(lambda: str(known.address(4)) in spot.agent.nft("list", "set", "inet", "arobase", "held4"))
        with echo(spot, 4), echo(spot, 6):
            # Whatever it sends over IPv4 shows that its card is the one that DHCP knows.
            assert ask(known, RESOLVER[4], question("known.example"))
            flood(spot, spot.net.phone[0])
            until(lambda: spot.agent.counter("dns") > 0, seconds=20)
            yield spot


def answered(phone: Phone, text: bytes, *, times: int, version: int = 4) -> int:
    return sum(ask(phone, RESOLVER[version], text) is not None for _ in range(times))


def test_a_flood_from_made_up_cards_shuts_nobody_out(tmp_path: Path) -> None:
    with flooded(tmp_path) as spot:
        _, known, new = spot.net.phone
        listed = spot.agent.nft("list", "set", "inet", "arobase", "dns_short_new")
        assert listed.count("expires") > 40_000
        # Whom DHCP gave an address has a bucket that nobody else can take or empty. (A busy machine loses datagrams.)
        for version, key in ((4, str(known.address(4))), (6, known.mac)):
            assert answered(known, question("captive.apple.com"), times=50, version=version) >= 45
            # Out of its own, and not of what all share.
            assert key in spot.agent.nft("list", "set", "inet", "arobase", f"dns_short_bound{version}")
        # Who is new shares one with whoever has none; and the portal's name is always answered.
        for version in (4, 6):
            assert answered(new, question("captive.apple.com"), times=5, version=version) >= 4
            assert answered(new, question("portal.example.org"), times=50, version=version) >= 45


@pytest.mark.parametrize("version", [4, 6])
def test_the_portals_own_name_is_outside_every_budget(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, start=False, portal_url=URL) as spot:
        spot.agent.start()
        phone = spot.net.phone[0]
        with echo(spot, version):
            for _ in range(400):
                ask(phone, RESOLVER[version], question("busy.example"), 0.001)
            until(lambda: spot.agent.counter("dns") > 200)
            for name in ("portal.example.org", "PoRtAl.eXaMpLe.OrG"):
                for kind in (1, 28, 65):
                    assert ask(phone, RESOLVER[version], question(name, kind=kind)), (name, kind)
            # No name that only looks like it: it would carry a tunnel.
            for name in ("portal.example.org.tunnel.example", "portal.example.orG0", "portal-example.org"):
                # The budget is spent and fills again slowly: a question now and then is still answered.
                heard = [ask(phone, RESOLVER[version], question(name), 0.02) for _ in range(60)]
                assert sum(answer is not None for answer in heard) < 30, name


@contextmanager
def echo(spot: Hotspot, version: int) -> Iterator[None]:
    with spot.net.gateway.ns.socket(family(version), socket.SOCK_DGRAM) as service:
        # The kernel doubles it: as large as the resolver's own on a gateway.
        service.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer() // 2)
        service.bind((RESOLVER[version], 53))
        with Echo(service):
            yield


def send_buffer() -> int:
    """The bytes that deploy/sysctl.conf gives the sockets of a gateway."""
    line = next(line for line in SYSCTL.read_text().splitlines() if line.startswith("net.core.wmem_default"))
    return int(line.partition("=")[2])


@pytest.mark.parametrize("version", [4, 6])
def test_answers_that_wait_for_made_up_neighbours_leave_room_for_others(tmp_path: Path, version: int) -> None:
    first = ipaddress.ip_address("10.66.0.20" if version == 4 else "fd66::e:0:0")
    with (
        hotspot(tmp_path, start=False) as spot,
        spot.net.gateway.ns.socket(family(version), socket.SOCK_DGRAM) as service,
    ):
        service.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer() // 2)
        service.bind((RESOLVER[version], 53))
        service.setblocking(False)
        for number in range(WAITING):
            # 230 addresses are free in the town's small network: several answers wait for each.
            nobody = first + (number % 230 if version == 4 else number)
            service.sendto(bytes(64), (str(nobody), 4000))
        service.sendto(b"x", (str(spot.net.phone[0].address(version)), 4000))


class Echo:
    """Answers each datagram with itself."""

    def __init__(self, service: socket.socket) -> None:
        self._service, self._stopping = service, threading.Event()
        service.settimeout(0.05)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                text, peer = self._service.recvfrom(2048)
                self._service.sendto(text, peer)
            except OSError:
                continue

    def __enter__(self) -> Echo:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()


@pytest.mark.parametrize("version", [4, 6])
def test_answers_about_the_portal_pass_where_other_answers_are_over_budget(
    tmp_path: Path, version: int
) -> None:
    """The answer repeats its question (RFC 1035 section 4.1.2): a device whose answers are used up still signs in."""
    with hotspot(tmp_path, start=False, portal_url=URL) as spot:
        spot.agent.start()
        phone = spot.net.phone[0]
        with answering(spot.net.gateway.ns, 53, size=1200, version=version):
            for _ in range(90):
                ask(phone, RESOLVER[version], question("big.example"), 0.02)
        # As large as the others, so that no second of waiting pays for it.
        with answering(spot.net.gateway.ns, 53, padding=1100, version=version):
            assert ask(phone, RESOLVER[version], question("big.example")) is None
            assert ask(phone, RESOLVER[version], question("portal.example.org"))


def test_twenty_long_honest_names_with_a_cookie_are_answered(tmp_path: Path) -> None:
    # OPT with a cookie of 24 bytes (RFC 6891 section 6.1.2, RFC 7873 section 4).
    cookie = b"\0" + struct.pack("!HHIH", 41, 1232, 0, 28) + struct.pack("!HH", 10, 24) + bytes(24)
    with hotspot(tmp_path) as spot, answering(spot.net.gateway.ns, 53):
        texts = [question(f"{'n' * 45}{number:05}.example.org", extra=cookie) for number in range(20)]
        answers = [ask(spot.net.phone[0], RESOLVER[4], text) for text in texts]
        assert answers == texts


@pytest.mark.parametrize("version", [4, 6])
def test_one_client_cannot_take_all_connections(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot, Tap(spot.net.internet, "gw0") as out:
        ada, bo = spot.net.phone
        for number, phone in ((17, ada), (18, bo)):
            spot.portal.grant(number, phone, 600, addresses=[str(phone.address(4)), str(phone.address(6))])
        spot.portal.wait_confirmed(18)
        far = outside(spot.net, version)
        with ada.ns.socket(family(version), socket.SOCK_DGRAM) as near:
            for number in range(10_000):
                near.sendto(b"x", (far, 20_000 + number))
        until(lambda: len(flows(out, ada, version)) >= 8000)
        assert len(flows(out, ada, version)) <= 8192
        with bo.ns.socket(family(version), socket.SOCK_DGRAM) as near:
            near.sendto(b"x", (far, 20_000))
        until(lambda: flows(out, bo, version))


def flows(tap: Tap, phone: Phone, version: int) -> set[bytes]:
    """The destination ports that this phone's packets came to."""
    source, port = (slice(26, 30), slice(36, 38)) if version == 4 else (slice(22, 38), slice(56, 58))
    own = phone.address(version).packed
    return {packet[port] for _, packet in tap.packets if packet[source] == own}
