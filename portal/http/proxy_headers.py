"""Who is at the other end of the connection.

``X-Forwarded-For`` is believed only from the proxies named in the settings, and only up to the first address that is
not one of them. A stranger's forwarded headers are removed before anything can read them.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from config import IpNetwork
from gateways.types import IpAddress

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
FORWARDED = (
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_REAL_IP",
    "HTTP_FORWARDED",
)


class TrustedProxies:
    """WSGI middleware: sets REMOTE_ADDR to the true peer and removes every forwarded header."""

    def __init__(self, app: Wsgi, proxies: tuple[IpNetwork, ...]) -> None:
        self._app = app
        self._proxies = proxies
        # The front's is asked for with each request.
        self._trusted = lru_cache(maxsize=64)(self._is_trusted)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        front = str(environ.get("REMOTE_ADDR") or "")
        peer = self._peer(front, str(environ.get("HTTP_X_FORWARDED_FOR", "")))
        https = self._trusted(front) and environ.get("HTTP_X_FORWARDED_PROTO") == "https"
        for name in FORWARDED:
            environ.pop(name, None)
        if https:
            environ["wsgi.url_scheme"] = "https"
        environ["REMOTE_ADDR"] = peer
        return self._app(environ, start_response)

    def _peer(self, front: str, forwarded_for: str) -> str:
        peer = front
        hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
        while hops and self._trusted(peer):
            hop = hops.pop()
            if read_address(hop) is None:
                break
            peer = hop
        return peer

    def _is_trusted(self, text: str) -> bool:
        address = read_address(text)
        return address is not None and any(
            address.version == proxy.version and address in proxy for proxy in self._proxies
        )


@lru_cache(maxsize=64)
def read_address(text: str) -> IpAddress | None:
    """The address in `text`; an IPv4 address mapped into IPv6 is given as IPv4. None where there is none.

    A request's own is asked for several times, and the front's with each.
    """
    try:
        # As strict as Python's own reader, and a fifth of its time.
        return ipaddress.IPv4Address(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):
        pass
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address
