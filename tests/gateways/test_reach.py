"""Where a confined client may go: the parts that the kernel is given, and what packets make of them."""

from __future__ import annotations

import ipaddress
import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.destinations import Destination, parse_destination, parse_destinations
from gateways.nftables import kernel
from gateways.nftables.configuration import read
from gateways.nftables.enforcement import Enforcement
from gateways.nftables.feed import grant_row, parse_grant
from gateways.nftables.reach import disjoint
from lab.network import Phone
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_configuration import written
from tests.gateways.test_enforcement import ns, wanted
from tests.gateways.traffic import (
    Flow,
    Tap,
    family,
    outside,
    reaches,
    tcp_stream,
    udp_downpour,
    udp_ping_pong,
)

__all__ = ["ns"]
NETWORKS = [
    *("203.0.113.7", "203.0.113.0/24", "203.0.0.0/16", "198.51.100.4/30", "0.0.0.0/0"),
    *("2001:db8::7", "2001:db8::/64", "2001:db8::/32", "::/0"),
]
PORTS = st.integers(1, 8)


@st.composite
def destinations(draw: st.DrawFn) -> list[Destination]:
    def one() -> Destination:
        network = ipaddress.ip_network(draw(st.sampled_from(NETWORKS)))
        protocol = draw(st.sampled_from(["", "tcp", "udp"]))
        first, last = sorted((draw(PORTS), draw(PORTS)))
        return Destination(network, protocol, (first, last)) if protocol else Destination(network)

    return [one() for _ in range(draw(st.integers(0, 6)))]


def holds(parts: list[Destination] | frozenset[Destination], address: str, protocol: str, port: int) -> int:
    at = ipaddress.ip_address(address)
    return sum(
        at in part.network and part.protocol in ("", protocol) and part.ports[0] <= port <= part.ports[1]
        for part in parts
    )


@given(destinations())
@settings(max_examples=150)
def test_the_parts_hold_what_the_destinations_say_and_no_two_of_them_the_same(
    said: list[Destination],
) -> None:
    parts = disjoint(said)
    for address in ("203.0.113.7", "203.0.113.9", "203.0.9.9", "198.51.100.6", "2001:db8::7", "2001:db9::1"):
        for protocol in ("tcp", "udp", "icmp"):
            for port in range(1, 9):
                asked = (address, protocol, port)
                assert bool(holds(parts, *asked)) is bool(holds(said, *asked))
                own = frozenset(part for part in parts if part.protocol)
                assert holds(own, *asked) <= 1


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "203.0.113.7/24", "203.0.113.7 443", "203.0.113.7 tcp/0", "203.0.113.7 tcp/9-8",
     "203.0.113.7 sctp/9", "203.0.113.7 tcp/70000", "203.0.113.7 tcp/1 udp/2"],
)  # fmt: skip
def test_what_is_no_destination_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_destination(text)


def test_a_destination_is_read_as_it_is_written() -> None:
    for text in ("203.0.113.7", "203.0.113.0/24 tcp/443", "2001:db8::/32 udp/5000-5100"):
        assert str(parse_destination(text)) == text
    with pytest.raises(ValueError, match="64"):
        parse_destinations(f"203.0.113.{number}" for number in range(65))


def test_a_grant_with_destinations_is_kept_by_the_journal_and_a_broken_one_is_refused() -> None:
    row: dict[str, Any] = {
        "number": 17,
        "client": "02:00:00:00:00:01",
        "addresses": [],
        "until": 5.0,
        "rate_down_kbps": 0,
        "rate_up_kbps": 0,
    }
    for said in ([], ["203.0.113.7 tcp/443", "2001:db8::/32"]):
        assert grant_row(parse_grant({**row, "destinations": said}))["destinations"] == said
    assert parse_grant(row).destinations is None
    for bad in ("203.0.113.7", ["anywhere"], [7]):
        with pytest.raises((ValueError, TypeError)):
            parse_grant({**row, "destinations": bad})


