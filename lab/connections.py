"""HTTP/1.1 on a connection of asyncio's, as a browser writes it and reads it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lab.guest import Page

Address = tuple[str, int]
OPENING_SECONDS = 60.0


@dataclass(slots=True)
class Connection:
    """A connection to a server, over TLS or plain. One request at a time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(
        cls, line: socket.socket, address: Address, *, trust: ssl.SSLContext | None = None, name: str = ""
    ) -> Connection:
        """Connect `line`, a socket that does not block; speak TLS with `name` where `trust` says whom to believe."""
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                await asyncio.get_running_loop().sock_connect(line, address)
                server = name if trust is not None else None
                return cls(*await asyncio.open_connection(sock=line, ssl=trust, server_hostname=server))
        except BaseException:
            line.close()
            raise

    @property
    def is_open(self) -> bool:
        """Whether the other side has not closed it, as far as is known."""
        return not self.reader.at_eof() and not self.writer.is_closing()

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def ask(self, url: str, octets: bytes) -> Page:
        """Send a request for `url` and read the answer whole."""
        await self.send(octets)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, _, rest = head.partition(b"\r\n")
        headers = http.client.parse_headers(io.BytesIO(rest))
        if headers["Transfer-Encoding"] == "chunked":
            body = await self._chunks()
        else:
            body = await self.reader.readexactly(int(headers["Content-Length"] or 0))
        if headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        return Page(url, int(status.split()[1]), headers, body)

    async def _chunks(self) -> bytes:
        """A body in pieces (RFC 9112 section 7.1)."""
        pieces = []
        while length := int(await self.reader.readuntil(b"\r\n"), 16):
            pieces.append(await self.reader.readexactly(length))
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")
        return b"".join(pieces)

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            async with asyncio.timeout(1.0):
                await self.writer.wait_closed()

    def abort(self) -> None:
        """Close at once, whatever is under way: the other side meets a reset, or an end in the middle."""
        self.writer.transport.abort()


def request(host: str, url: str, form: str | None, cookies: Mapping[str, str]) -> bytes:
    """A GET of `url`, or a POST of `form`, as a browser sends it."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"{'GET' if form is None else 'POST'} {target} HTTP/1.1", f"Host: {host}"]
    lines += ["Accept: text/html", "Accept-Language: fr", "Accept-Encoding: gzip", "User-Agent: Mozilla/5.0"]
    if cookies:
        lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
    if form is not None:
        lines += [
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(form)}",
            f"Origin: https://{host}",
        ]
    return ("\r\n".join(lines) + "\r\n\r\n" + (form or "")).encode()
