"""A line to one server on which everything ends by one deadline, and which can say why it broke.

A socket's own timeout counts per read: a server that drips one byte a second is then never late. Here each
read and write gets only what is left until the deadline of the whole operation, TLS handshakes and name
lookups included.
"""

from __future__ import annotations

import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence

LARGEST_ANSWER = 1 << 20

# OpenSSL's X509_V_ERR_… numbers, in the words of an operator.
_CERTIFICATE = {
    2: "its certificate comes from an unknown authority",
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate comes from an unknown authority",
    20: "its certificate comes from an unknown authority",
    21: "its certificate comes from an unknown authority",
    23: "its certificate is revoked",
    62: "its certificate is for another name",
    64: "its certificate is for another address",
}
_OLD_TLS = {"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW", "WRONG_SSL_VERSION"}
_NO_TLS = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "BAD_RECORD_TYPE"}


class BrokenConnection(Exception):
    """The server could not be asked. `reason` is for the operator; `late` says that the deadline was over."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.late = late


def explain(error: BaseException) -> BrokenConnection:
    """Name the cause of a failed connection in words that an operator can act on."""
    if isinstance(error, BrokenConnection):
        return error
    if isinstance(error, TimeoutError):
        return BrokenConnection("no answer in time", late=True)
    return BrokenConnection(_words(error))


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(error.verify_code, f"its certificate is refused ({error.verify_message})")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unexpected end"
        if reason in _OLD_TLS:
            return "it offers no TLS 1.2 or newer"
        return "it does not speak TLS on this port" if reason in _NO_TLS else f"TLS failed ({reason})"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection"
    if isinstance(error, ConnectionError):
        return "it broke the connection off"
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return "its name is not found"
    if isinstance(error, OSError):
        return error.strerror or "the network failed"
    if "InvalidFilter" in type(error).__name__:
        # Ours, and never sent: the server is not to blame.
        return "AROBASE_LDAP_USER_FILTER is no filter that can be asked"
    return f"it answered something that is not LDAP ({type(error).__name__})"


class DeadlineSocket:
    """One connection. ldap3 reads and writes through it as if it were the socket."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket = sock
        self.failure: OSError | None = None
        self.allow(deadline)

    def allow(self, deadline: float) -> None:
        """Begin an operation that ends by `deadline` (`time.monotonic`)."""
        self._deadline = deadline
        self._received = 0
        self.failure = None

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Put TLS on the line; the certificate must be for `name`. Raises `BrokenConnection`."""
        try:
            self._socket.settimeout(_left(self._deadline))
            # From here on a failure closes the wrapped socket, and with it the plain one.
            self._socket = context.wrap_socket(
                self._socket, server_hostname=name, do_handshake_on_connect=False
            )
            self._socket.do_handshake()
        except (OSError, ValueError) as error:
            raise explain(error) from error

    def certificate_ends(self) -> float | None:
        """When the server's certificate ends, in seconds since the epoch; None without a verified one."""
        certificate = self._socket.getpeercert() if isinstance(self._socket, ssl.SSLSocket) else None
        ends = certificate.get("notAfter") if certificate else None
        return float(ssl.cert_time_to_seconds(ends)) if isinstance(ends, str) else None

    def recv(self, size: int) -> bytes:
        try:
            self._socket.settimeout(_left(self._deadline))
            data = self._socket.recv(size)
        except OSError as error:
            self.failure = error
            raise
        self._received += len(data)
        if self._received > LARGEST_ANSWER:
            self.failure = OSError(0, "its answer is far too long")
            raise self.failure
        return data

    def sendall(self, data: bytes) -> None:
        try:
            self._socket.settimeout(_left(self._deadline))
            self._socket.sendall(data)
        except OSError as error:
            self.failure = error
            raise

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What the server says, line by line, as `smtplib` reads it."""
        return io.BufferedReader(_Received(self))

    def shutdown(self, how: int) -> None:
        self._socket.shutdown(how)

    def close(self) -> None:
        self._socket.close()


class _Received(io.RawIOBase):
    def __init__(self, line: DeadlineSocket) -> None:
        super().__init__()
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._line.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def connect(
    host: str, port: int, deadline: float, *, allowed: Callable[[str], bool] | None = None
) -> DeadlineSocket:
    """Connect to the first address of `host` that answers, of those that are `allowed`. Raises `BrokenConnection`."""
    addresses = _resolve(host, port, deadline)
    if allowed is not None:
        addresses = [one for one in addresses if allowed(str(one[4][0]))]
    error: OSError = OSError(
        0, "its name has no address" if allowed is None else "it has no address that is allowed"
    )
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            # A silent first address must leave time for the second.
            sock.settimeout(_left(deadline) / (len(addresses) - tried))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return DeadlineSocket(sock, deadline)
        except OSError as failure:
            sock.close()
            error = failure
    raise explain(error) from error


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline is over")
    return left


_Addresses = Sequence[
    tuple[
        socket.AddressFamily,
        socket.SocketKind,
        int,
        str,
        # The last of them is for Bluetooth, which the types of Python allow for.
        tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes],
    ]
]


def _resolve(host: str, port: int, deadline: float) -> _Addresses:
    """Look the name up. The resolver knows no deadline, so it is asked in a thread that may be left
    behind.
    """
    answers: queue.SimpleQueue[_Addresses | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise BrokenConnection("its name was not resolved in time", late=True) from None
    if isinstance(answer, BaseException):
        raise explain(answer) from answer
    return answer
