"""Where a client that may not go everywhere may go: a network, a protocol, ports. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateways.sentences import Sentence

# The numbers of the protocols in IP's header (IANA, Assigned Internet Protocol Numbers).
PROTOCOLS = {"tcp": 6, "udp": 17}
ALL_PORTS = (0, 65535)
MOST_DESTINATIONS = 64
_SERVICE = re.compile(r"(tcp|udp)/(\d{1,5})(?:-(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Destination:
    """A network that a client may reach. Without `protocol` by any, ICMP included; `ports` are first and last."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    protocol: str = ""
    ports: tuple[int, int] = ALL_PORTS

    def __str__(self) -> str:
        """What `parse_destination` reads."""
        alone = self.network.num_addresses == 1
        where = str(self.network.network_address) if alone else str(self.network)
        if not self.protocol:
            return where
        first, last = self.ports
        return f"{where} {self.protocol}/{first}" + (f"-{last}" if last != first else "")


def parse_destination(text: str) -> Destination:
    """Read ``203.0.113.10``, ``203.0.113.0/24 tcp/443`` or ``2001:db8::10 udp/5000-5100``.

    Raises ValueError with what is wrong.
    """
    where, _, service = " ".join(text.split()).partition(" ")
    try:
        network = ipaddress.ip_network(where)
    except ValueError as error:
        raise ValueError(
            Sentence(
                "'%(where)s' is no address and no network: 203.0.113.10 or 2001:db8::/32", where=where[:60]
            )
        ) from error
    if not service:
        return Destination(network)
    found = _SERVICE.fullmatch(service)
    if found is None:
        raise ValueError(
            Sentence(
                "'%(service)s' is no protocol with a port: tcp/443 or udp/5000-5100", service=service[:60]
            )
        )
    protocol, first, last = found[1], int(found[2]), int(found[3] or found[2])
    if not 1 <= first <= last <= ALL_PORTS[1]:
        raise ValueError(Sentence("'%(service)s' is no range of ports from 1 to 65535", service=service[:60]))
    return Destination(network, protocol, (first, last))


def parse_destinations(texts: Iterable[str]) -> tuple[Destination, ...]:
    """Read each, at most `MOST_DESTINATIONS`, none twice. Raises ValueError."""
    found = tuple(dict.fromkeys(parse_destination(text) for text in texts))
    if len(found) > MOST_DESTINATIONS:
        raise ValueError(
            Sentence(
                "there are %(count)s destinations, and %(most)s are the most",
                count=len(found),
                most=MOST_DESTINATIONS,
            )
        )
    return found


def still_reaches(before: Iterable[Destination], after: Iterable[Destination]) -> bool:
    """Whether each of the former destinations lies within one of the new ones, alone."""
    now = tuple(after)
    return all(any(_lies_within(one, other) for other in now) for one in before)


def _lies_within(one: Destination, other: Destination) -> bool:
    inner, outer = one.network, other.network
    # Networks of two families are never compared: `subnet_of` would refuse to.
    is_inside = inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
    is_served = not other.protocol or one.protocol == other.protocol
    return is_inside and is_served and other.ports[0] <= one.ports[0] and one.ports[1] <= other.ports[1]
