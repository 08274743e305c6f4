"""Asks one card whether it still uses an address, past the kernel's neighbour table: an ARP request (RFC 826) or a
neighbour solicitation (RFC 4861 section 4.3) in a frame to that card alone, so that nobody else is asked.

The kernel's own detection of unreachable neighbours would believe any other card that answers first.
"""

from __future__ import annotations

import asyncio
import ctypes
import ipaddress
import socket
import struct

from gateways.types import IpAddress, MacAddress

TRIES, PATIENCE_SECONDS = 3, 0.4
ETH_P_ARP, ETH_P_IPV6 = 0x0806, 0x86DD
# hardware, protocol, their lengths, operation, then twice a card and its address
ARP = struct.Struct("!HHBBH6s4s6s4s")
REQUEST = 1
IPV6_HEADER = struct.Struct("!IHBB16s16s")
SOLICITATION, ADVERTISEMENT, ICMPV6 = 135, 136, 58
SOURCE_CARD_OPTION = 1
# linux/socket.h, linux/filter.h
SO_ATTACH_FILTER = 26
# Next header 58 and ICMPv6 type 136; else nothing (classic BPF: code, jump if true, jump if false, value).
ADVERTISEMENTS_ONLY = (
    (0x30, 0, 0, 6),
    (0x15, 0, 3, ICMPV6),
    (0x30, 0, 0, 40),
    (0x15, 0, 1, ADVERTISEMENT),
    (0x06, 0, 0, 256),
    (0x06, 0, 0, 0),
)


async def answers(interface: str, mac: MacAddress, address: IpAddress) -> bool:
    """Whether the card `mac` says within a second or so that `address` is its own. Needs CAP_NET_RAW.

    Raises OSError when no probe can be sent: that is no silence.
    """
    loop = asyncio.get_running_loop()
    card = bytes.fromhex(mac.replace(":", ""))
    kind = ETH_P_ARP if address.version == 4 else ETH_P_IPV6
    with _open(interface, kind) as port:
        question = _question(interface, port.getsockname()[4], card, address)
        for _ in range(TRIES):
            port.sendto(question, (interface, kind, 0, 0, card))
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while True:
                        said, (_, _, _, _, sender) = await loop.sock_recvfrom(port, 1500)
                        if sender == card and _claims(said, card, address):
                            return True
            except TimeoutError:
                continue
    return False


def _open(interface: str, kind: int) -> socket.socket:
    port = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
    port.setblocking(False)
    if kind == ETH_P_IPV6:
        code = b"".join(struct.pack("=HBBI", *each) for each in ADVERTISEMENTS_ONLY)
        kept = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("@HP", len(ADVERTISEMENTS_ONLY), ctypes.addressof(kept))
        port.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
    # Bound last: from here on it listens.
    port.bind((interface, kind))
    return port


def _question(interface: str, own_card: bytes, card: bytes, address: IpAddress) -> bytes:
    own = _own_address(interface, address).packed
    if address.version == 4:
        return ARP.pack(1, 0x0800, 6, 4, REQUEST, own_card, own, card, address.packed)
    option = struct.pack("!BB6s", SOURCE_CARD_OPTION, 1, own_card)
    body = struct.pack("!I16s", 0, address.packed) + option
    ends = own + address.packed
    summed = ends + struct.pack("!II", 4 + len(body), ICMPV6) + struct.pack("!BBH", SOLICITATION, 0, 0) + body
    header = IPV6_HEADER.pack(6 << 28, 4 + len(body), ICMPV6, 255, own, address.packed)
    return header + struct.pack("!BBH", SOLICITATION, 0, _checksum(summed)) + body


def _own_address(interface: str, address: IpAddress) -> IpAddress:
    """The address that this machine would speak to `address` from."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    scope = (0, socket.if_nametoindex(interface)) if address.version == 6 and address.is_link_local else ()
    with socket.socket(family, socket.SOCK_DGRAM) as port:
        port.connect((str(address), 9, *scope))
        return ipaddress.ip_address(port.getsockname()[0].partition("%")[0])


def _checksum(data: bytes) -> int:
    """The Internet checksum of an even number of bytes (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _claims(said: bytes, card: bytes, address: IpAddress) -> bool:
    """Whether this is an answer that says `address` is at `card`. A gratuitous one will do as well."""
    if address.version == 6:
        return said[48:64] == address.packed
    if len(said) < ARP.size:
        return False
    sender, source = ARP.unpack_from(said)[5:7]
    return bool(sender == card and source == address.packed)
