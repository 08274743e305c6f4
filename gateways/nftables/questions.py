"""One question to a resolver, as a phone asks it: the addresses of a name (RFC 1035, RFC 3596)."""

from __future__ import annotations

import ipaddress
import secrets
import socket
import struct
from collections.abc import Iterator

from gateways.types import IpAddress

SECONDS = 2.0
IN, A, AAAA = 1, 1, 28
LARGEST_BYTES = 4096


class NoAnswer(Exception):
    """The resolver said nothing, or nothing that can be read."""


def ask(name: str, server: IpAddress, port: int = 53) -> list[IpAddress]:
    """The IPv4 and IPv6 addresses that `server` gives for `name`. Raises `NoAnswer`."""
    return [*_ask(name, server, port, A), *_ask(name, server, port, AAAA)]


def _ask(name: str, server: IpAddress, port: int, kind: int) -> list[IpAddress]:
    number = secrets.randbits(16)
    labels = b"".join(bytes([len(each)]) + each for each in name.encode("idna").split(b"."))
    asked = struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, IN)
    family = socket.AF_INET if server.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as line:
            line.settimeout(SECONDS)
            line.connect((str(server), port))
            line.send(asked)
            answer = line.recv(LARGEST_BYTES)
        if answer[:2] != asked[:2]:
            raise NoAnswer("an answer to another question")
        return list(_addresses(answer, len(asked), kind))
    except OSError as error:
        raise NoAnswer(error.strerror or "no answer in time") from error
    except (struct.error, IndexError, ValueError) as error:
        raise NoAnswer("an answer that cannot be read") from error


def _addresses(answer: bytes, place: int, kind: int) -> Iterator[IpAddress]:
    (records,) = struct.unpack_from("!H", answer, 6)
    for _ in range(records):
        place = _after_name(answer, place)
        found, _, _, length = struct.unpack_from("!HHIH", answer, place)
        place += 10
        if found == kind:
            yield ipaddress.ip_address(answer[place : place + length])
        place += length


def _after_name(answer: bytes, place: int) -> int:
    """Where a name ends: with an empty label, or with a pointer of two bytes (RFC 1035 section 4.1.4)."""
    while answer[place]:
        if answer[place] >= 0xC0:
            return place + 2
        place += 1 + answer[place]
    return place + 1
