"""A proxy between a client and a real server that can turn bad at any moment, for open connections too."""

from __future__ import annotations

import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Mode(enum.Enum):
    PASS = "pass"
    HOLD = "hold"
    DRIP = "drip"
    RESET = "reset"


class TcpProxy:
    """Listens on `port` of 127.0.0.1. `mode` is what it does to bytes from now on; `accepted` counts.

    HOLD accepts and is silent; DRIP lets the server's bytes through one at a time; RESET breaks a connection
    off at the client's first byte.
    """

    def __init__(self, target_port: int, *, drip_seconds: float = 0.05) -> None:
        self._target_port = target_port
        self._drip_seconds = drip_seconds
        self._mode = Mode.PASS
        self._changed = threading.Condition()
        self._open = True
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._run(self._accept)

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._changed:
            self._mode = mode
            self._changed.notify_all()

    def wait_for_connections(self, count: int, seconds: float = 5.0) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.accepted >= count, timeout=seconds), self.accepted

    def break_off(self) -> None:
        """Close every connection, as a server does that restarts."""
        with self._changed:
            sockets, self._sockets = self._sockets, []
        for sock in sockets:
            _shut(sock)

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()
        _shut(self._listener)
        self.break_off()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self, target: object, *arguments: object) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target_port))
            with self._changed:
                self._sockets += [client, server]
                self.accepted += 1
                self._changed.notify_all()
            self._run(self._pump, client, server, False)
            self._run(self._pump, server, client, True)

    def _pump(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        try:
            while data := source.recv(65536):
                with self._changed:
                    self._changed.wait_for(lambda: self._mode is not Mode.HOLD or not self._open)
                    mode = self._mode
                if mode is Mode.RESET and not from_server:
                    # No lingering: the other side gets a reset, not an orderly end.
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    source.close()
                    break
                self._forward(sink, data, drip=mode is Mode.DRIP and from_server)
        except OSError:
            pass
        _shut(source)
        _shut(sink)

    def _forward(self, sink: socket.socket, data: bytes, *, drip: bool) -> None:
        if not drip:
            sink.sendall(data)
            return
        for position in range(len(data)):
            sink.sendall(data[position : position + 1])
            with self._changed:
                if self._changed.wait_for(lambda: not self._open, timeout=self._drip_seconds):
                    return


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@contextmanager
def tcp_proxy(target_port: int) -> Iterator[TcpProxy]:
    proxy = TcpProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
