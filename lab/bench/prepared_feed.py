"""The portal's side of the feed with its answers made beforehand, so that only the agent's time is measured.

docs/gateway-nftables-protocol.md is the contract. One thread serves each connection; an agent has three.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from typing import Any

from lab.bench.load import SpoiltRun
from lab.namespace import Inside

PATIENCE_SECONDS = 30.0
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_SINCE = re.compile(rb"GET \S*/feed\?since=(\d+)")
NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"


class PreparedFeed:
    """Listens in `node`. The first answer is an empty truth, version 1."""

    def __init__(self, node: Inside) -> None:
        self._listener = node.call(lambda: socket.create_server(("0.0.0.0", 0)))
        self.port = int(self._listener.getsockname()[1])
        self._changed = threading.Condition()
        self._waiting: tuple[int, socket.socket] | None = None
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def await_question(self, since: int) -> None:
        """Wait until the agent asks for what comes after version `since`."""
        with self._changed:
            asked = self._changed.wait_for(
                lambda: self._waiting is not None and self._waiting[0] == since, PATIENCE_SECONDS
            )
        if not asked:
            raise SpoiltRun(f"the agent never asked for what comes after version {since}")

    def answer(self, body: dict[str, Any]) -> None:
        """Answer the question that waits. Returns when the last byte was handed to the kernel."""
        message = _message(body)
        with self._changed:
            assert self._waiting is not None
            (_, connection), self._waiting = self._waiting, None
        connection.sendall(message)

    def close(self) -> None:
        for each in self._open:
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        try:
            while data := connection.recv(1 << 20):
                received += data
                while (whole := _whole(received)) is not None:
                    request, received = received[:whole], received[whole:]
                    self._hear(connection, request)
        except OSError:
            return

    def _hear(self, connection: socket.socket, request: bytes) -> None:
        asked = _SINCE.match(request)
        if asked is None:
            connection.sendall(NOTHING)
        elif asked[1] == b"0":
            empty = {"version": 1, "full": True, "now": time.time(), "grants": [], "ends": []}
            connection.sendall(_message(empty))
        else:
            with self._changed:
                self._waiting = int(asked[1]), connection
                self._changed.notify_all()


def _whole(received: bytes) -> int | None:
    """The length of the first request, once all of it is there."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    named = _LENGTH.search(received, 0, end)
    length = end + 4 + (int(named[1]) if named else 0)
    return length if len(received) >= length else None


def _message(body: dict[str, Any]) -> bytes:
    text = json.dumps(body, separators=(",", ":")).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text
