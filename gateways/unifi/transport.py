"""One kept HTTPS connection to a controller: whom it trusts, how long it waits, how much it reads.

http.client, and no library: what is wanted of HTTP here is one connection, whose certificate can be pinned before the
first byte is sent, and a call that is over in a known time whatever the other end does. A redirect is an answer like
any other and is never followed: a credential goes to the address that the operator wrote, and nowhere else.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from urllib.parse import urlsplit

from gateways.sentences import Sentence
from gateways.unifi.errors import ControllerError, Trouble

CONNECT_SECONDS = 3.0
# For the whole of a call, from the connection to the last byte of the answer.
CALL_SECONDS = 6.0
# Two thousand clients of about one and a half kilobytes each.
LARGEST_ANSWER_BYTES = 8 << 20
# nginx in front of a console closes a line that was quiet for 75 s.
KEPT_SECONDS = 50.0
_HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9a-fA-F:]+")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_NO_ADDRESS = Sentence(
    "write the controller's address like https://192.168.1.2:8443 or https://unifi.example.org"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a controller is. Without `fingerprint`, its certificate must be one that `ca_file` (or the system) trusts.

    `fingerprint` is the SHA-256 of the certificate itself (DER), in 64 hexadecimal digits.
    """

    host: str
    port: int
    fingerprint: str = ""
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    content: bytes


def read_url(text: str) -> tuple[str, int]:
    """Host and port of ``https://192.168.1.2:8443``. Raises ValueError with what to write instead."""
    try:
        parts = urlsplit(text)
        port = parts.port or 443
    except ValueError as error:
        raise ValueError(_NO_ADDRESS) from error
    host = parts.hostname or ""
    is_bare = not (parts.query or parts.fragment or parts.username or parts.password) and parts.path in (
        "",
        "/",
    )
    if parts.scheme != "https" or not _HOST.fullmatch(host) or not is_bare:
        raise ValueError(_NO_ADDRESS)
    return host, port


def read_fingerprint(text: str) -> str:
    """A SHA-256 as `openssl x509 -fingerprint -sha256` prints it, or bare. Raises ValueError with what is wanted."""
    digits = text.strip().lower().removeprefix("sha256 fingerprint=").replace(":", "")
    if not _FINGERPRINT.fullmatch(digits):
        raise ValueError(
            Sentence("write the certificate's SHA-256: 64 hexadecimal digits, with or without colons")
        )
    return digits


class Line:
    """For one thread at a time."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: http.client.HTTPConnection | None = None
        self._used_at = 0.0

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
        """Ask, and once more where a kept line turns out to be stale: each call may come twice.

        Raises `ControllerError`.
        """
        if self._connection is not None and time.monotonic() - self._used_at > KEPT_SECONDS:
            self.close()
        was_kept = self._connection is not None
        deadline = time.monotonic() + CALL_SECONDS
        try:
            return self._asked(method, path, headers, body, deadline)
        except _Cut:
            if not was_kept:
                raise
        return self._asked(method, path, headers, body, deadline)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _asked(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, deadline: float
    ) -> Answer:
        connection = self._connected(deadline)
        guard = _Guard(connection.sock, deadline)
        try:
            with guard:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                content = answer.read(LARGEST_ANSWER_BYTES + 1)
                if len(content) <= LARGEST_ANSWER_BYTES and answer.length:
                    raise http.client.IncompleteRead(content, answer.length)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            if guard.is_over:
                raise ControllerError(Trouble.AWAY, f"no whole answer within {CALL_SECONDS:g} s") from error
            if isinstance(error, http.client.HTTPException) and not isinstance(error, _CUT):
                raise ControllerError(Trouble.ANSWER, "what it answers is not HTTP") from error
            raise _Cut(Trouble.AWAY, f"the line broke: {type(error).__name__}") from error
        if len(content) > LARGEST_ANSWER_BYTES:
            self.close()
            raise ControllerError(Trouble.ANSWER, f"an answer of more than {LARGEST_ANSWER_BYTES >> 20} MiB")
        if answer.will_close or not answer.isclosed():
            self.close()
        self._used_at = time.monotonic()
        return Answer(answer.status, answer.headers, content)

    def _connected(self, deadline: float) -> http.client.HTTPConnection:
        if self._connection is None:
            connection = http.client.HTTPConnection(self._address.host, self._address.port)
            connection.sock = _open(self._address, deadline)
            self._connection = connection
        return self._connection


class _Cut(ControllerError):
    """The line ended before an answer, as one does that the other end has closed meanwhile."""


_CUT = (http.client.RemoteDisconnected, http.client.IncompleteRead)


class _Guard:
    """Cuts the line at the deadline: a time-out of a socket counts anew with each byte."""

    def __init__(self, line: socket.socket, deadline: float) -> None:
        self._line = line
        self._timer = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        self._timer.daemon = True
        self.is_over = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def _cut(self) -> None:
        self.is_over = True
        with contextlib.suppress(OSError):
            # Of the descriptor: an SSLSocket would first wait for the other end's word.
            socket.socket.shutdown(self._line, socket.SHUT_RDWR)


def _open(address: Address, deadline: float) -> ssl.SSLSocket:
    try:
        plain = socket.create_connection((address.host, address.port), timeout=CONNECT_SECONDS)
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
        raise ControllerError(
            Trouble.AWAY, f"no connection to {address.host} port {address.port}: {reason}"
        ) from error
    # The header and the body of a command are two writes: the second must not wait for the first one's receipt.
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        line = _context(address).wrap_socket(
            plain, server_hostname=address.host, do_handshake_on_connect=False
        )
    except (OSError, ValueError) as error:
        plain.close()
        raise ControllerError(Trouble.CERTIFICATE, f"the CA file: {type(error).__name__}") from error
    line.settimeout(CALL_SECONDS)
    guard = _Guard(line, deadline)
    try:
        with guard:
            line.do_handshake()
        _check_pin(line, address)
    except (OSError, ControllerError) as error:
        line.close()
        if isinstance(error, ControllerError):
            raise
        if isinstance(error, ssl.SSLCertVerificationError):
            raise ControllerError(Trouble.CERTIFICATE, f"not trusted: {error.verify_message}") from error
        if guard.is_over:
            raise ControllerError(Trouble.AWAY, "no TLS handshake in time") from error
        raise ControllerError(Trouble.AWAY, f"no TLS: {type(error).__name__}") from error
    return line


def _context(address: Address) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(Path(address.ca_file)) if address.ca_file else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if address.fingerprint:
        # The pin says more than any name in the certificate, and self-signed ones name nothing useful.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_pin(line: ssl.SSLSocket, address: Address) -> None:
    if not address.fingerprint:
        return
    shown = hashlib.sha256(line.getpeercert(binary_form=True) or b"").hexdigest()
    if not hmac.compare_digest(shown, address.fingerprint):
        raise ControllerError(Trouble.CERTIFICATE, f"another certificate than the pinned one: {shown}")
