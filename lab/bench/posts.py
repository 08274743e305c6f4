"""A cheap client: many kept TLS connections in one thread, each with one request under way."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one request: its status, and how long the whole answer was in coming."""

    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of all requests, in the order of the answers. `seconds` begin when every connection stands."""

    answers: list[Answered]
    seconds: float


class _Connection(asyncio.Protocol):
    """Takes one request after the other from the common store, until there is none."""

    def __init__(self, store: Iterator[bytes], answers: list[Answered]) -> None:
        loop = asyncio.get_running_loop()
        self._store, self._answers = store, answers
        self.done, self.closed = loop.create_future(), loop.create_future()
        self._received = bytearray()
        self._sent_at = 0.0

    def itself(self) -> _Connection:
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self) -> None:
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._answers.append(Answered(int(head[9:12]), time.perf_counter() - self._sent_at))
        self._received.clear()
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))
        self.closed.set_result(None)

    def leave(self) -> None:
        self._transport.abort()

    def _next(self) -> None:
        request = next(self._store, None)
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _length(head: bytes | bytearray) -> int:
    """The length of the body; a server that names none (chunked) is none that is measured here."""
    _, _, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def send(requests: Sequence[bytes], *, host: str, port: int, ca_file: Path, clients: int) -> Sent:
    """Send all requests from `clients` connections, each with one under way.

    Raises ConnectionError when the server closes one, TimeoutError after a minute.
    """

    async def run() -> Sent:
        loop, store, answers = asyncio.get_running_loop(), iter(requests), list[Answered]()
        trust = ssl.create_default_context(cafile=ca_file)
        connections = [_Connection(store, answers) for _ in range(clients)]
        for each in connections:
            await loop.create_connection(each.itself, host, port, ssl=trust)
        started = time.perf_counter()
        for each in connections:
            each.begin()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*(each.done for each in connections))
            seconds = time.perf_counter() - started
            for each in connections:
                each.leave()
            await asyncio.gather(*(each.closed for each in connections))
        return Sent(answers, seconds)

    return asyncio.run(run())


def post(path: str, *, host: str, form: bytes, cookie: str, address: str) -> bytes:
    """A form as the browser of the phone with this address posts it over a kept connection."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\nSec-Fetch-Site: same-origin\r\n"
        f"Accept: text/html\r\nAccept-Language: fr-FR,fr;q=0.9,en;q=0.5\r\nCookie: {cookie}\r\n"
        f"X-Forwarded-For: {address}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
    )
    return head.encode() + form
