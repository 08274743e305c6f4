"""Distinguished names (RFC 4514), as an operator types them."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The older form (RFC 2253 section 4) is read too: semicolons between names, values in quotation marks.
_PIECE = re.compile(r'\\[0-9A-Fa-f]{2}|\\.|"(?:[^"\\]|\\.)*"|[^\\",;+]', re.DOTALL)
_ASSERTION = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=(?P<value>.*)", re.DOTALL)


def split_name(dn: str) -> list[str]:
    """The relative names of `dn`, the lowest first, each as it was typed. Raises ValueError with the faulty part."""
    names = list(_pieces(dn))
    for name in names:
        for assertion in re.split(r"(?<!\\)\+", name):
            match = _ASSERTION.fullmatch(assertion)
            if match is None or not match["value"].strip():
                raise ValueError(f"{name.strip()[:60]!r} is not like 'ou=people'")
    return [name.strip() for name in names]


def fold_name(name: str) -> str:
    """One form of a relative name, for comparison: case and the blanks around the sign of equality do not count."""
    attribute, _, value = name.partition("=")
    return f"{attribute.strip()}={value.strip()}".casefold()


def _pieces(dn: str) -> Iterator[str]:
    at, name = 0, ""
    while at < len(dn):
        if dn[at] in ",;":
            yield name
            at, name = at + 1, ""
            continue
        piece = _PIECE.match(dn, at)
        text = piece[0] if piece else "+" if dn[at] == "+" else None
        if text is None:
            raise ValueError(
                f"{dn[at : at + 20]!r} has a quotation mark or a backslash without its other half"
            )
        name, at = name + text, at + len(text)
    yield name
