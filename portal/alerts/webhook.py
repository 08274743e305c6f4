"""One POST to the address that the operator named, signed as Standard Webhooks 1.0.0 has it.

http.client, and no library: one call, over in a known time whatever the other end does, and no redirect is followed,
since the address itself is a secret with most receivers.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from config.reader import Secret

# For the whole of a call, from the connection to the first line of the answer.
CALL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts are posted. The address is a secret with most receivers; `key` signs what is sent."""

    url: Secret
    key: Secret | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url.reveal()).hostname or ""


class UndeliveredWebhook(Exception):
    """The receiver did not take it. The text says why in a few words, and holds nothing of the address."""


def post(
    webhook: Webhook, message: Mapping[str, Any], *, number: str, now: datetime, seconds: float = CALL_SECONDS
) -> None:
    """Deliver `message` as JSON. `number` is the same when a message is sent once more, so that a receiver can tell.

    Raises `UndeliveredWebhook`.
    """
    body = json.dumps(message, ensure_ascii=False).encode()
    stamp = str(int(now.timestamp()))
    headers = {"Content-Type": "application/json", "webhook-id": number, "webhook-timestamp": stamp}
    if webhook.key is not None:
        headers["webhook-signature"] = sign(webhook.key.reveal(), number=number, stamp=stamp, body=body)
    status = _post(webhook.url.reveal(), body, headers, seconds)
    if not 200 <= status < 300:
        raise UndeliveredWebhook(f"it answered {status}")


def sign(key: str, *, number: str, stamp: str, body: bytes) -> str:
    """The signature over id, timestamp and body: ``v1,`` and an HMAC-SHA-256 in base64 (Standard Webhooks 1.0.0)."""
    signed = f"{number}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key.encode(), signed, hashlib.sha256)).decode()


def _post(url: str, body: bytes, headers: dict[str, str], seconds: float) -> int:
    parts = urlsplit(url)
    place = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    deadline = time.monotonic() + seconds
    try:
        with contextlib.closing(_open(parts, seconds)) as line, _cut_at(deadline, line):
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection = http.client.HTTPConnection(parts.netloc)
            connection.sock = line
            connection.request("POST", place, body, headers)
            return connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        raise UndeliveredWebhook(f"its certificate: {error.verify_message}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() >= deadline or isinstance(error, TimeoutError):
            raise UndeliveredWebhook(f"no answer within {seconds:g} s") from error
        reason = error.strerror if isinstance(error, OSError) else None
        raise UndeliveredWebhook(reason or type(error).__name__) from error


def _open(parts: SplitResult, seconds: float) -> socket.socket:
    """A line to the receiver; TLS has yet to begin on it, where the address says so."""
    is_https, host = parts.scheme == "https", parts.hostname or ""
    line = socket.create_connection((host, parts.port or (443 if is_https else 80)), timeout=seconds)
    if not is_https:
        return line
    context = ssl.create_default_context()
    return context.wrap_socket(line, server_hostname=host, do_handshake_on_connect=False)


@contextmanager
def _cut_at(deadline: float, line: socket.socket) -> Iterator[None]:
    """Cut the line at the deadline: a time-out of a socket counts anew with each byte."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
