"""What every kind of gateway gets and answers. Pure values: no HTTP, no database, no kernel."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, NewType

from gateways.destinations import Destination
from gateways.sentences import Sentence

MacAddress = NewType("MacAddress", str)
IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_HEX = re.compile(r"[0-9a-f]{12}")
_CANONICAL = re.compile(r"[0-9a-f][02468ace](?::[0-9a-f]{2}){5}")
_ZERO = "00:00:00:00:00:00"


class InvalidMac(ValueError):
    """The text is not the address of one network card."""


def parse_mac(text: str) -> MacAddress:
    """Read a MAC address in any usual notation and give its one canonical form, ``aa:bb:cc:dd:ee:ff``.

    Accepts ``AA-BB-…``, ``aabb.ccdd.eeff``, ``aabbccddeeff`` in either case. Refuses (InvalidMac) zero, broadcast and
    multicast addresses: none of them is the address of a client (IEEE 802-2014 section 8.2).
    """
    if _CANONICAL.fullmatch(text) and text != _ZERO:
        # Nearly all that is read here is what this function has given before.
        return MacAddress(text)
    digits = text.strip().lower()
    for separator in ":-.":
        digits = digits.replace(separator, "")
    if not _HEX.fullmatch(digits) or len(text) > 24:
        raise InvalidMac(Sentence("'%(text)s' is not a MAC address", text=text[:40]))
    if int(digits, 16) == 0 or int(digits[:2], 16) & 1:
        raise InvalidMac(Sentence("'%(text)s' is not the address of one network card", text=text))
    return MacAddress(":".join(digits[i : i + 2] for i in range(0, 12, 2)))


def are_canonical(texts: Collection[str]) -> bool:
    """Whether `parse_mac` would give each of these as it stands: for ten thousand at once."""
    return all(map(_CANONICAL.fullmatch, texts)) and _ZERO not in texts


class Client(NamedTuple):
    """A device as a gateway sees it: its MAC, and the addresses it uses."""

    mac: MacAddress
    addresses: tuple[IpAddress, ...]


# Behind a public address that is shared out in blocks: the ports of everybody without a block of their own, the gateway
# itself included. Blocks begin after them.
SHARED_PORTS = (1024, 5119)
FIRST_BLOCK_PORT, LAST_BLOCK_PORT = 5120, 65535


@dataclass(frozen=True, slots=True)
class PortRange:
    """The source ports, first and last included, that a client's TCP and UDP leave from behind this address."""

    address: ipaddress.IPv4Address
    first: int
    last: int


class Grant(NamedTuple):
    """This client may pass until this instant at these rates. A tuple: ten thousand come at once, and a frozen
    dataclass takes four times as long to make.

    `number` is the access session's own number, 1 to 2**32 - 1: stable over renewals, restarts and roaming. `until`
    is in seconds since the epoch by the portal's clock. Rates are ceilings in kbit/s; 0 means none. Without `ports`,
    IPv4 is translated to whatever port is free. Without `destinations` the client goes everywhere. With `resolver` its
    DNS goes there, whatever server it asks.
    """

    number: int
    client: Client
    until: float
    rate_down_kbps: int
    rate_up_kbps: int
    ports: PortRange | None = None
    destinations: tuple[Destination, ...] | None = None
    resolver: IpAddress | None = None
