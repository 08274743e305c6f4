"""Where a confined client may go, as elements of the kernel's sets. Pure.

A set of concatenated ranges takes no two elements that overlap: what destinations say together is cut into parts that
do not.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Sequence

from gateways.destinations import PROTOCOLS, Destination

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# The parts of one client's destinations, none overlapping another of its own protocol.
Reach = frozenset[Destination]


def disjoint(destinations: Iterable[Destination]) -> Reach:
    """The same destinations in parts that do not overlap, those of all protocols apart from those of one."""
    found = list(destinations)
    parts = {
        Destination(network) for network in _collapsed(each.network for each in found if not each.protocol)
    }
    for protocol in PROTOCOLS:
        for version in (4, 6):
            own = [each for each in found if each.protocol == protocol and each.network.version == version]
            parts |= set(_cut(own))
    return frozenset(parts)


def _cut(destinations: Sequence[Destination]) -> Iterable[Destination]:
    """Parts of one protocol and family: between two bounds of ports the networks are the same."""
    bounds = sorted({edge for each in destinations for edge in (each.ports[0], each.ports[1] + 1)})
    for first, after in itertools.pairwise(bounds):
        here = [each.network for each in destinations if each.ports[0] <= first < each.ports[1] + 1]
        for network in _collapsed(here):
            yield Destination(network, destinations[0].protocol, (first, after - 1))


def _collapsed(networks: Iterable[Network]) -> list[Network]:
    found = list(networks)
    four = [each for each in found if isinstance(each, ipaddress.IPv4Network)]
    six = [each for each in found if isinstance(each, ipaddress.IPv6Network)]
    return [*ipaddress.collapse_addresses(four), *ipaddress.collapse_addresses(six)]


def set_of(part: Destination) -> str:
    """The name of the set that a part stands in."""
    return f"reach{part.network.version}" if part.protocol else f"reach_all{part.network.version}"


SETS = tuple(f"reach{kind}{version}" for kind in ("", "_all") for version in (4, 6))


def element(number: int, part: Destination) -> str:
    """The element as nft reads it.

    A single address is written as a network: without any range in it nft adds an element that it cannot delete again
    (seen with 1.0.6).
    """
    if not part.protocol:
        return f"{number} . {part.network}"
    first, last = part.ports
    ports = str(first) if first == last else f"{first}-{last}"
    return f"{number} . {part.network} . {part.protocol} . {ports}"


def read_element(value: Sequence[object]) -> tuple[int, Destination]:
    """The number and the part of an element as nft prints it in JSON. Raises ValueError, TypeError or KeyError."""
    number, network = int(str(value[0])), _network(value[1])
    if len(value) == 2:
        return number, Destination(network)
    protocol = str(value[2])
    names = {str(code): name for name, code in PROTOCOLS.items()}
    return number, Destination(network, names.get(protocol, protocol), _ports(value[3]))


def _network(value: object) -> Network:
    if isinstance(value, dict):
        prefix = value["prefix"]
        return ipaddress.ip_network(f"{prefix['addr']}/{prefix['len']}")
    return ipaddress.ip_network(str(value))


def _ports(value: object) -> tuple[int, int]:
    first, last = value["range"] if isinstance(value, dict) else (value, value)
    return int(str(first)), int(str(last))


DECLARATIONS = "  set confined { type mark; }\n" + "".join(
    f"  set reach{version} {{ type mark . ipv{version}_addr . inet_proto . inet_service; flags interval; }}\n"
    f"  set reach_all{version} {{ type mark . ipv{version}_addr; flags interval; }}\n"
    for version in (4, 6)
)


def confining_rules(way: str) -> list[str]:
    """What a confined client's packets meet, on their way "up" to the Internet or "down" from it.

    Both ways ask: an answer of where it may not go any more does not come through either.
    """
    address, port = ("daddr", "dport") if way == "up" else ("saddr", "sport")
    rules = []
    for family, version in (("ip", 4), ("ip6", 6)):
        where = f"meta nfproto ipv{version} meta mark . {family} {address}"
        rules += [
            f"{where} @reach_all{version} return",
            f"{where} . meta l4proto . th {port} @reach{version} return",
        ]
    if way == "down":
        # A router on the way says that a packet was too big, or went nowhere (RFC 4443, RFC 792).
        rules.append("meta l4proto { icmp, icmpv6 } ct state related return")
    return [*rules, "goto refuse" if way == "up" else "drop"]
