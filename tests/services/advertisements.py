"""A phone's ear for router advertisements (RFC 4861 section 4.2)."""

from __future__ import annotations

import socket

from lab.network import Phone

SOLICITATION = bytes([133, 0, 0, 0, 0, 0, 0, 0])


def options(message: bytes) -> dict[int, bytes]:
    found, rest = {}, message[16:]
    while rest:
        found[rest[0]] = rest[2 : rest[1] * 8]
        rest = rest[rest[1] * 8 :]
    return found


def ear(phone: Phone) -> socket.socket:
    """A raw socket in the phone that hears every ICMPv6 message, with the hop limit it came with."""

    def make() -> socket.socket:
        port = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex(phone.interface))
        port.settimeout(5)
        return port

    return phone.call(make)


def hear(port: socket.socket) -> tuple[bytes, int]:
    """The next router advertisement, and its hop limit."""
    while True:
        message, extra, _, _ = port.recvmsg(1500, 256)
        if message[0] == 134:
            return message, int.from_bytes(extra[0][2], "little")
