"""The few messages of LDAP that a sign-in sends and reads, in octets (RFC 4511; BER as its section 5.1 restricts it).

ldap3 says the same octets in a hundred times as many steps (`tests/auth/test_directory_messages.py` holds both beside
each other); it still reads the operator's filter, and opens connections. Pure: octets in, values out.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

from ldap3.core.results import RESULT_CODES
from ldap3.operation.search import compile_filter, parse_filter
from pyasn1.codec.ber import encoder

# Tags of RFC 4511 section 4, with their class and form.
SEQUENCE, INTEGER, ENUMERATED, OCTETS, BOOLEAN, SET = 0x30, 0x02, 0x0A, 0x04, 0x01, 0x31
BIND_REQUEST, BIND_RESPONSE, SEARCH_REQUEST = 0x60, 0x61, 0x63
ENTRY, DONE, REFERENCE, EXTENDED_RESPONSE = 0x64, 0x65, 0x73, 0x78
CONTROLS, SIMPLE = 0xA0, 0x80
_CONSTRUCTED = 0x20
# Its tag, and what is in it.
Element = tuple[int, bytes]
# What stands in a template for the login, and in no filter that somebody has written.
_LOGIN = "\x01login\x01"


class MalformedMessage(ValueError):
    """The octets are no message of LDAP."""


class Message(NamedTuple):
    """A message as it came: the number it answers, the tag of its operation, and the octets of both parts."""

    number: int
    tag: int
    body: bytes
    controls: bytes


class Outcome(NamedTuple):
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
    body = _VERSION + _octets(dn.encode()) + _tlv(SIMPLE, secret)
    return _sequence(_integer(number), _tlv(BIND_REQUEST, body), _controls(control))


def search_request(
    number: int,
    base: str,
    asked: bytes,
    *,
    attributes: tuple[str, ...],
    scope: int,
    most: int,
    seconds: int,
) -> bytes:
    """A search (section 4.5.1): aliases stay aliases, and values are wanted. `asked` is an encoded filter."""
    before = _before_filter(base, scope, most, seconds)
    return _sequence(_integer(number), _tlv(SEARCH_REQUEST, before + asked + _attributes(attributes)))


@functools.lru_cache(maxsize=64)
def _before_filter(base: str, scope: int, most: int, seconds: int) -> bytes:
    """What most searches have in common."""
    bounds = _integer(most) + _integer(seconds) + _tlv(BOOLEAN, b"\0")
    return _octets(base.encode()) + _tlv(ENUMERATED, bytes([scope])) + _tlv(ENUMERATED, b"\0") + bounds


@functools.lru_cache(maxsize=16)
def _attributes(names: tuple[str, ...]) -> bytes:
    return _sequence(*(_octets(name.encode()) for name in names))


@functools.lru_cache(maxsize=4)
def _controls(name: str) -> bytes:
    return _tlv(CONTROLS, _sequence(_octets(name.encode())))


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
    start, length = (2, octets[1]) if octets[1] <= 0x7F else _long(octets, 2, octets[1])
    end = start + length
    # Where the length itself is not whole, it stands for nothing yet.
    if len(octets) < start or len(octets) < end:
        return None
    parts = elements(octets, start, end)
    if len(parts) < 2:
        raise MalformedMessage("ends too soon")
    tag, body = parts[1]
    controls = next((content for further, content in parts[2:] if further == CONTROLS), b"")
    return Message(_number(parts[0], INTEGER), tag, body, controls), end


def outcome_of(body: bytes) -> Outcome:
    """What a response says came of the request. Raises `MalformedMessage`."""
    if body == _PLAIN_SUCCESS:
        return Outcome(0, "")
    parts = elements(body)
    if len(parts) < 3:
        raise MalformedMessage("ends too soon")
    return Outcome(_number(parts[0], ENUMERATED), _inside(parts[2], OCTETS).decode(errors="replace"))


def entry_of(body: bytes) -> tuple[str, dict[str, tuple[bytes, ...]]]:
    """The name and the attributes of an entry (section 4.5.2), these by their names in lower case."""
    name, listed = _pair(elements(body), OCTETS, SEQUENCE)
    attributes: dict[str, tuple[bytes, ...]] = {}
    for tag, content in elements(listed):
        if tag != SEQUENCE:
            raise MalformedMessage("an attribute is no sequence")
        key, values = _pair(elements(content), OCTETS, SET)
        attributes[key.decode(errors="replace").lower()] = tuple([value for _, value in elements(values)])
    return name.decode(errors="replace"), attributes


# A server's are few.
@functools.lru_cache(maxsize=16)
def control_of(controls: bytes, name: str) -> bytes | None:
    """The value of the control with this name; empty where it has none, None where it is not there."""
    for _, content in elements(controls):
        parts = elements(content)
        if not parts or _inside(parts[0], OCTETS) != name.encode():
            continue
        return next((value for tag, value in parts[1:] if tag == OCTETS), b"")
    return None


def elements(octets: bytes, at: int = 0, end: int | None = None) -> list[Element]:
    """What follows one upon the other in these octets. Raises `MalformedMessage` where that does not end with them."""
    found: list[Element] = []
    end = len(octets) if end is None else end
    while at + 1 < end:
        tag, start, length = octets[at], at + 2, octets[at + 1]
        if length > 0x7F:
            start, length = _long(octets, start, length)
        at = start + length
        if at > end:
            break
        if tag & 0x1F == 0x1F:
            raise MalformedMessage("has a tag of several octets")
        found.append((tag, octets[start:at]))
    if at != end:
        raise MalformedMessage("ends too soon")
    return found


def _long(octets: bytes, at: int, said: int) -> tuple[int, int]:
    """Where the content begins, and how long it is, where its length needs more octets than one."""
    start = at + (said & 0x7F)
    if not at < start <= at + 4:
        raise MalformedMessage("has no length that LDAP knows")
    return start, int.from_bytes(octets[at:start])


def _inside(element: Element, tag: int) -> bytes:
    """What is in an element with this tag."""
    if element[0] != tag:
        raise MalformedMessage(f"has {element[0]:#x} where {tag:#x} stands")
    return element[1]


def _number(element: Element, tag: int) -> int:
    content = _inside(element, tag)
    if not 0 < len(content) <= 4:
        raise MalformedMessage("has no number that LDAP knows")
    return int.from_bytes(content, signed=True)


def _pair(parts: list[Element], first: int, second: int) -> tuple[bytes, bytes]:
    if len(parts) < 2:
        raise MalformedMessage("ends too soon")
    return _inside(parts[0], first), _inside(parts[1], second)


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
    ((tag, content),) = elements(element)
    if not tag & _CONSTRUCTED:
        return _Part(tag, content)
    return _Part(tag, tuple(_split(_tlv(inner, octets)) for inner, octets in elements(content)))


def _filled(part: _Part | bytes, login: bytes) -> bytes:
    if isinstance(part, bytes):
        return part
    if isinstance(part.content, bytes):
        return _tlv(part.tag, part.content.replace(_LOGIN.encode(), login))
    return _tlv(part.tag, b"".join(_filled(inner, login) for inner in part.content))


_VERSION = _integer(3)
# What a server answers nearly always: success, with neither a name nor a word.
_PLAIN_SUCCESS = _tlv(ENUMERATED, b"\0") + _octets(b"") + _octets(b"")