@pytest.mark.netns
def test_what_the_kernel_was_given_is_read_back_changed_and_taken_away(ns: Any, tmp_path: Path) -> None:
    configuration = read(written(tmp_path))
    said = [
        *("0.0.0.0/0 udp/123", "203.0.113.0/24 tcp/443-450", "203.0.113.7 tcp/440-445", "198.51.100.4"),
        *("2001:db8::/32", "2001:db8::7 tcp/1-65535", "::/0 udp/53"),
    ]

    def reach(*texts: str) -> Any:
        [one] = wanted(17).values()
        return {17: _confined(one, texts), **wanted(18)}

    def work() -> None:
        with closing(Enforcement(configuration)) as first:
            first.load()
            assert first.make_fit(reach(*said), [17, 18]) == {}
            assert first.held.reach == {17: disjoint(parse_destinations(said))}
            with closing(Enforcement(configuration)) as second:
                second.load()
                assert second.held.reach == first.held.reach
                assert second.epoch == first.epoch
            assert first.make_fit(reach(*said[1:3]), [17]) == {}
            assert _read() == {17: disjoint(parse_destinations(said[1:3]))}
            assert first.make_fit(reach(), [17]) == {}
            assert _read() == {17: frozenset()}
            kernel.run("delete element inet arobase confined { 17 }")
            first.check(reach())
            assert _read() == {17: frozenset()}
            assert first.make_fit(wanted(17), [17]) == {}
            assert _read() == {}

    ns.call(work)


def _confined(one: Any, texts: tuple[str, ...]) -> Any:
    return one._replace(reach=disjoint(parse_destinations(texts)))


def _read() -> dict[int, Any]:
    table = kernel.read_table()
    assert table is not None
    held = kernel.read_held(table, now=0)
    assert not held.torn
    return held.reach


@pytest.fixture(scope="module")
def spot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hotspot]:
    """A camera under the number 17, a guest under 18 who may go everywhere, and another owner's camera under 19."""
    with hotspot(tmp_path_factory.mktemp("reach"), phones=3) as opened:
        yield opened


def confine(spot: Hotspot, *said: str, number: int = 17, phone: int = 0, **rest: Any) -> Phone:
    camera = spot.net.phone[phone]
    spot.portal.grant(number, camera, 600, addresses=both(camera), destinations=list(said), **rest)
    spot.portal.wait_confirmed(number)
    return camera


def admit(spot: Hotspot, **rest: Any) -> Phone:
    guest = spot.net.phone[1]
    spot.portal.grant(18, guest, 600, addresses=both(guest), **rest)
    spot.portal.wait_confirmed(18)
    return guest


def both(phone: Phone) -> list[str]:
    return [str(phone.address(4)), str(phone.address(6))]


@pytest.mark.netns
@pytest.mark.parametrize("version", [4, 6])
def test_a_camera_reaches_its_recorder_and_nothing_else_and_a_guest_goes_everywhere(
    spot: Hotspot, version: int
) -> None:
    recorder = outside(spot.net, version)
    camera, guest = confine(spot, f"{recorder} tcp/8443"), admit(spot)
    assert reaches(spot.net, camera, version=version, port=8443)
    assert not reaches(spot.net, camera, version=version, port=8080)
    assert reaches(spot.net, guest, version=version, port=8080)
    with (
        udp_ping_pong(spot.net, camera, version=version, port=8443),
        Tap(spot.net.internet, "gw0") as tap,
        udp_ping_pong(spot.net, guest, version=version) as flow,
    ):
        until(lambda: flow.here.count > 3)
        assert tap.sources(str(ipaddress.ip_network(camera.address(version)))) == []


@pytest.mark.netns
@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("up", [True, False])
def test_what_it_may_reach_no_more_ends_in_the_middle_of_a_flow_both_ways(
    spot: Hotspot, version: int, up: bool
) -> None:
    camera = confine(spot, outside(spot.net, version))
    way = (
        tcp_stream(spot.net, camera, up=True, version=version)
        if up
        else udp_downpour(spot.net, camera, version=version)
    )
    with way as flow:
        seen = flow.there if up else flow.here
        until(lambda: seen.count > 3)
        confine(spot, "192.0.2.1", "2001:db8:99::1")
        told = seen.size
        with udp_ping_pong(spot.net, admit(spot), version=version) as other:
            until(lambda: other.here.count > 10)
        # What was on its way when the kernel took the change.
        assert seen.size - told <= 2000


