"""Addresses as an operator types them: one spelling of each, or ValueError with what to write instead."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_DEFAULT_PORTS = {"http": 80, "https": 443, "ldap": 389, "ldaps": 636}
# The older rules for names (RFC 3490), which Python speaks, make other names of these than browsers do.
_TWO_MEANINGS = frozenset("ßς\u200c\u200d")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def read_origin(text: str, example: str) -> str:
    """A web address as browsers write it in `Host` and `Origin` (RFC 6454 section 6.1), without path.

    Capital letters, the default port, a dot at the end and letters outside ASCII are brought to that one spelling.
    """
    parts = _split(text, ("https", "http"), example)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"holds more than a host and a port: write it like {example}, without a path")
    return _joined(parts, example)


def read_ldap_url(text: str) -> str:
    """The address of a directory server: ldaps:// or ldap://, host and port (RFC 4516 without its other parts)."""
    example = "ldaps://ldap.example.org"
    if re.search(r"\s", text):
        raise ValueError(f"holds {text!r}: write a comma between two servers, and no blanks inside one")
    try:
        parts = _split(text, ("ldaps", "ldap"), example)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError(f"names a base: write {example} here, and the base in AROBASE_LDAP_BASE_DN")
        return _joined(parts, example)
    except ValueError as error:
        raise ValueError(f"holds {text!r}, which {error}") from None


def check_webhook(text: str) -> None:
    """Raises ValueError, without repeating what may be a secret, unless this is an address that a program can post to.

    Without TLS only on this machine, where a relay of the town's own may stand.
    """
    example = "https://chat.example.org/hooks/…"
    try:
        parts = _split(text, ("https", "http"), example)
        host = read_host(parts.hostname or "")
    except ValueError:
        raise ValueError(f"is no web address: write one like {example}") from None
    if parts.username or parts.password or parts.fragment or len(text) > 2000:
        raise ValueError(f"holds more than host, port, path and query: write one like {example}")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("must be https: what it says is nobody else's")


def read_host(text: str) -> str:
    """A host name in ASCII and small letters, or an IP address, IPv6 in brackets."""
    bare = text.removeprefix("[").removesuffix("]")
    if ":" in bare:
        address = ipaddress.IPv6Address(bare)
        if address.scope_id is not None:
            raise ValueError("holds an address with a zone (%), which only one machine understands")
        return f"[{address.compressed}]"
    if _TWO_MEANINGS & set(text):
        raise ValueError("holds a letter that old and new rules read differently: write the name as xn--…")
    try:
        name = text.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        raise ValueError(f"has no host name that can be: {text[:60]!r}") from None
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"has no host name that can be: {text[:60]!r}")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise ValueError(f"has a number that is no IPv4 address: {text[:60]!r}") from None
    return name


def read_database_url(text: str) -> str:
    """The database's address as SQLAlchemy takes it. What is wrong is told without repeating a password."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in ("sqlite", "postgres", "postgresql", "postgresql+psycopg"):
        kind = f"begins with {scheme[:30]}://" if separator else "is no address"
        raise ValueError(
            f"{kind}: write postgresql://user:password@host/name or sqlite:////var/lib/arobase/arobase.sqlite3"
        )
    if scheme == "sqlite":
        return _sqlite(text, rest)
    _check_postgresql(rest)
    # The older name of the scheme, which hosting services still hand out, and SQLAlchemy no longer knows.
    return text if scheme != "postgres" else f"postgresql://{rest}"


def _sqlite(text: str, rest: str) -> str:
    path = rest.partition("?")[0]
    if not path.startswith("/") or path in ("/", "/:memory:"):
        raise ValueError(
            "names no file: write sqlite:////var/lib/arobase/arobase.sqlite3, with four strokes before a whole path"
        )
    if Path(path[1:]).is_dir():
        raise ValueError(f"names a folder: {path[1:]}; write the name of a file in it")
    return text


def _check_postgresql(rest: str) -> None:
    escape = (
        "a sign such as @ : / ? # [ ] or % in user or password is written %40 %3A %2F %3F %23 %5B %5D %25"
    )
    try:
        parts = urlsplit(f"postgresql://{rest}")
        port = parts.port
    except ValueError:
        raise ValueError(f"has no port or host that can be; {escape}") from None
    if parts.fragment or port == 0 or re.search(r"[^A-Za-z0-9._:\[\]-]", parts.hostname or ""):
        raise ValueError(f"has no port or host that can be; {escape}")
    if not unquote(parts.path).strip("/"):
        raise ValueError("names no database: write postgresql://user:password@host/name")


def _split(text: str, schemes: tuple[str, ...], example: str) -> SplitResult:
    """The parts of an address, with a scheme of these. Blanks, names and passwords have no place in one."""
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError(f"holds a blank, a backslash or a sign that does not print: write it like {example}")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"cannot be an address ({error}): write it like {example}") from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"must begin with {' or '.join(f'{one}://' for one in schemes)}: like {example}")
    if "@" in parts.netloc:
        raise ValueError(f"holds a name or password before the host: write it like {example}")
    if parts.port == 0:
        raise ValueError(f"has the port 0: write it like {example}")
    return parts


def _joined(parts: SplitResult, example: str) -> str:
    try:
        host = read_host(parts.hostname or "")
    except ipaddress.AddressValueError as error:
        raise ValueError(f"has no address that can be ({error}): write it like {example}") from None
    port = parts.port
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")
