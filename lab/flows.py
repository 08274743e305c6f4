"""Traffic that runs while things happen, and knows when its last byte came."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lab import internet
from lab.network import Phone

# This long without a byte means that the flow is cut.
SILENCE_SECONDS = 3.0
ECHO_EVERY_SECONDS = 0.02
PING = b"ping"


@dataclass(slots=True)
class Flow:
    """A flow of a phone. `last_at` is the instant of its last byte, in seconds since the epoch."""

    name: str
    thread: threading.Thread | None = None
    sent: int = 0
    received: int = 0
    last_at: float = 0.0
    longest_gap: float = 0.0
    started: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    def note(self, data: bytes) -> None:
        """Bytes came back."""
        at = time.time()
        if self.last_at:
            self.longest_gap = max(self.longest_gap, at - self.last_at)
        self.last_at = at
        self.received += len(data)
        self.started.set()

    @property
    def lost(self) -> int:
        """Of an echo that was stopped: the datagrams that never came back."""
        return self.sent - self.received // len(PING)

    @property
    def is_silent(self) -> bool:
        return bool(self.last_at) and time.time() - self.last_at > SILENCE_SECONDS

    def until_silent(self, timeout: float) -> bool:
        """Wait until it is cut, at most `timeout` seconds; whether it was."""
        assert self.thread is not None
        self.thread.join(timeout)
        return not self.thread.is_alive()

    def stop(self) -> None:
        assert self.thread is not None
        self.stopping.set()
        self.thread.join()


def download(phone: Phone, address: str) -> Flow:
    """A TCP stream from the Internet to the phone, already running when this returns."""
    flow = Flow("TCP download")

    def run() -> None:
        with phone.ns.socket() as line:
            line.settimeout(SILENCE_SECONDS)
            try:
                line.connect((address, internet.STREAM))
                while not flow.stopping.is_set() and (data := line.recv(65536)):
                    flow.note(data)
            except OSError:
                pass

    return _begin(flow, run)


def echo(phone: Phone, address: str) -> Flow:
    """UDP datagrams to the Internet and back, fifty a second, already running when this returns."""
    flow = Flow("UDP echo")

    def run() -> None:
        with phone.ns.socket(kind=socket.SOCK_DGRAM) as line:
            line.settimeout(ECHO_EVERY_SECONDS)
            line.connect((address, internet.ECHO))
            while not flow.stopping.is_set() and not flow.is_silent:
                try:
                    line.send(PING)
                    flow.sent += 1
                    flow.note(line.recv(64))
                    flow.stopping.wait(ECHO_EVERY_SECONDS)
                except OSError:
                    # Late, lost, or refused by the gateway: the next one tells more.
                    flow.stopping.wait(ECHO_EVERY_SECONDS)
            _await_stragglers(line, flow)

    return _begin(flow, run)


def _await_stragglers(line: socket.socket, flow: Flow) -> None:
    """Hear the answers that are still on their way, so that only lost ones count as lost."""
    line.settimeout(0.5)
    with contextlib.suppress(OSError):
        while flow.stopping.is_set() and flow.received < flow.sent * len(PING):
            flow.received += len(line.recv(64))


def _begin(flow: Flow, run: Callable[[], None]) -> Flow:
    flow.thread = threading.Thread(target=run, name=flow.name, daemon=True)
    flow.thread.start()
    if not flow.started.wait(10):
        flow.stopping.set()
        raise TimeoutError(f"{flow.name}: nothing came through")
    return flow
