"""RADIUS packets made beforehand, and sent with many under way: a cheap NAS, so that the server is what is measured."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

# The identifier has one octet (RFC 2865 section 3): a line tells so many of its packets apart.
IDENTIFIERS, LINES = 256, 8
IN_FLIGHT = 64
PATIENCE_SECONDS = 5.0


@dataclass(slots=True)
class Exchanged:
    """The codes that came back and how long each answer was in coming, in the order of the answers."""

    seconds: float = 0.0
    codes: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    lost: int = 0


def identifier(number: int) -> int:
    """The identifier that packet `number` of a series must be made with."""
    return number % IDENTIFIERS


def exchange(
    packets: Sequence[bytes],
    *,
    to: tuple[str, int],
    address: str = "127.0.0.1",
    in_flight: int = IN_FLIGHT,
    patience: float = PATIENCE_SECONDS,
) -> Exchanged:
    """Send all packets, made with `identifier` in their order, from `address`, and take the answers.

    Nothing is sent twice: what has no answer when nothing came for `patience` seconds is lost.
    """
    result, waiting = Exchanged(), dict[tuple[int, int], float]()
    store = iter(enumerate(packets))
    with selectors.DefaultSelector() as selector:
        lines = [_line(address, to) for _ in range(LINES)]
        for at, line in enumerate(lines):
            selector.register(line, selectors.EVENT_READ, at)
        started = time.perf_counter()
        _send(store, lines, waiting, in_flight)
        while waiting:
            ready = selector.select(patience)
            if not ready:
                break
            for key, _ in ready:
                _take(lines[key.data], key.data, waiting, result)
            _send(store, lines, waiting, in_flight - len(waiting))
        result.seconds = time.perf_counter() - started
        for line in lines:
            line.close()
    result.lost = len(packets) - len(result.codes)
    return result


def _line(address: str, to: tuple[str, int]) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.bind((address, 0))
    line.connect(to)
    line.setblocking(False)
    return line


def _send(
    store: Iterator[tuple[int, bytes]],
    lines: Sequence[socket.socket],
    waiting: dict[tuple[int, int], float],
    most: int,
) -> None:
    for _ in range(most):
        number, packet = next(store, (0, b""))
        if not packet:
            return
        line = number // IDENTIFIERS % LINES
        waiting[line, packet[1]] = time.perf_counter()
        lines[line].send(packet)


def _take(line: socket.socket, at: int, waiting: dict[tuple[int, int], float], result: Exchanged) -> None:
    while True:
        try:
            answer = line.recv(4096)
        except BlockingIOError:
            return
        sent = waiting.pop((at, answer[1]), None)
        if sent is not None:
            result.codes.append(answer[0])
            result.waits.append(time.perf_counter() - sent)
