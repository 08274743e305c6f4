"""Netlink's framing, which rtnetlink and nftables share: messages, attributes, error answers.

A message is a header (struct nlmsghdr: length, type, flags, sequence, port) and a body; attributes (struct nlattr:
length and type, padded to four bytes) stand in the body, one after the other or nested. All in the byte order of the
machine. See netlink(7) and linux/netlink.h.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

HEADER, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=HH")

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE, NLM_F_DUMP, NLM_F_CREATE = 0x001, 0x004, 0x100, 0x300, 0x400
# An attribute's two highest bits say that it is nested, or in network byte order (NLA_TYPE_MASK).
TYPE_MASK = 0x3FFF


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(body), kind, flags, sequence, 0) + body


def messages(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Sequence, type and body of each message in a packet."""
    start = 0
    while start + HEADER.size <= len(packet):
        length, kind, _, sequence, _ = HEADER.unpack_from(packet, start)
        if length < HEADER.size:
            return
        yield sequence, kind, packet[start + HEADER.size : start + length]
        start += _aligned(length)


def attribute(kind: int, value: bytes) -> bytes:
    size = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(size, kind) + value + bytes(_aligned(size) - size)


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and value of each attribute."""
    start = 0
    while start + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, start)
        if length < ATTRIBUTE.size:
            return
        yield kind & TYPE_MASK, data[start + ATTRIBUTE.size : start + length]
        start += _aligned(length)


def refusal(body: bytes) -> OSError | None:
    """What NLMSG_ERROR's body says: None acknowledges, FileNotFoundError means that there is no such thing."""
    code = -struct.unpack_from("=i", body)[0]
    return OSError(code, os.strerror(code)) if code else None


def _aligned(length: int) -> int:
    return (length + 3) & ~3
