"""A scripted LDAP server for answers that a real one does not give on demand (RFC 4511, just enough BER).

def script(request): return request.answer(BIND_RESPONSE, 49, message="… data 533 …")
with fake_directory(script, certificate=…) as fake: …
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.services.certificates import Certificate

BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
BIND_RESPONSE, SEARCH_DONE, EXTENDED_RESPONSE = 0x61, 0x65, 0x78
_SEARCH_ENTRY, _SEARCH_REFERENCE = 0x64, 0x73
_ANSWERS = {BIND: BIND_RESPONSE, SEARCH: SEARCH_DONE, EXTENDED: EXTENDED_RESPONSE}


@dataclass(frozen=True, slots=True)
class Request:
    """One request: which operation, and its bytes, for a look at what they hold."""

    number: int
    operation: int
    body: bytes

    def answer(self, code: int = 0, *, message: str = "", referral: str | None = None) -> bytes:
        """The one response, or the last, to this request."""
        parts = [_tlv(0x0A, bytes([code])), _tlv(4, b""), _tlv(4, message.encode())]
        if referral:
            parts.append(_tlv(0xA3, _tlv(4, referral.encode())))
        return self._message(_tlv(_ANSWERS[self.operation], *parts))

    def entry(self, dn: str, attributes: Mapping[str, bytes]) -> bytes:
        listed = [
            _tlv(0x30, _tlv(4, name.encode()), _tlv(0x31, _tlv(4, value)))
            for name, value in attributes.items()
        ]
        return self._message(_tlv(_SEARCH_ENTRY, _tlv(4, dn.encode()), _tlv(0x30, *listed)))

    def reference(self, url: str) -> bytes:
        return self._message(_tlv(_SEARCH_REFERENCE, _tlv(4, url.encode())))

    def _message(self, operation: bytes) -> bytes:
        return _tlv(0x30, _tlv(2, self.number.to_bytes(4, "big")), operation)


Script = Callable[[Request], bytes]


class FakeDirectory:
    """Listens on `port`. `connections` counts, `requests` lists what was understood of clients."""

    def __init__(self, script: Script, context: ssl.SSLContext | None) -> None:
        self._script = script
        self._context = context
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self.requests: list[Request] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._run(self._accept)

    @property
    def binds(self) -> list[Request]:
        return [request for request in self.requests if request.operation == BIND]

    def close(self) -> None:
        for sock in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
            self._sockets.append(client)
            while request := _read_request(client):
                self.requests.append(request)
                if request.operation in _ANSWERS:
                    client.sendall(self._script(request))
        except (OSError, IndexError):
            # Broken off, or not LDAP: a server hangs up.
            pass
        finally:
            client.close()


@contextmanager
def fake_directory(
    script: Script, *, certificate: Certificate | None = None, newest_tls: ssl.TLSVersion | None = None
) -> Iterator[FakeDirectory]:
    """Run it until the block ends: LDAPS with a `certificate`, plain without."""
    fake = FakeDirectory(script, _context(certificate, newest_tls) if certificate else None)
    try:
        yield fake
    finally:
        fake.close()


def _context(certificate: Certificate, newest_tls: ssl.TLSVersion | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate_file, certificate.key_file)
    if newest_tls is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings():
            # The versions that must be refused are the deprecated ones.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.maximum_version = newest_tls
    return context


def _read_request(client: socket.socket) -> Request | None:
    head = _read(client, 2)
    if not head:
        return None
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(_read(client, length & 0x7F), "big")
    body = _read(client, length)
    number_ends = 2 + body[1]
    return Request(int.from_bytes(body[2:number_ends], "big"), body[number_ends], body[number_ends:])


def _read(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = client.recv(count - len(data))
        if not part:
            return b""
        data += part
    return data


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body
