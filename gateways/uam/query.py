"""Read a query that anybody may have written: each name once, everything short, nothing that cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

LONGEST_QUERY = 6000
MOST_PARAMETERS = 64
LONGEST_VALUE = 2000


class InvalidRedirect(ValueError):
    """What the browser brought is not what a gateway of this make sends. The text says why, in the protocol's terms."""


def read_query(query: bytes, names: frozenset[str]) -> Mapping[str, str]:
    """The values of these names; all other parameters are left alone. Raises `InvalidRedirect`.

    A name that comes twice is refused: gateway and portal might each believe another one. "+" is a blank (HTML,
    application/x-www-form-urlencoded). What is no UTF-8 is read with replacement characters, which no address has.
    """
    if len(query) > LONGEST_QUERY:
        raise InvalidRedirect("the query is too long")
    parts = query.split(b"&")
    if len(parts) > MOST_PARAMETERS:
        raise InvalidRedirect("the query has too many parameters")
    found: dict[str, str] = {}
    for part in parts:
        raw_name, equals, raw = part.partition(b"=")
        name = raw_name.decode("ascii", "replace")
        if not equals or name not in names:
            continue
        if name in found:
            raise InvalidRedirect(f"{name} comes twice")
        found[name] = _text(name, raw)
    return found


def _text(name: str, raw: bytes) -> str:
    text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")
    if len(text) > LONGEST_VALUE:
        raise InvalidRedirect(f"{name} is too long")
    if any(letter < " " or letter == "\x7f" for letter in text):
        raise InvalidRedirect(f"{name} holds control characters")
    return text
