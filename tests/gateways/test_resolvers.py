"""A client whose lease names a resolver: all its DNS goes there and nowhere else, told by the packets themselves."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateways.nftables.table_layout import TABLE
from lab.namespace import Inside
from lab.network import Phone
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.traffic import reaches

pytestmark = pytest.mark.netns
SAFE, OTHER, SAFE6, OTHER6 = "203.0.113.53", "203.0.113.99", "2001:db8:53::53", "2001:db8:53::99"
DNS, OVER_TLS = 53, 853
PATIENCE = 2.0


class Resolver:
    """Answers every question with its own address, over UDP and TCP, and counts what came."""

    def __init__(self, ns: Inside, address: str, stack: contextlib.ExitStack) -> None:
        self.address, self.asked = address, 0
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._over = threading.Event()
        for port in (DNS, OVER_TLS):
            datagrams = stack.enter_context(ns.socket(family, socket.SOCK_DGRAM))
            datagrams.bind((address, port))
            listener = stack.enter_context(ns.socket(family))
            listener.bind((address, port))
            listener.listen()
            for work, each in ((self._answer, datagrams), (self._accept, listener)):
                each.settimeout(0.1)
                thread = threading.Thread(target=work, args=(each,), daemon=True)
                thread.start()
                stack.callback(thread.join)
        stack.callback(self._over.set)

    def _answer(self, datagrams: socket.socket) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                _, peer = datagrams.recvfrom(100)
                self.asked += 1
                datagrams.sendto(self.address.encode(), peer)

    def _accept(self, listener: socket.socket) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    self.asked += 1
                    connection.sendall(self.address.encode())


def asked(phone: Phone, server: str, *, tcp: bool, port: int = DNS, near: socket.socket | None = None) -> str:
    """Who answered a question to `server`; empty where it was refused or nobody did."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with contextlib.ExitStack() as stack:
        own = near or stack.enter_context(phone.ns.socket(family, kind))
        own.settimeout(PATIENCE)
        try:
            if near is None:
                own.connect((server, port))
            if not tcp:
                own.send(b"?")
            return own.recv(100).decode()
        except OSError:
            return ""


@contextlib.contextmanager
def school(tmp_path: Path, *, phones: int = 1) -> Iterator[tuple[Hotspot, dict[str, Resolver]]]:
    """A hotspot, four resolvers on the Internet, and the gateway's own, as everybody else has it."""
    with hotspot(tmp_path, phones=phones) as spot, contextlib.ExitStack() as stack:
        there, door = spot.net.internet, spot.net.gateway
        for address in (SAFE, OTHER, SAFE6, OTHER6):
            there.ip(f"addr add {address} dev lo" + (" nodad" if ":" in address else ""))
        resolvers = {each: Resolver(there, each, stack) for each in (SAFE, OTHER, SAFE6, OTHER6)}
        own = {version: Resolver(door.ns, str(door.address(version)), stack) for version in (4, 6)}
        yield spot, resolvers | {each.address: each for each in own.values()}


def class_on(spot: Hotspot, phone: Phone, number: int = 17, **rest: str) -> None:
    addresses = [str(phone.address(4)), str(phone.address(6))]
    spot.portal.grant(number, phone, 600, addresses=addresses, **{"resolver": SAFE, **rest})
    spot.portal.wait_confirmed()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_every_question_goes_to_the_resolver_whatever_server_was_asked(tmp_path: Path, tcp: bool) -> None:
    with school(tmp_path) as (spot, resolvers):
        (tablet,) = spot.net.phone
        class_on(spot, tablet)
        for server in (OTHER, SAFE, str(spot.net.gateway.address(4))):
            assert asked(tablet, server, tcp=tcp) == SAFE, server
        # Of IPv6 it has no resolver: refused, at the gateway as elsewhere.
        for server in (OTHER6, SAFE6, str(spot.net.gateway.address(6))):
            assert asked(tablet, server, tcp=tcp) == "", server
        # Over TLS and over QUIC nobody is asked.
        for server in (OTHER, SAFE, OTHER6):
            assert asked(tablet, server, tcp=tcp, port=OVER_TLS) == "", server
        assert {each.address for each in resolvers.values() if each.asked} == {SAFE}
        assert reaches(spot.net, tablet)


def test_a_resolver_of_ipv6_is_kept_alike(tmp_path: Path) -> None:
    with school(tmp_path) as (spot, _):
        (tablet,) = spot.net.phone
        class_on(spot, tablet, resolver=SAFE6)
        assert asked(tablet, OTHER6, tcp=False) == SAFE6
        assert asked(tablet, OTHER6, tcp=True) == SAFE6
        assert asked(tablet, OTHER, tcp=False) == ""


def test_others_at_the_gateway_ask_whom_they_like(tmp_path: Path) -> None:
    with school(tmp_path, phones=2) as (spot, _):
        tablet, guest = spot.net.phone
        class_on(spot, tablet)
        spot.portal.grant(18, guest, 600, addresses=[str(guest.address(4)), str(guest.address(6))])
        spot.portal.wait_confirmed()
        assert asked(guest, OTHER, tcp=False) == OTHER
        assert asked(guest, OTHER6, tcp=True) == OTHER6
        assert asked(guest, OTHER, tcp=True, port=OVER_TLS) == OTHER
        assert asked(tablet, OTHER, tcp=False) == SAFE


def test_a_flow_from_before_the_class_was_on_goes_no_further(tmp_path: Path) -> None:
    with school(tmp_path) as (spot, resolvers):
        (tablet,) = spot.net.phone
        spot.portal.grant(17, tablet, 600)
        spot.portal.wait_confirmed()
        with tablet.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
            near.connect((OTHER, DNS))
            assert asked(tablet, OTHER, tcp=False, near=near) == OTHER
            class_on(spot, tablet)
            assert asked(tablet, OTHER, tcp=False, near=near) == ""
            assert resolvers[OTHER].asked == 1
        assert asked(tablet, OTHER, tcp=False) == SAFE


def test_it_ends_with_the_class_and_leaves_nothing_in_the_kernel(tmp_path: Path) -> None:
    with school(tmp_path) as (spot, resolvers):
        (tablet,) = spot.net.phone
        class_on(spot, tablet)
        with tablet.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
            near.connect((OTHER, DNS))
            assert asked(tablet, OTHER, tcp=False, near=near) == SAFE
            before = resolvers[SAFE].asked
            spot.portal.end(17)
            spot.portal.wait_confirmed()
            assert asked(tablet, OTHER, tcp=False, near=near) == ""
        assert not reaches(spot.net, tablet)
        assert resolvers[SAFE].asked == before
        for name in ("resolved", "answers4", "answers6"):
            assert "elements" not in spot.agent.nft("list", "set", *TABLE.split(), name)
        assert "elements" not in spot.agent.nft("list", "map", *TABLE.split(), "resolvers4")


def test_it_outlives_the_agent_and_what_others_do_to_the_table(tmp_path: Path) -> None:
    with school(tmp_path) as (spot, resolvers):
        (tablet,) = spot.net.phone
        class_on(spot, tablet)
        spot.agent.kill()
        assert asked(tablet, OTHER, tcp=False) == SAFE
        spot.agent.start()
        assert asked(tablet, OTHER, tcp=False) == SAFE
        spot.agent.nft("flush", "set", *TABLE.split(), "resolved")
        until(lambda: "elements" in spot.agent.nft("list", "set", *TABLE.split(), "resolved"))
        assert asked(tablet, OTHER, tcp=False) == SAFE
        assert resolvers[OTHER].asked == 0
