"""A small Internet: the sites that phones probe, a source, a sink and an echo. Run inside its namespace.

    python -m lab.internet [--certificate FILE --key FILE]

On 80, and 443 with a certificate: the healthy answers of the probes, ``/bytes/N`` gives N bytes, anything
else a page. On TCP 7001 a steady stream, on TCP 7002 a sink that says at the end how much it swallowed, on
UDP 7003 an echo.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import socket
import ssl
from pathlib import Path
from typing import cast

WEB, SECURE_WEB, STREAM, SINK, ECHO = 80, 443, 7001, 7002, 7003
STREAM_CHUNK, STREAM_PAUSE = b"~" * 1200, 0.01
APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>\n"
PROBES = {
    ("captive.apple.com", "/hotspot-detect.html"): APPLE,
    ("www.apple.com", "/library/test/success.html"): APPLE.strip(),
    ("www.msftconnecttest.com", "/connecttest.txt"): b"Microsoft Connect Test",
    ("www.msftncsi.com", "/ncsi.txt"): b"Microsoft NCSI",
    ("detectportal.firefox.com", "/success.txt"): b"success\n",
    ("nmcheck.gnome.org", "/check_network_status.txt"): b"NetworkManager is online\n",
}
HOSTS = (
    "www.google.com",
    "connectivitycheck.gstatic.com",
    "captive.apple.com",
    "www.example.org",
    "example.org",
)
_REQUEST = re.compile(rb"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"^host: *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_BYTES = re.compile(r"/bytes/(\d{1,10})")


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and close."""
    with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        head = await reader.readuntil(b"\r\n\r\n")
        request, host = _REQUEST.match(head), _HOST.search(head)
        path = request["path"].decode("latin-1") if request else "/"
        status, body = answer(host[1].decode("latin-1").partition(":")[0] if host else "", path)
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
    writer.close()


def answer(host: str, path: str) -> tuple[str, bytes]:
    """Status line and body for a request, as a healthy Internet gives them."""
    if path.partition("?")[0].endswith(("/generate_204", "/gen_204")):
        return "204 No Content", b""
    if (probe := PROBES.get((host, path.partition("?")[0]))) is not None:
        return "200 OK", probe
    if wanted := _BYTES.fullmatch(path):
        return "200 OK", bytes(int(wanted[1]))
    page = "<!doctype html><title>Internet</title><h1>This is the lab's Internet</h1><p>You are through.</p>"
    return "200 OK", page.encode()


async def stream(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a little every ten milliseconds, as a video call does, until the other side is gone."""
    with contextlib.suppress(OSError):
        while not writer.is_closing():
            writer.write(STREAM_CHUNK)
            await writer.drain()
            await asyncio.sleep(STREAM_PAUSE)
    writer.close()


async def sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Swallow everything, then say how many bytes it was."""
    swallowed = 0
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            swallowed += len(data)
        writer.write(str(swallowed).encode())
        await writer.drain()
    writer.close()


class Echo(asyncio.DatagramProtocol):
    """Sends every datagram back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own transport does not call itself a DatagramTransport.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        self._transport.sendto(data, peer)


async def serve(certificate: Path | None, key: Path | None) -> None:
    """Open everything, and stay."""
    hosts = ["0.0.0.0", "::"]
    for family, host in zip((socket.AF_INET, socket.AF_INET6), hosts, strict=True):
        await _open_echo(family, host)
    servers = [
        await asyncio.start_server(stream, hosts, STREAM),
        await asyncio.start_server(sink, hosts, SINK),
    ]
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        servers.append(await asyncio.start_server(web, hosts, SECURE_WEB, ssl=context))
    # The last to open: whoever waits for it finds everything else open.
    servers.append(await asyncio.start_server(web, hosts, WEB))
    await asyncio.gather(*(server.serve_forever() for server in servers))


async def _open_echo(family: socket.AddressFamily, host: str) -> None:
    port = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        port.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    port.bind((host, ECHO))
    port.setblocking(False)
    await asyncio.get_running_loop().create_datagram_endpoint(Echo, sock=port)


def main() -> None:
    parser = argparse.ArgumentParser(description="The lab's small Internet.")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    chosen = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(chosen.certificate, chosen.key))


if __name__ == "__main__":
    main()
