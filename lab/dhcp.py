"""A phone's DHCPv4 client (RFC 2131), small enough for the lab: one lease, taken once, with all its options."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lab.network import Phone

# op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file, magic cookie
MESSAGE = struct.Struct("!BBBBIHH4s4s4s4s16s64s128s4s")
COOKIE = b"\x63\x82\x53\x63"
BROADCAST_FLAG = 0x8000
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
MASK, ROUTER, RESOLVER, WANTED_ADDRESS, LEASE_TIME, KIND, SERVER, WANTED = 1, 3, 6, 50, 51, 53, 54, 55
IDENTIFIER, CAPPORT, END = 61, 114, 255
AGAIN_SECONDS = 1.0


class NoLease(Exception):
    """No DHCP server gave us an address in time."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What a server granted. `options` holds every option as it came, by number."""

    address: ipaddress.IPv4Interface
    router: ipaddress.IPv4Address
    resolver: ipaddress.IPv4Address
    seconds: int
    options: dict[int, bytes]

    @property
    def capport_url(self) -> str | None:
        """The address of the RFC 8908 API, if it was announced (RFC 8910 section 2.1)."""
        announced = self.options.get(CAPPORT)
        return announced.decode("ascii") if announced is not None else None


def join(phone: Phone, *, timeout: float = 5.0) -> Lease:
    """Take a lease and put it to use in the phone's namespace. Raises `NoLease`."""
    lease = phone.call(lambda: acquire(phone.interface, bytes.fromhex(phone.mac.replace(":", "")), timeout))
    phone.ns.ip(
        f"addr replace {lease.address} dev {phone.interface}",
        f"route replace 0.0.0.0/0 via {lease.router}",
    )
    phone.ns.resolve_with(lease.resolver)
    return lease


def acquire(interface: str, mac: bytes, timeout: float, *, identifier: bytes = b"") -> Lease:
    """Discover, request, and give the lease that was acknowledged. To be called inside the phone's namespace.

    `identifier` is the client identifier (RFC 2132 section 9.14), if one is sent.
    """
    named = _option(IDENTIFIER, identifier) if identifier else b""
    number = secrets.randbits(32)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        port.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        port.bind(("0.0.0.0", 68))
        offered, offer = _exchange(port, number, mac, DISCOVER, named, OFFER, timeout)
        chosen = _option(WANTED_ADDRESS, offered) + _option(SERVER, offer[SERVER]) + named
        address, options = _exchange(port, number, mac, REQUEST, chosen, ACK, timeout)
    return Lease(
        ipaddress.IPv4Interface((address, ipaddress.IPv4Address(options[MASK]).exploded)),
        ipaddress.IPv4Address(options[ROUTER][:4]),
        ipaddress.IPv4Address(options[RESOLVER][:4]),
        int.from_bytes(options[LEASE_TIME]),
        options,
    )


def _exchange(
    port: socket.socket, number: int, mac: bytes, kind: int, more: bytes, awaited: int, timeout: float
) -> tuple[bytes, dict[int, bytes]]:
    """Send one message and give the address and options of the answer we wait for."""
    wanted = bytes([MASK, ROUTER, RESOLVER, LEASE_TIME, CAPPORT])
    options = _option(KIND, bytes([kind])) + _option(WANTED, wanted) + more + bytes([END])
    nothing = bytes(4)
    fixed = (1, 1, 6, 0, number, 0, BROADCAST_FLAG, nothing, nothing, nothing, nothing, mac, b"", b"", COOKIE)
    message = MESSAGE.pack(*fixed) + options
    for answer in _answers(port, message, timeout):
        fields = MESSAGE.unpack_from(answer)
        found = _options(answer[MESSAGE.size :])
        if fields[4] == number and found.get(KIND) == bytes([awaited]):
            return fields[8], found
    raise NoLease("no DHCP server answered")


def _answers(port: socket.socket, message: bytes, timeout: float) -> Iterator[bytes]:
    """Whatever comes, while `message` is sent again each second: the link may just have come up."""
    deadline = time.monotonic() + timeout
    while (left := deadline - time.monotonic()) > 0:
        port.sendto(message, ("255.255.255.255", 67))
        port.settimeout(min(left, AGAIN_SECONDS))
        try:
            while True:
                answer = port.recv(1500)
                if len(answer) >= MESSAGE.size:
                    yield answer
        except TimeoutError:
            continue


def _option(number: int, value: bytes) -> bytes:
    return bytes([number, len(value)]) + value


def _options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= 2 and data[0] != END:
        if data[0] == 0:
            data = data[1:]
            continue
        found[data[0]] = found.get(data[0], b"") + data[2 : 2 + data[1]]
        data = data[2 + data[1] :]
    return found
