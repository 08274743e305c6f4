"""One forged frame takes nobody's download to another card, and an address that somebody holds leads nowhere."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateways.types import IpAddress
from lab.network import Phone
from tests.gateways import frames
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_spoofing import grant_ada, readdress
from tests.gateways.traffic import Tap, reaches, udp_downpour

pytestmark = pytest.mark.netns
Forgery = Callable[[Phone, str, IpAddress, IpAddress], bytes]


def arp_reply(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return frames.arp(frames.REPLY, liar.mac, address, to=gateway, asked=own)


def arp_request(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return frames.arp(frames.REQUEST, liar.mac, address, to="", asked=own)


def gratuitous_arp(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return frames.arp(frames.REQUEST, liar.mac, address, to="", asked=address)


def advertisement(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return _discovery(frames.ADVERTISES, liar, gateway, liar.address(6), address, own)


def advertisement_of_the_victim(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return _discovery(frames.ADVERTISES, liar, gateway, address, address, own)


def solicitation(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return _discovery(frames.SOLICITS, liar, gateway, address, own, own)


def router_solicitation(liar: Phone, gateway: str, address: IpAddress, own: IpAddress) -> bytes:
    return _discovery(frames.ROUTERS_SOLICIT, liar, gateway, address, own, own)


def _discovery(
    kind: int, liar: Phone, gateway: str, source: IpAddress, target: IpAddress, own: IpAddress
) -> bytes:
    return frames.discovery(
        kind, sender=liar.mac, source=source, target=target, card=liar.mac, to=gateway, gateway=own
    )


FORGERIES: dict[Forgery, int] = {
    arp_reply: 4,
    arp_request: 4,
    gratuitous_arp: 4,
    advertisement: 6,
    advertisement_of_the_victim: 6,
    solicitation: 6,
    router_solicitation: 6,
}


@contextmanager
def under_fire(spot: Hotspot, forge: Forgery, version: int) -> Iterator[None]:
    """Forged frames without end, from a phone that is nobody."""
    ada, liar = spot.net.phone
    own = spot.net.gateway.address(version)
    card = frames.gateway_mac(liar, own)
    frame = forge(liar, card, ada.address(version), own)
    with udp_downpour(spot.net, ada, version=version) as flow, Tap(liar.ns, liar.interface) as tap:
        until(lambda: flow.here.count > 5)
        begun, before = time.monotonic(), flow.here.count
        # What was forged early must not show late: at least so long, and as long as a busy machine needs.
        while time.monotonic() < begun + 1.5 or flow.here.count <= before + 30:
            assert time.monotonic() < begun + 20, "the download stopped"
            frames.send(liar, frame)
            time.sleep(0.1)
        assert not [each for each in tap.sources("203.0.113.0/24", "2001:db8:113::/64") if len(each) > 500]
    yield


@pytest.mark.parametrize(
    ("forge", "version"), FORGERIES.items(), ids=lambda each: getattr(each, "__name__", "")
)
def test_a_forged_frame_takes_no_download_to_another_card(
    tmp_path: Path, forge: Forgery, version: int
) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        grant_ada(spot)
        with under_fire(spot, forge, version):
            pass
        # Nor while the agent is away, nor when it has come back.
        spot.agent.kill()
        with under_fire(spot, forge, version):
            pass
        spot.agent.start()
        with under_fire(spot, forge, version):
            pass


def permanent(spot: Hotspot) -> str:
    return spot.net.gateway.ns.run(["ip", "neigh", "show", "dev", "lan0", "nud", "permanent"]).stdout


@pytest.mark.parametrize("meanwhile", ["running", "killed"])
def test_the_addresses_are_free_again_when_the_grant_ends(tmp_path: Path, meanwhile: str) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada = grant_ada(spot)
        spot.net.gateway.ns.run(
            ["ip", "neigh", "add", "10.66.0.200", "lladdr", "02:00:00:00:02:00", "dev", "lan0"]
        )
        assert str(ada.address(4)) in permanent(spot) and str(ada.address(6)) in permanent(spot)
        if meanwhile == "killed":
            spot.agent.kill()
        spot.portal.end(17)
        if meanwhile == "killed":
            spot.agent.start()
        spot.portal.wait_confirmed()
        until(lambda: ada.mac not in permanent(spot))
        # What the administrator set up by hand is let be.
        assert "10.66.0.200" in permanent(spot)
        assert str(ada.address(4)) not in spot.agent.nft("list", "set", "inet", "arobase", "held4")


def test_neighbours_that_the_kernel_dropped_are_bound_again(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        ada = grant_ada(spot)
        spot.net.gateway.ns.ip("link set lan0 down", "link set lan0 up")
        until(lambda: str(ada.address(4)) in permanent(spot))


def nothing_answers(spot: Hotspot, phone: Phone, version: int) -> bool:
    """Whether neither the portal, nor the redirector, nor the gateway itself says a word to this phone."""
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    doors = [(str(spot.net.portal_address(version)), 443), (str(spot.net.internet_address(version)), 80)]
    for door in doors:
        with phone.ns.socket(family) as near:
            near.settimeout(0.5)
            try:
                near.connect(door)
            except ConnectionRefusedError:
                return False
            except OSError:
                # Silence, of the neighbour discovery too.
                continue
            return False
    ping = ["ping", f"-{version}", "-c", "2", "-i", "0.2", "-W", "1", str(spot.net.gateway.address(version))]
    return phone.run(ping, check=False).returncode != 0


def pretend(spot: Hotspot, liar: Phone, version: int, address: str) -> None:
    """Take an address, and know the gateway's card without asking: answers to that would go to the address' holder."""
    own = spot.net.gateway.address(version)
    card = frames.gateway_mac(liar, own)
    readdress(liar, version, address)
    liar.ns.ip(f"neigh replace {own} lladdr {card} dev {liar.interface} nud permanent")


def opens(phone: Phone, address: str, *, patience: float = 0.3) -> bool:
    """Whether the portal takes a connection from this phone."""
    with phone.ns.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as near:
        near.settimeout(patience)
        return near.connect_ex((address, 443)) == 0


def was_told(spot: Hotspot, phone: Phone, version: int) -> bool:
    """Whether the portal was told that this phone is at Ada's address."""
    address = str(spot.net.phone[0].address(version))
    answer = [each for arrival in spot.portal.arrivals for each in arrival["clients"]]
    return any(each["client"] == phone.mac and address in each["addresses"] for each in answer)


