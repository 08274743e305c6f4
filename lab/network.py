"""A small town made of network namespaces: phones, gateways, a portal's place, and an Internet behind them.

    with town(phones=2) as net:
        net.phone[0].run(["ping", "-c1", str(net.internet_address(4))])

The wiring, with the names of the interfaces:

    phone 0 wlan0 ── phone0 ┐                     ┌ gw0 ──── (internet: bridge core, .1)
    phone 1 wlan0 ── phone1 ┤ air: bridge air0    │
                      site0 ┴ lan0 gateway 0 wan0 ┘ portal ── eth0 (portal, .2)

The air is a namespace of its own with one bridge for each gateway, so that a phone walks to another site by
changing its bridge, with the same MAC address. Addresses: clients of gateway N in 10.66.N.0/24 and
fd66:0:0:N::/64 (the gateway is .1 and ::1, phone P is .10+P and ::a+P), the outside in 203.0.113.0/24 and
2001:db8:113::/64 (RFC 5737, RFC 3849). The outside knows its way back to the clients: nothing here needs
address translation, and nothing forbids it.

Each namespace is kept by one process, not by a name below /run/netns: the kernel removes it with the last
process, so that a lab that is killed leaves nothing behind, and two labs never meet.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from gateways.types import IpAddress, MacAddress
from lab.namespace import Inside, Namespace, NoNamespaces, demand_namespaces

__all__ = ["Gateway", "Namespace", "NoNamespaces", "Phone", "Town", "demand_namespaces", "town"]

INTERNET, PORTAL, FIRST_GATEWAY, FIRST_PHONE = 1, 2, 10, 10
OUTSIDE = {4: ipaddress.ip_network("203.0.113.0/24"), 6: ipaddress.ip_network("2001:db8:113::/64")}
ANYWHERE = {4: "0.0.0.0/0", 6: "::/0"}


def outside_address(version: int, host: int) -> IpAddress:
    """The address with number `host` in the lab's Internet, for IP version 4 or 6."""
    return OUTSIDE[version][host]


