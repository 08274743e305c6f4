"""Frames made by hand, sent from a phone as it is or under other cards' names: ARP, neighbour discovery, DHCP."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct

from gateways.types import IpAddress, MacAddress
from lab.dhcp import COOKIE, MESSAGE
from lab.network import Phone

EVERYBODY = b"\xff" * 6
ROUTERS_SOLICIT, ADVERTISES_ROUTER, SOLICITS, ADVERTISES = 133, 134, 135, 136
SOURCE_CARD, TARGET_CARD = 1, 2
REQUEST, REPLY = 1, 2
OVERRIDE, SOLICITED = 1 << 29, 1 << 30


def packed(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def send(phone: Phone, *frames: bytes) -> None:
    """Put frames on the phone's air as they are."""

    def put() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as air:
            air.bind((phone.interface, 0))
            for frame in frames:
                air.send(frame)

    phone.call(put)


def gateway_mac(phone: Phone, gateway: IpAddress) -> MacAddress:
    """The gateway's card, as the phone has learnt it."""
    phone.run(["ping", "-c1", "-W5", str(gateway)])
    answer = phone.run(["ip", "neigh", "show", str(gateway)]).stdout.split()
    return MacAddress(answer[answer.index("lladdr") + 1])


def arp(operation: int, card: str, address: IpAddress, *, to: str, asked: IpAddress) -> bytes:
    """ "`address` is at `card`", to one card or to everybody. Gratuitous when `asked` is the same address."""
    heading = (packed(to) if to else EVERYBODY) + packed(card) + struct.pack("!H", 0x0806)
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + packed(card) + address.packed
    return heading + body + (packed(to) if to else bytes(6)) + asked.packed


def discovery(
    kind: int, *, sender: str, source: IpAddress, target: IpAddress, card: str, to: str, gateway: IpAddress
) -> bytes:
    """A message of neighbour discovery (RFC 4861 section 4) whose option says that somebody is at `card`."""
    option = TARGET_CARD if kind == ADVERTISES else SOURCE_CARD
    flags = OVERRIDE if kind == ADVERTISES else 0
    body = struct.pack("!I", flags)
    if kind == ADVERTISES_ROUTER:
        body = struct.pack("!BBHII", 64, 0, 1800, 0, 0)
    elif kind != ROUTERS_SOLICIT:
        body += target.packed
    body += struct.pack("!BB", option, 1) + packed(card)
    return packed(to) + packed(sender) + struct.pack("!H", 0x86DD) + icmpv6(kind, body, source, gateway)


def icmpv6(kind: int, body: bytes, source: IpAddress, target: IpAddress) -> bytes:
    size = 4 + len(body)
    ends = source.packed + target.packed
    message = struct.pack("!BBH", kind, 0, 0) + body
    total = sum(struct.unpack(f"!{(40 + size) // 2}H", ends + struct.pack("!II", size, 58) + message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    message = struct.pack("!BBH", kind, 0, ~total & 0xFFFF) + body
    return struct.pack("!IHBB", 6 << 28, size, 58, 255) + ends + message


def dhcp(
    kind: int,
    *,
    sender: str,
    client: str,
    server: IpAddress,
    current: IpAddress | None = None,
    wanted: IpAddress | None = None,
    source: str = "0.0.0.0",
    identifier: bytes = b"",
) -> bytes:
    """A DHCP message (RFC 2131) in the name of `client`, in a frame of `sender`."""
    options = bytes([53, 1, kind, 54, 4]) + server.packed
    if wanted is not None:
        options += bytes([50, 4]) + wanted.packed
    if identifier:
        options += bytes([61, len(identifier)]) + identifier
    here = current.packed if current else bytes(4)
    fixed = (1, 1, 6, 0, secrets.randbits(32), 0, 0, here, *[bytes(4)] * 3, packed(client), b"", b"", COOKIE)
    body = MESSAGE.pack(*fixed) + options + b"\xff"
    udp = struct.pack("!HHHH", 68, 67, 8 + len(body), 0) + body
    return EVERYBODY + packed(sender) + struct.pack("!H", 0x0800) + _ipv4(udp, 17, source, "255.255.255.255")


def dhcp_answer(*, sender: str, source: str) -> bytes:
    """An offer to everybody, from somebody who has none to make."""
    udp = struct.pack("!HHHH", 67, 68, 8 + 240, 0) + bytes(240)
    return EVERYBODY + packed(sender) + struct.pack("!H", 0x0800) + _ipv4(udp, 17, source, "255.255.255.255")


def _ipv4(payload: bytes, protocol: int, source: str, target: str) -> bytes:
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(target).packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0) + ends
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:] + payload