@pytest.mark.netns
@pytest.mark.parametrize("version", [4, 6])
def test_owners_and_guests_reach_each_others_devices_in_no_direction(spot: Hotspot, version: int) -> None:
    guest = admit(spot)
    everything = ["0.0.0.0/0", "::/0"]
    cameras = [confine(spot, *everything), confine(spot, *everything, number=19, phone=2)]
    for one, other in itertools.permutations([*cameras, guest], 2):
        with other.ns.socket(family(version)) as listener, one.ns.socket(family(version)) as near:
            listener.bind((str(other.address(version)), 0))
            listener.listen()
            _by_gateway(one, other, version)
            near.settimeout(1)
            with pytest.raises(OSError):
                near.connect(listener.getsockname()[:2])
        assert reaches(spot.net, one, version=version)
    spot.portal.end(19)


def _by_gateway(one: Phone, other: Phone, version: int) -> None:
    """The access point keeps its clients apart: what one sends another can only go through the gateway."""
    door, length = ("10.66.0.1", 32) if version == 4 else ("fd66::1", 128)
    one.ns.ip(f"route replace {other.address(version)}/{length} via {door} dev {one.interface} onlink")


@pytest.mark.netns
def test_a_camera_is_kept_to_its_places_over_kill_9_a_reload_and_a_lost_table(spot: Hotspot) -> None:
    recorder = outside(spot.net, 4)
    camera, guest = confine(spot, f"{recorder} tcp/8443"), admit(spot)

    def is_kept() -> bool:
        return reaches(spot.net, camera, port=8443) and not reaches(spot.net, camera, port=8080)

    spot.agent.kill()
    assert is_kept()
    spot.agent.start()
    assert is_kept()
    spot.portal.stop()
    spot.agent.nft("flush ruleset")
    until(lambda: spot.agent.leases().keys() >= {17, 18})
    assert is_kept()
    assert reaches(spot.net, guest, port=8080)
    spot.portal.start()


@pytest.mark.netns
def test_its_names_are_asked_within_a_strangers_budget(spot: Hotspot) -> None:
    camera = confine(spot, outside(spot.net, 4))
    before = spot.agent.counter("dns")
    with camera.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _ in range(200):
            asking.sendto(bytes(40), ("10.66.0.1", 53))
    assert spot.agent.counter("dns") > before


@pytest.mark.netns
def test_a_camera_at_its_full_rate_takes_nothing_from_a_guest(spot: Hotspot) -> None:
    camera, guest = confine(spot, outside(spot.net, 4), up=800), admit(spot, up=8000)
    with measured(spot, camera) as alone:
        until(lambda: alone.there.size > 500_000, seconds=20)
        with measured(spot, guest) as flow:
            began, before = time.monotonic(), alone.there.size
            until(lambda: flow.there.size > 3_000_000, seconds=30)
            seconds = time.monotonic() - began
            taken = (alone.there.size - before) / seconds
    guests_rate = flow.there.size / seconds
    # In bytes each second: 800 and 8,000 kbit/s, with what a bucket holds at first.
    assert taken < 100_000 * 1.5
    assert guests_rate > 5 * taken


@contextmanager
def measured(spot: Hotspot, phone: Phone) -> Iterator[Flow]:
    """As many datagrams as a sender likes, up to some 20 Mbit/s."""
    flow = Flow()
    far, near = (ns.socket(socket.AF_INET, socket.SOCK_DGRAM) for ns in (spot.net.internet, phone.ns))
    flow.keep(far, near)
    far.bind((outside(spot.net, 4), 0))
    near.connect(far.getsockname())
    flow.receive_on(far, flow.there)
    flow.send_on(near, bytes(1400), 0.0005)
    try:
        yield flow
    finally:
        flow.close()
