"""Asking the provider over HTTP: one request, one answer of bounded size, all of it by one deadline, no redirect.

http.client and no library: a time-out of a socket counts anew with each byte, and a client's secret goes to the
addresses that the provider's own document names, and nowhere else.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from auth.staff.errors import StaffDirectoryAway
from config.authorities import read_authorities
from config.openid import OpenIdSettings

LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object that came with it; empty where none did."""

    status: int
    content: dict[str, Any]


class ProviderTransport:
    """Safe with threads and over a fork: nothing is kept open."""

    def __init__(self, settings: OpenIdSettings) -> None:
        self._seconds = settings.timeout_seconds
        self._tls = ssl.create_default_context()
        if settings.ca_file is not None:
            self._tls = ssl.create_default_context(cadata=read_authorities(settings.ca_file))
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._may_be_plain = settings.issuer.startswith("http://")

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self._ask("GET", url, dict(headers or {}), None)

    def post(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        return self._ask("POST", url, dict(headers), body.encode())

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        """Raises `StaffDirectoryAway`."""
        connection = self._connection(url)
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        late = threading.Event()

        def cut() -> None:
            late.set()
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    # Of the descriptor: an SSLSocket would first wait for the other end's word.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

        guard = threading.Timer(self._seconds, cut)
        guard.daemon = True
        guard.start()
        try:
            connection.request(method, path, body, {"Accept": "application/json", **headers})
            answer = connection.getresponse()
            content = answer.read(LARGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            reason = "no whole answer in time" if late.is_set() else f"{type(error).__name__}: {error}"
            raise StaffDirectoryAway(f"{parts.netloc}: {reason}") from error
        finally:
            guard.cancel()
            connection.close()
        if late.is_set() or len(content) > LARGEST_ANSWER:
            raise StaffDirectoryAway(f"{parts.netloc}: no whole answer in time, or one that is too large")
        return Answer(answer.status, _object(content))

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=self._tls)
        if parts.scheme == "http" and self._may_be_plain:
            return http.client.HTTPConnection(host, port, timeout=self._seconds)
        raise StaffDirectoryAway(f"it names {url[:100]!r}, which is not https")


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
