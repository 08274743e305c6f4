"""Who is behind an address: the kernel's neighbour table, asked and followed over rtnetlink.

A message's body is struct ndmsg (family, two paddings, interface index, state, flags, type; linux/neighbour.h), then
attributes, of which NDA_DST is the address and NDA_LLADDR the MAC. See rtnetlink(7); asking for one entry needs
Linux 5.0.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import struct
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from gateways.nftables.netlink import (
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    attribute,
    attributes,
    message,
    messages,
    refusal,
)
from gateways.types import Client, IpAddress, MacAddress, parse_mac

NEIGHBOUR = struct.Struct("=BxxxiHBB")

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
RTMGRP_NEIGH = 0x4
NDA_DST, NDA_LLADDR = 1, 2
# REACHABLE, STALE, DELAY, PROBE, PERMANENT. The others, INCOMPLETE and FAILED first, name no station.
KNOWN_STATES = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
BUFFER_BYTES = 1 << 16


class NeighbourTable:
    """The neighbours on one interface.

    It keeps a socket, because making one costs the kernel more than a thousand questions. It belongs to
    the network namespace it was made in, and is not for use by two threads at once.
    """

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._sequence = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.settimeout(1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def lookup(self, address: IpAddress) -> MacAddress | None:
        """The MAC address behind `address`; None while the kernel knows none (incomplete, failed, absent).

        Raises OSError when the kernel cannot be asked or the interface is gone: that is not nobody.
        """
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        index = socket.if_nametoindex(self.interface)
        self._socket.send(_request(self._sequence, index=index, address=address))
        while True:
            for sequence, kind, body in messages(self._socket.recv(BUFFER_BYTES)):
                if sequence != self._sequence:
                    continue
                if kind == NLMSG_ERROR:
                    # That there is no such entry is an answer, anything else is a fault.
                    if (error := refusal(body)) and not isinstance(error, FileNotFoundError):
                        raise error
                    return None
                client = _client(kind, body, index)
                return client.mac if client is not None else None


def lookup(interface: str, address: IpAddress) -> MacAddress | None:
    """As `NeighbourTable.lookup`, for who asks once."""
    with NeighbourTable(interface) as table:
        return table.lookup(address)


def _nothing(_: IpAddress) -> None:
    """Where nobody cares."""


async def follow(interface: str, *, lost: Callable[[IpAddress], None] = _nothing) -> AsyncIterator[Client]:
    """Every neighbour there is on `interface`, then every one that appears or changes, for ever.

    Each `Client` has one address. The same may come again and again. When the kernel says that news were lost
    (ENOBUFS), the whole table is told anew, so that nobody is missed. `lost` is told of each address that is dropped,
    as it does with all when the interface goes down. Raises OSError when there is no such interface.
    """
    loop = asyncio.get_running_loop()
    while True:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
            news.bind((0, RTMGRP_NEIGH))
            news.setblocking(False)
            news.send(_request(1, index=0, address=None))
            while True:
                try:
                    packet = await loop.sock_recv(news, BUFFER_BYTES)
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    break
                # Asked anew, because an interface that is made again gets another index.
                index = socket.if_nametoindex(interface)
                for _, kind, body in messages(packet):
                    if kind == RTM_DELNEIGH and (address := _address(body, index)):
                        lost(address)
                    client = _client(kind, body, index)
                    if client is not None:
                        yield client


def _request(sequence: int, *, index: int, address: IpAddress | None) -> bytes:
    """RTM_GETNEIGH for one address, or for the whole table (a dump) without one."""
    family = socket.AF_UNSPEC
    flags, asked = NLM_F_REQUEST, b""
    if address is None:
        flags |= NLM_F_DUMP
    else:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        asked = attribute(NDA_DST, address.packed)
    return message(RTM_GETNEIGH, flags, sequence, NEIGHBOUR.pack(family, index, 0, 0, 0) + asked)


def _client(kind: int, body: bytes, index: int) -> Client | None:
    """The station that a RTM_NEWNEIGH names on our interface."""
    if kind != RTM_NEWNEIGH or len(body) < NEIGHBOUR.size:
        return None
    family, found, state, _, _ = NEIGHBOUR.unpack_from(body)
    if found != index or not state & KNOWN_STATES or family not in (socket.AF_INET, socket.AF_INET6):
        return None
    fields = dict(attributes(body[NEIGHBOUR.size :]))
    try:
        address = ipaddress.ip_address(fields[NDA_DST])
        return Client(parse_mac(fields[NDA_LLADDR].hex()), (address,))
    except (KeyError, ValueError):
        # Entries without a MAC, and those of multicast, are nobody's.
        return None


def _address(body: bytes, index: int) -> IpAddress | None:
    """The address of the entry that a message is about, if it is on our interface."""
    if len(body) < NEIGHBOUR.size or NEIGHBOUR.unpack_from(body)[1] != index:
        return None
    fields = dict(attributes(body[NEIGHBOUR.size :]))
    return ipaddress.ip_address(fields[NDA_DST]) if NDA_DST in fields else None
