"""The few messages of LDAP that a sign-in sends and reads, in octets (RFC 4511; BER as its section 5.1 restricts it).

ldap3 says the same octets in a hundred times as many steps (`tests/auth/test_directory_messages.py` holds both beside
each other); it still reads the operator's filter, and opens connections. Pure: octets in, values out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ldap3.core.results import RESULT_CODES
from ldap3.operation.search import compile_filter, parse_filter
from pyasn1.codec.ber import encoder

# Tags of RFC 4511 section 4, with their class and form.
SEQUENCE, INTEGER, ENUMERATED, OCTETS, BOOLEAN, SET = 0x30, 0x02, 0x0A, 0x04, 0x01, 0x31
BIND_REQUEST, BIND_RESPONSE, SEARCH_REQUEST = 0x60, 0x61, 0x63
ENTRY, DONE, REFERENCE, EXTENDED_RESPONSE = 0x64, 0x65, 0x73, 0x78
CONTROLS, SIMPLE = 0xA0, 0x80
_CONSTRUCTED = 0x20
# What stands in a template for the login, and in no filter that somebody has written.
_LOGIN = "\x01login\x01"


class MalformedMessage(ValueError):
    """The octets are no message of LDAP."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it came: the number it answers, the tag of its operation, and the octets of both parts."""

    number: int
    tag: int
    body: bytes
    controls: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """An LDAPResult (section 4.1.9), without its referral: none is ever followed."""

    code: int
    message: str

    @property
    def description(self) -> str:
        return str(RESULT_CODES.get(self.code, f"result {self.code}"))


def bind_request(number: int, dn: str, secret: bytes, *, control: str) -> bytes:
    """A simple bind (section 4.2), with one control that is not critical.

    Raises ValueError without a name or a secret: a server would answer that with success (RFC 4513 section 5.1).
    """
    if not dn or not secret:
        raise ValueError("a bind without a name or a secret proves nobody")
    asked = _sequence(_octets(control.encode()))
    body = _integer(3) + _octets(dn.encode()) + _tlv(SIMPLE, secret)
    return _sequence(_integer(number), _tlv(BIND_REQUEST, body), _tlv(CONTROLS, asked))


def search_request(
    number: int,
    base: str,
    asked: bytes,
    *,
    attributes: Iterable[str],
    scope: int,
    most: int,
    seconds: int,
) -> bytes:
    """A search (section 4.5.1): aliases stay aliases, and values are wanted. `asked` is an encoded filter."""
    body = (
        _octets(base.encode())
        + _tlv(ENUMERATED, bytes([scope]))
        + _tlv(ENUMERATED, b"\0")
        + _integer(most)
        + _integer(seconds)
        + _tlv(BOOLEAN, b"\0")
        + asked
        + _sequence(*(_octets(name.encode()) for name in attributes))
    )
    return _sequence(_integer(number), _tlv(SEARCH_REQUEST, body))


def encode_filter(text: str) -> bytes:
    """A filter as text (RFC 4515) in octets. Raises ldap3's LDAPInvalidFilterError."""
    parsed = parse_filter(text, None, False, None, None, False)
    octets: bytes = encoder.encode(compile_filter(parsed.elements[0]))
    return octets


def login_filter(template: str, spellings: tuple[str, ...]) -> bytes:
    """A filter of the operator's with what was typed for ``{login}``; several spellings become an *or*."""
    parts = _parts_of(template)
    filled = [_filled(parts, spelling.encode()) for spelling in spellings]
    return filled[0] if len(filled) == 1 else _tlv(0xA1, b"".join(filled))


def read_message(octets: bytes) -> tuple[Message, int] | None:
    """The first message in `octets`, and where it ends; None where it is not whole yet. Raises `MalformedMessage`."""
    if len(octets) < 2:
        return None
    if octets[0] != SEQUENCE:
        raise MalformedMessage("does not begin as a message")
    head = 2 + (octets[1] & 0x7F if octets[1] & 0x80 else 0)
    if len(octets) < head:
        return None
    start, end = _content(octets, 0, None)
    if len(octets) < end:
        return None
    inner = Reader(octets, start, end)
    number, (tag, body), controls = inner.integer(), inner.any(), b""
    for further, content in inner:
        controls = content if further == CONTROLS else controls
    return Message(number, tag, body, controls), end


