"""The agent's line to the portal: the calls of docs/gateway-nftables-protocol.md over kept HTTP connections.

Blocking; each `PortalClient` is for one thread at a time. Certificates are verified, always.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from gateways.nftables.configuration import Configuration
from gateways.nftables.feed import FeedAnswer, InvalidAnswer, RejectedGrant, parse_answer
from gateways.types import Client

ANSWER_SECONDS = 5.0
LARGEST_ANSWER_BYTES = 64 << 20
# A connection that was cut without a word is noticed in eight seconds, not when the long poll would have
# ended.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 3), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 2))
USER_TIMEOUT_MS = 8000
# Servers close a line that was quiet for long (granian after 30 s, nginx after 75 s): ours is made anew before that.
KEPT_SECONDS = 20.0
# What this agent keeps of a grant beyond its time and rates: a grant that asks for more is not told to it.
KEEPS = "destinations,resolver"


class PortalUnreachable(Exception):
    """The portal did not answer, or not as it should. The agent goes on by itself and tries again."""


class PortalClient:
    """One kept connection to the portal."""

    def __init__(self, configuration: Configuration) -> None:
        parts = urlsplit(configuration.portal_url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._path = parts.path + "/gateways/nftables/"
        self._headers = {"Authorization": f"Bearer {configuration.credential}"}
        self._tls = _tls(configuration) if self._secure else None
        self._connection: http.client.HTTPConnection | None = None
        self._used_at = 0.0
        self._is_closed = False

    def feed(self, since: int, wait: float, *, confirmed: bool = False) -> FeedAnswer:
        """What changed after version `since`; waits up to `wait` seconds. With `confirmed` it says that the kernel has
        taken all up to there. Raises `PortalUnreachable`."""
        asked = f"feed?since={since}&wait={wait:g}&keeps={KEEPS}{'&confirmed=1' if confirmed else ''}"
        body = self._call("GET", asked, None, wait + ANSWER_SECONDS)
        try:
            return parse_answer(body)
        except InvalidAnswer as error:
            raise PortalUnreachable(f"the feed's answer makes no sense: {error}") from error

    def confirm(self, version: int, applied: Iterable[int], refused: Iterable[RejectedGrant]) -> None:
        reasons = [{"number": each.number, "reason": each.reason} for each in refused]
        self._post("confirm", {"version": version, "applied": list(applied), "refused": reasons})

    def report(self, report: dict[str, Any], clients: Iterable[dict[str, Any]]) -> None:
        """Send a report; its `clients` are written one by one."""
        rows = ",".join(_written(row) for row in clients)
        self._call("POST", "report", f'{_written(report)[:-1]},"clients":[{rows}]}}'.encode(), ANSWER_SECONDS)

    def arrivals(self, clients: Iterable[Client]) -> None:
        rows = [{"client": each.mac, "addresses": [str(a) for a in each.addresses]} for each in clients]
        self._post("arrivals", {"clients": rows})

    def close(self) -> None:
        """End the line for good, also under a call that is waiting: that raises `PortalUnreachable`."""
        self._is_closed = True
        self._hang_up()

    def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _post(self, name: str, value: dict[str, Any]) -> None:
        self._call("POST", name, _written(value).encode(), ANSWER_SECONDS)

    def _call(self, method: str, name: str, body: bytes | None, timeout: float) -> bytes:
        """Ask, and once more at once where a line that was kept turns out to be stale. Every call may come twice."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._connection is not None and time.monotonic() - self._used_at > KEPT_SECONDS:
            self._hang_up()
        was_kept = self._connection is not None
        try:
            answer, content = self._ask(method, self._path + name, body, headers, timeout)
        except PortalUnreachable as error:
            if not was_kept or self._is_closed or _is_patience_over(error.__cause__):
                raise
            answer, content = self._ask(method, self._path + name, body, headers, timeout)
        if answer.status not in (200, 204):
            raise PortalUnreachable(f"{name.partition('?')[0]}: the portal answered {answer.status}")
        return content

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        try:
            connection = self._connected(timeout)
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read(LARGEST_ANSWER_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._hang_up()
            raise PortalUnreachable(f"{path.rpartition('/')[2].partition('?')[0]}: {error!r}") from error
        if answer.will_close or not answer.isclosed():
            self._hang_up()
        self._used_at = time.monotonic()
        return answer, content

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self._new()
            self._connection.connect()
            for option, value in KEEPALIVE:
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, option, value)
            self._connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        self._connection.sock.settimeout(timeout)
        return self._connection

    def _new(self) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=ANSWER_SECONDS, context=self._tls
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)


def _is_patience_over(error: BaseException | None) -> bool:
    """Whether we stopped waiting for an answer. The kernel's own ETIMEDOUT is a line that was cut without a word."""
    return isinstance(error, TimeoutError) and error.errno is None


def _written(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _tls(configuration: Configuration) -> ssl.SSLContext:
    """Trust the authority that the operator named, or the system's, and verify the name."""
    context = ssl.create_default_context(cafile=configuration.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