@contextmanager
def listening(spot: Hotspot, version: int) -> Iterator[socket.socket]:
    with spot.net.portal.socket(socket.AF_INET if version == 4 else socket.AF_INET6) as portal:
        portal.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        portal.bind((str(spot.net.portal_address(version)), 443))
        portal.listen()
        yield portal


@pytest.mark.parametrize("version", [4, 6])
def test_the_address_of_who_is_online_leads_nowhere_for_another_card(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot, listening(spot, version):
        ada, bo = grant_ada(spot), spot.net.phone[1]
        address = str(ada.address(version))
        with Tap(spot.net.portal, "eth0") as portal:
            pretend(spot, bo, version, address)
            for _ in range(3):
                assert nothing_answers(spot, bo, version)
            # Not a packet arrives either, to which the answer would go to Ada.
            assert portal.sources(address) == []
        assert reaches(spot.net, ada, version=version)
        assert not was_told(spot, bo, version)


def test_a_leased_address_leads_nowhere_for_another_card_even_when_its_owner_has_left(tmp_path: Path) -> None:
    leases = tmp_path / "dnsmasq.leases"
    with hotspot(tmp_path, phones=2, dhcp_leases_file=str(leases)) as spot, listening(spot, 4):
        ada, bo = spot.net.phone
        # Signed in or not, what DHCP gave to Ada is hers.
        leases.write_text(f"1700000000 {ada.mac} {ada.address(4)} ada *\n")
        until(lambda: str(ada.address(4)) in permanent(spot))
        ada.ns.ip(f"link set {ada.interface} down")
        with Tap(spot.net.portal, "eth0") as portal:
            pretend(spot, bo, 4, str(ada.address(4)))
            for _ in range(4):
                assert nothing_answers(spot, bo, 4)
            assert portal.sources(str(ada.address(4))) == []
        leases.write_text("")
        until(lambda: not nothing_answers(spot, bo, 4))


@pytest.mark.parametrize("version", [4, 6])
def test_who_has_left_loses_an_address_to_the_next_and_the_portal_hears_it_first(
    tmp_path: Path, version: int
) -> None:
    with hotspot(tmp_path, phones=2) as spot, listening(spot, version):
        ada, bo = grant_ada(spot), spot.net.phone[1]
        portal, address = str(spot.net.portal_address(version)), str(ada.address(version))
        for own in (4, 6):
            bo.run(["ping", "-c1", "-W5", str(spot.net.gateway.address(own))])
        for own in (4, 6):
            spot.portal.wait(lambda own=own: str(bo.address(own)) in str(spot.portal.arrivals))
        spot.portal.takes_arrivals.clear()
        ada.ns.ip(f"link set {ada.interface} down")
        readdress(bo, version, address)
        with Tap(spot.net.portal, "eth0") as tap:
            until(lambda: opens(bo, portal) or address in str(spot.portal.arrivals_at_the_door), seconds=10)
            # The portal has it in hand, and has not noted it yet: for so long Bo does not reach it.
            assert not opens(bo, portal, patience=1.0)
            assert tap.sources(address) == []
            spot.portal.takes_arrivals.set()
            until(lambda: opens(bo, portal), seconds=10)
        assert was_told(spot, bo, version)
        # The number is Ada's still, and so is all that comes back to it: Bo is a stranger.
        assert not reaches(spot.net, bo, version=version, patience=0.3)


def test_nobody_speaks_as_the_gateway(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        grant_ada(spot)
        liar = spot.net.phone[0]
        before = spot.agent.counter("spoofed")
        own = spot.net.gateway.address(6)
        card = frames.gateway_mac(liar, own)
        frames.send(liar, *[_discovery(128, liar, card, own, own, spot.net.internet_address(6))] * 3)
        until(lambda: spot.agent.counter("spoofed") >= before + 3)
        assert "fd66::1 " not in spot.agent.nft("list", "map", "inet", "arobase", "clients6")
