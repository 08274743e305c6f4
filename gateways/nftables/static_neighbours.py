"""Permanent entries in the kernel's neighbour table: an address that a card holds is sent to that card alone.

ARP (RFC 826) and neighbour discovery (RFC 4861) believe whoever spoke last, and one forged answer would take a
download to another card. A permanent entry hears none of them, neither answers nor requests nor advertisements. Ours
carry a protocol number (NDA_PROTOCOL, Linux 5.0), so that those which an administrator made are let be; they stay when
the agent ends.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping

from gateways.nftables.neighbours import (
    BUFFER_BYTES,
    NDA_DST,
    NDA_LLADDR,
    NEIGHBOUR,
    RTM_DELNEIGH,
    RTM_GETNEIGH,
    RTM_NEWNEIGH,
)
from gateways.nftables.netlink import (
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    attribute,
    attributes,
    message,
    messages,
    refusal,
)
from gateways.types import IpAddress, MacAddress

NUD_PERMANENT = 0x80
NDA_PROTOCOL, OUR_PROTOCOL = 12, 97
# What is sent at once before the kernel's answer is read.
AT_ONCE = 100


class StaticNeighbours:
    """Our permanent entries on one interface. Blocking; for one thread at a time."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._sequence = 0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.settimeout(2.0)

    def close(self) -> None:
        """The entries stay."""
        self._socket.close()

    def change(self, bound: Mapping[IpAddress, MacAddress], released: Iterable[IpAddress] = ()) -> None:
        """Send these addresses to these cards, whatever the table says now, and leave the others to themselves.

        Raises OSError when the interface is gone or the kernel refuses; then some of it may be done.
        """
        index = socket.if_nametoindex(self._interface)
        requests = [self._request(RTM_DELNEIGH, index, address) for address in released]
        requests += [self._request(RTM_NEWNEIGH, index, address, mac) for address, mac in bound.items()]
        for start in range(0, len(requests), AT_ONCE):
            self._carry_out(requests[start : start + AT_ONCE])

    def fit(self, bound: Mapping[IpAddress, MacAddress]) -> None:
        """Make our entries be these and no others. Raises OSError."""
        there = self.entries()
        missing = {address: mac for address, mac in bound.items() if there.get(address) != mac}
        self.change(missing, there.keys() - bound.keys())

    def entries(self) -> dict[IpAddress, MacAddress]:
        """Our entries as they are. Raises OSError."""
        index = socket.if_nametoindex(self._interface)
        self._sequence += 1
        body = NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
        self._socket.send(message(RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, self._sequence, body))
        found: dict[IpAddress, MacAddress] = {}
        while True:
            for sequence, kind, said in messages(self._socket.recv(BUFFER_BYTES)):
                if sequence != self._sequence:
                    continue
                if kind == NLMSG_DONE:
                    return found
                if kind == RTM_NEWNEIGH:
                    found.update(_ours(said, index))

    def _request(self, kind: int, index: int, address: IpAddress, mac: MacAddress | None = None) -> bytes:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        body = NEIGHBOUR.pack(family, index, NUD_PERMANENT, 0, 0) + attribute(NDA_DST, address.packed)
        flags = NLM_F_REQUEST | NLM_F_ACK
        if mac is not None:
            flags |= NLM_F_CREATE | NLM_F_REPLACE
            body += attribute(NDA_LLADDR, bytes.fromhex(mac.replace(":", "")))
            body += attribute(NDA_PROTOCOL, bytes([OUR_PROTOCOL]))
        self._sequence += 1
        return message(kind, flags, self._sequence, body)

    def _carry_out(self, requests: list[bytes]) -> None:
        waiting = {sequence for each in requests for sequence, _, _ in messages(each)}
        self._socket.send(b"".join(requests))
        refused: OSError | None = None
        while waiting:
            for sequence, kind, body in messages(self._socket.recv(BUFFER_BYTES)):
                if kind != NLMSG_ERROR or sequence not in waiting:
                    continue
                waiting.discard(sequence)
                error = refusal(body)
                # An entry that is gone already needs no deleting.
                if not isinstance(error, FileNotFoundError):
                    refused = error or refused
        if refused:
            raise refused


def _ours(body: bytes, index: int) -> dict[IpAddress, MacAddress]:
    _, found, state, _, _ = NEIGHBOUR.unpack_from(body)
    fields = dict(attributes(body[NEIGHBOUR.size :]))
    if found != index or not state & NUD_PERMANENT or fields.get(NDA_PROTOCOL, b"\0")[0] != OUR_PROTOCOL:
        return {}
    return {ipaddress.ip_address(fields[NDA_DST]): MacAddress(fields[NDA_LLADDR].hex(":"))}