def client_prefix(version: int, gateway: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The prefix that the clients of gateway number `gateway` live in."""
    if version == 4:
        return ipaddress.ip_network(f"10.66.{gateway}.0/24")
    return ipaddress.ip_network(f"fd66:0:0:{gateway:x}::/64")


def client_address(version: int, gateway: int, host: int) -> IpAddress:
    return client_prefix(version, gateway)[host]


@dataclass(frozen=True, slots=True)
class Gateway:
    """The Linux box of one site. It routes; what it lets through is the agent's affair."""

    number: int
    ns: Namespace
    clients: str = "lan0"
    uplink: str = "wan0"

    def address(self, version: int) -> IpAddress:
        """Its address on the clients' side."""
        return client_address(version, self.number, 1)


class Phone:
    """One client: `ns` is where it lives, `mac` never changes, its addresses do when it walks."""

    interface = "wlan0"

    def __init__(self, number: int, ns: Inside, air: Inside) -> None:
        self.number = number
        self.ns = ns
        self.mac = MacAddress(f"02:00:00:00:00:{number + 1:02x}")
        self.at = 0
        self.run, self.popen, self.call = ns.run, ns.popen, ns.call
        self._air = air

    def address(self, version: int) -> IpAddress:
        """The fixed address it has at the gateway it stands at."""
        return client_address(version, self.at, FIRST_PHONE + self.number)

    def walk(self, gateway: Gateway, *, addressed: bool = True) -> None:
        """Leave for `gateway`: other bridge, same MAC. Without `addressed` it arrives bare, to ask DHCP."""
        self.go_to(gateway.number)
        if addressed:
            self.ns.ip(*self.addressing())

    def go_to(self, gateway: int) -> None:
        """Arrive at gateway number `gateway` without any address."""
        self.at = gateway
        self.ns.ip(f"addr flush dev {self.interface} scope global", f"link set {self.interface} down")
        self._air.ip(f"link set phone{self.number} master air{gateway}")
        self.ns.ip(f"link set {self.interface} up")

    def addressing(self) -> list[str]:
        """The lines of `ip` that give it its fixed addresses and its way out."""
        lines: list[str] = []
        for version in (4, 6):
            length = client_prefix(version, self.at).prefixlen
            nodad = " nodad" if version == 6 else ""
            lines.append(f"addr replace {self.address(version)}/{length} dev {self.interface}{nodad}")
            lines.append(f"route replace {ANYWHERE[version]} via {client_address(version, self.at, 1)}")
        return lines


@dataclass(frozen=True, slots=True)
class Town:
    """All of it. `gateway` is the first gateway; with several sites, see `gateways`."""

    phone: tuple[Phone, ...]
    gateways: tuple[Gateway, ...]
    internet: Namespace
    portal: Namespace
    air: Namespace

    @property
    def gateway(self) -> Gateway:
        return self.gateways[0]

    def internet_address(self, version: int) -> IpAddress:
        return outside_address(version, INTERNET)

    def portal_address(self, version: int) -> IpAddress:
        return outside_address(version, PORTAL)


@contextmanager
def town(
    *, phones: int = 1, gateways: int = 1, addressed: bool = True, routing: bool = True
) -> Iterator[Town]:
    """Open a town, and take it down whatever happens.

    With `addressed` the phones have fixed addresses at gateway 0; without, they wait for DHCP. Without
    `routing` the gateways do not route until somebody turns it on. Raises `NoNamespaces` with a reason of
    one line. The calling thread must outlive the town, which dies with it.
    """
    demand_namespaces()
    with ExitStack() as stack:
        names = ["air", "internet", "portal"]
        air, internet, portal = (stack.enter_context(Namespace(name)) for name in names)
        doors = tuple(Gateway(n, stack.enter_context(Namespace(f"gateway{n}"))) for n in range(gateways))
        clients = tuple(Phone(n, stack.enter_context(Namespace(f"phone{n}")), air) for n in range(phones))
        net = Town(clients, doors, internet, portal, air)
        _build_outside(net)
        for door in doors:
            _attach_gateway(net, door, routing=routing)
        for phone in clients:
            _attach_phone(net, phone, addressed=addressed)
        yield net


def _outside_lines(interface: str, host: int) -> list[str]:
    return [
        f"addr add {outside_address(4, host)}/24 dev {interface}",
        f"addr add {outside_address(6, host)}/64 dev {interface} nodad",
        f"link set {interface} up",
    ]


def _build_outside(net: Town) -> None:
    net.internet.ip(
        "link add core type bridge mcast_snooping 0",
        *_outside_lines("core", INTERNET),
        f"link add portal type veth peer name eth0 netns {net.portal.pid}",
        "link set portal master core up",
    )
    net.portal.ip(*_outside_lines("eth0", PORTAL))
    for version in (4, 6):
        net.portal.ip(f"route add {ANYWHERE[version]} via {net.internet_address(version)}")


def _attach_gateway(net: Town, door: Gateway, *, routing: bool) -> None:
    n, pid = door.number, door.ns.pid
    net.air.ip(
        f"link add air{n} type bridge mcast_snooping 0",
        f"link set air{n} up",
        f"link add site{n} type veth peer name {door.clients} netns {pid}",
        f"link set site{n} master air{n} up",
    )
    net.internet.ip(
        f"link add gw{n} type veth peer name {door.uplink} netns {pid}", f"link set gw{n} master core up"
    )
    if routing:
        door.ns.set_kernel({"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1"})
    lines = [*_outside_lines(door.uplink, FIRST_GATEWAY + n), f"link set {door.clients} up"]
    for version in (4, 6):
        prefix, nodad = client_prefix(version, n), " nodad" if version == 6 else ""
        lines.append(f"addr add {door.address(version)}/{prefix.prefixlen} dev {door.clients}{nodad}")
        lines.append(f"route add {ANYWHERE[version]} via {net.internet_address(version)}")
        back = f"route add {prefix} via {outside_address(version, FIRST_GATEWAY + n)}"
        for node in (net.internet, net.portal):
            node.ip(back)
    door.ns.ip(*lines)


def _attach_phone(net: Town, phone: Phone, *, addressed: bool) -> None:
    n = phone.number
    net.air.ip(
        f"link add phone{n} type veth peer name {phone.interface} address {phone.mac} netns {phone.ns.pid}",
        f"link set phone{n} master air0 up",
    )
    phone.ns.ip(f"link set {phone.interface} up")
    if addressed:
        phone.ns.ip(*phone.addressing())
