"""What operators set at gateways of these makes: where their login pages are, and the portal's name in the box."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from gateways.kinds import Option
from gateways.sentences import Sentence
from gateways.uam.encodings import Encoding

MOST_HOSTS = 32
_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


def read_login_hosts(text: str) -> str:
    """Names or addresses, each perhaps with a port, separated by commas or blanks. Raises ValueError."""
    found = sorted({_host(one) for one in re.split(r"[\s,]+", text.strip()) if one})
    if len(found) > MOST_HOSTS:
        raise ValueError(Sentence("at most %(most)s hosts", most=MOST_HOSTS))
    return ",".join(found)


def hosts_of(text: str) -> frozenset[str]:
    """The hosts of an option that `read_login_hosts` has read."""
    return frozenset(filter(None, text.split(",")))


def _host(text: str) -> str:
    fault = Sentence(
        "'%(text)s' is no host: write 10.5.50.1 or login.example.org, with :PORT where it is not the usual one",
        text=text[:60],
    )
    try:
        parts = urlsplit(f"//{text}")
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(fault) from error
    if parts.netloc != text or parts.username is not None or text.endswith(":"):
        raise ValueError(fault)
    host = _address(name) or (name if _NAME.fullmatch(name) else "")
    if not host or port == 0:
        raise ValueError(fault)
    return host if port is None else f"{host}:{port}"


def _address(name: str) -> str:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return ""
    return f"[{address}]" if address.version == 6 else str(address)


def read_uamserver(text: str) -> str:
    """The address of the portal as the gateway has it, letter for letter. Raises ValueError."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or not text.isascii():
        raise ValueError(
            Sentence("write the uamserver exactly as it stands in the gateway, such as https://…/gateways/…/")
        )
    return text


def login_hosts(example: str, *, default: str | None = None) -> Option:
    """The hosts that a secret may be carried to."""
    return Option(
        name="login_hosts",
        read=_needed(read_login_hosts) if default is None else read_login_hosts,
        default=default,
        help=Sentence(
            "The hosts of its login page, separated by commas, such as %(example)s: no other is sent a secret.",
            example=example,
        ),
    )


def encodings(*known: Encoding) -> Option:
    """How the secret travels; the first is what is left unsaid."""
    return Option(
        name="encoding",
        read=_one_of([one.value for one in known]),
        default=known[0].value,
        help=Sentence("How the secret is carried to it: %(words)s.", words=", ".join(known)),
    )


UAMSERVER = Option(
    name="uamserver",
    read=lambda text: text and read_uamserver(text),
    default="",
    help=Sentence(
        "The uamserver exactly as it stands in the box, where it is not the one of the lines to paste."
    ),
)


def _needed(read: Callable[[str], str]) -> Callable[[str], str]:
    def reading(text: str) -> str:
        if not (found := read(text)):
            raise ValueError(Sentence("write at least one host"))
        return found

    return reading


def _one_of(known: list[str]) -> Callable[[str], str]:
    def reading(text: str) -> str:
        if text not in known:
            raise ValueError(
                Sentence("'%(text)s' is none of %(words)s", text=text[:40], words=", ".join(known))
            )
        return text

    return reading
