"""The attributes of a packet as rlm_rest (FreeRADIUS 3.2) writes them into JSON, read strictly.

Each is `{"type": …, "value": […]}`. Enumerated integers come by name where the server's dictionary has one, octets as
`0x…`, and of text that is not ASCII each UTF-8 byte was escaped by itself, which is repaired here. Keys that nobody
asks for are not looked at: any packet may bring attributes of any vendor.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from gateways.types import InvalidMac, IpAddress, MacAddress, parse_mac

# A packet has 4,096 octets (RFC 2865 section 3), and so at most some two thousand attributes of two octets.
MOST_ATTRIBUTES = 2048
# An attribute has 253 octets; some types are joined of several.
LONGEST = 4096
# A whole IPv6 address with an IPv4 address at its end.
LONGEST_ADDRESS = 45
_NUMBER = re.compile(r"[0-9]{1,20}")
_OCTETS = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
# Controls, of ASCII and of Latin-1, and what a text in UTF-8 cannot hold.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LIST, _NESTED = {list}, {dict, list}
_NO_ATTRIBUTE = "an attribute is not {type, value: [...]}"
_WHEN = "%b %d %Y %H:%M:%S"


class MalformedRequest(ValueError):
    """Not what rlm_rest sends: the text says what is wrong, and repeats nothing of what came."""


class Attributes:
    """The attributes of one packet by name. Each reader gives None where the attribute is not there, and raises
    MalformedRequest where it is not of its type."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        # The first value of each.
        self._found = found

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def text(self, name: str, *, most: int = 253) -> str | None:
        """Text, without control characters; longer than `most` is malformed."""
        value = self._found.get(name)
        if value is None:
            return None
        text = repaired(value) if isinstance(value, str) else str(value)
        if len(text) > most:
            raise MalformedRequest(f"{name} is longer than {most}")
        # None of the controls can be printed.
        return text if text.isprintable() else _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)

    def secret(self, name: str) -> bytes | None:
        """Octets that may be anything: a password that another shared secret made unreadable too."""
        value = self._found.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > LONGEST:
            raise MalformedRequest(f"{name} is no text")
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass")

    def number(self, name: str, *, most: int = 2**32 - 1) -> int | None:
        """A number from 0 to `most`."""
        value = self._found.get(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = int(value)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise MalformedRequest(f"{name} is no number from 0 to {most}")
        return value

    def word(self, name: str) -> str | None:
        """An enumerated value: its name, or its number as text where the server knows no name."""
        value = self._found.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | str) or len(str(value)) > 64:
            raise MalformedRequest(f"{name} is neither a name nor a number")
        return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(value))

    def octets(self, name: str) -> bytes | None:
        """Octets, written `0x…`."""
        value = self._found.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or len(value) > 2 * LONGEST or not _OCTETS.fullmatch(value):
            raise MalformedRequest(f"{name} is not written 0x…")
        return bytes.fromhex(value[2:])

    def address(self, name: str) -> IpAddress | None:
        value = self._found.get(name)
        if value is None:
            return None
        try:
            return _address_of(value if isinstance(value, str) and len(value) <= LONGEST_ADDRESS else "")
        except ValueError as error:
            raise MalformedRequest(f"{name} is no address") from error

    def mac(self, name: str) -> MacAddress | None:
        """A MAC address in any notation; None too where it is not one, or is that of no single card."""
        value = self._found.get(name)
        try:
            return parse_mac(value) if isinstance(value, str) else None
        except InvalidMac:
            return None

    def instant(self, name: str) -> datetime | None:
        """A date as FreeRADIUS writes it, `Nov 22 2026 18:51:18 UTC`, or in seconds since the epoch."""
        value = self._found.get(name)
        if value is None:
            return None
        try:
            if isinstance(value, int) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
            # The server's own zone stands last: it is set to UTC, and another one cannot be read for certain.
            when, _, zone = str(value).strip('"').rpartition(" ")
            if zone not in ("UTC", "GMT") or len(when) > 24:
                raise ValueError(zone)
            return datetime.strptime(when, _WHEN).replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise MalformedRequest(f"{name} is no date in UTC") from error


# Each report of a session has the same one.
_address_of = functools.lru_cache(maxsize=4096)(ipaddress.ip_address)


def read(body: object) -> Attributes:
    """The attributes of a body that rlm_rest sent. Raises MalformedRequest."""
    if not isinstance(body, dict) or len(body) > MOST_ATTRIBUTES:
        raise MalformedRequest("not an object of attributes")
    try:
        values = [entry["value"] for entry in body.values()]
    except (TypeError, KeyError):
        raise MalformedRequest(_NO_ATTRIBUTE) from None
    if not _LIST.issuperset(map(type, values)) or not _NESTED.isdisjoint(
        map(type, chain.from_iterable(values))
    ):
        raise MalformedRequest(_NO_ATTRIBUTE)
    return Attributes({name: several[0] for name, several in zip(body, values, strict=True) if several})


def repaired(text: str) -> str:
    """A text whose UTF-8 bytes were escaped one by one, as the text that they are; any other as it came."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
