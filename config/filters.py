"""Filters of an LDAP search (RFC 4515), checked before any server sees them."""

from __future__ import annotations

import re

LOGIN = "{login}"
_ATTRIBUTE = r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)(?:;[A-Za-z0-9-]+)*"
ATTRIBUTE = re.compile(_ATTRIBUTE)
_ITEM = re.compile(
    rf"\s*(?:{_ATTRIBUTE}\s*(?:[~<>]?=|(?::dn)?(?::[A-Za-z0-9.-]+)?:=)|(?::dn)?:[A-Za-z0-9.-]+:=)"
    r"(?P<value>(?:[^()\\\0]|\\[0-9A-Fa-f]{2})*)"
)
_DEEPEST = 20


def check_filter(text: str) -> None:
    """Raises ValueError, with what to write instead, unless `text` is one filter that looks for {login}."""
    if LOGIN not in text:
        raise ValueError(f"must hold {LOGIN} where the card number goes, as in (uid={LOGIN})")
    if not text.startswith("("):
        raise ValueError(f"must stand in parentheses: ({text[:60].strip('()')})")
    end = _filter(text, 0, 0)
    if text[end:].strip():
        raise ValueError(
            f"goes on after its last parenthesis: {text[end : end + 40]!r}; several conditions stand in (&(…)(…))"
        )
    if re.search(r"\{login\}[^()]*=", text):
        raise ValueError(f"must hold {LOGIN} after the sign of equality, as in (uid={LOGIN})")
    if strange := re.search(r"\{(?!login\})[^{}()]*\}|%s|%\([a-z]+\)s|%u\b", text):
        raise ValueError(f"holds {strange[0]!r}: only {LOGIN} is filled in")


def _filter(text: str, at: int, depth: int) -> int:
    """Where the filter ends that begins at `at`."""
    if text[at : at + 1] != "(":
        raise ValueError(f"lacks an opening parenthesis before {text[at : at + 40]!r}")
    if depth > _DEEPEST:
        raise ValueError(f"holds more than {_DEEPEST} filters in one another")
    at += 1
    if text[at : at + 1] in ("&", "|", "!"):
        return _closed(text, _parts(text, at, depth))
    item = _ITEM.match(text, at)
    if item is None:
        raise ValueError(f"holds {text[at : at + 40]!r}, which is not like uid={LOGIN}")
    return _closed(text, item.end())


def _parts(text: str, at: int, depth: int) -> int:
    """Where the conditions end that are joined by the sign at `at`."""
    sign, at, count = text[at], at + 1, 0
    while (begins := len(text) - len(text[at:].lstrip())) < len(text) and text[begins] == "(":
        at, count = _filter(text, begins, depth + 1), count + 1
    if count == 0 or (sign == "!" and count > 1):
        wanted = "one condition" if sign == "!" else "conditions"
        raise ValueError(f"needs {wanted} in parentheses after {sign!r}")
    return len(text) - len(text[at:].lstrip())


def _closed(text: str, at: int) -> int:
    if text[at : at + 1] == ")":
        return at + 1
    if at >= len(text):
        raise ValueError("lacks a closing parenthesis at its end")
    raise ValueError(
        f"cannot be read from {text[at : at + 40]!r} on: ( ) * \\ in a value are \\28 \\29 \\2a \\5c"
    )
