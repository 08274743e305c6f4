"""Addresses of clients as texts name them, quick to look up."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from gateways.types import IpAddress


class ClientAddress4(ipaddress.IPv4Address):
    """An IPv4 address that reckons its hash once: the library does it with each look-up, a dozen for each grant."""

    __slots__ = ("_hash",)

    def __init__(self, address: Any) -> None:
        # By name: `super()` takes as long as either of them.
        ipaddress.IPv4Address.__init__(self, address)
        # The library's own, so that it is found where a plain one was put.
        self._hash = ipaddress.IPv4Address.__hash__(self)

    def __hash__(self) -> int:
        return self._hash


def read_address(text: str) -> IpAddress:
    """As `ipaddress.ip_address` reads it, but by the C library. Raises ValueError."""
    try:
        return ClientAddress4(int.from_bytes(socket.inet_pton(socket.AF_INET, text)))
    except OSError:
        return ipaddress.ip_address(text)