def outcome_of(body: bytes) -> Outcome:
    """What a response says came of the request. Raises `MalformedMessage`."""
    reader = Reader(body)
    code, _, message = reader.integer(ENUMERATED), reader.text(), reader.text()
    return Outcome(code, message)


def entry_of(body: bytes) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    """The name and the attributes of an entry (section 4.5.2), these by their names in lower case."""
    reader = Reader(body)
    name, listed = reader.text(), Reader(reader.octets(SEQUENCE))
    attributes: dict[str, tuple[bytes, ...]] = {}
    for tag, content in listed:
        if tag != SEQUENCE:
            raise MalformedMessage("an attribute is no sequence")
        attribute = Reader(content)
        key, values = attribute.text(), Reader(attribute.octets(SET))
        attributes[key.lower()] = tuple(value for _, value in values)
    return name, attributes


def control_of(controls: bytes, name: str) -> bytes | None:
    """The value of the control with this name; empty where it has none, None where it is not there."""
    for _, content in Reader(controls):
        reader = Reader(content)
        if reader.text() != name:
            continue
        return next((value for tag, value in reader if tag == OCTETS), b"")
    return None


class Reader:
    """Reads element after element of some octets. Raises `MalformedMessage` where there is none of that kind."""

    def __init__(self, octets: bytes, start: int = 0, end: int | None = None) -> None:
        self._octets, self._at = octets, start
        self._end = len(octets) if end is None else end

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while self._at < self._end:
            yield self.any()

    def any(self) -> tuple[int, bytes]:
        """The next element: its tag and its content."""
        if self._at >= self._end:
            raise MalformedMessage("ends too soon")
        tag = self._octets[self._at]
        start, end = _content(self._octets, self._at, self._end)
        self._at = end
        return tag, self._octets[start:end]

    def octets(self, tag: int = OCTETS) -> bytes:
        found, content = self.any()
        if found != tag:
            raise MalformedMessage(f"has {found:#x} where {tag:#x} stands")
        return content

    def text(self) -> str:
        return self.octets().decode(errors="replace")

    def integer(self, tag: int = INTEGER) -> int:
        content = self.octets(tag)
        if not 0 < len(content) <= 4:
            raise MalformedMessage("has no number that LDAP knows")
        return int.from_bytes(content, signed=True)


def _content(octets: bytes, at: int, limit: int | None) -> tuple[int, int]:
    """Where the content of the element at `at` begins and ends; within `limit`, where there is one."""
    if octets[at] & 0x1F == 0x1F:
        raise MalformedMessage("has a tag of several octets")
    start = at + 2
    if limit is not None and start > limit:
        raise MalformedMessage("ends too soon")
    length = octets[at + 1]
    if length & 0x80:
        more = length & 0x7F
        if not 0 < more <= 4 or (limit is not None and start + more > limit):
            raise MalformedMessage("has no length that LDAP knows")
        length = int.from_bytes(octets[start : start + more])
        start += more
    if limit is not None and start + length > limit:
        raise MalformedMessage("ends too soon")
    return start, start + length


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content


def _sequence(*elements: bytes) -> bytes:
    return _tlv(SEQUENCE, b"".join(elements))


def _octets(content: bytes) -> bytes:
    return _tlv(OCTETS, content)


def _integer(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


@dataclass(frozen=True, slots=True)
class _Part:
    """An element of a filter that holds the login somewhere: octets, or elements of its own."""

    tag: int
    content: bytes | tuple[_Part | bytes, ...]


@functools.lru_cache(maxsize=8)
def _parts_of(template: str) -> _Part | bytes:
    return _split(encode_filter(template.replace("{login}", _LOGIN)))


def _split(element: bytes) -> _Part | bytes:
    """The element, taken apart as far as it holds the login."""
    mark = _LOGIN.encode()
    if mark not in element:
        return element
    tag, content = Reader(element).any()
    if not tag & _CONSTRUCTED:
        return _Part(tag, content)
    return _Part(tag, tuple(_split(_tlv(inner, octets)) for inner, octets in Reader(content)))


def _filled(part: _Part | bytes, login: bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part.content, bytes):
        return _tlv(part.tag, part.content.replace(_LOGIN.encode(), login))
    return _tlv(part.tag, b"".join(_filled(inner, login) for inner in part.content))
