"""A receipt printer for tests: it takes ESC/POS on a TCP port, command by command, and tells how it does as Epson's do.

It knows the commands of `portal.printing.receipts` and refuses every other: one that is not understood would come out
as signs on the paper.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

# How many bytes of parameters follow each command of two bytes.
PARAMETERS = {
    b"\x1b@": 0,
    b"\x1bt": 1,
    b"\x1ba": 1,
    b"\x1bE": 1,
    b"\x1bJ": 1,
    b"\x1d!": 1,
    b"\x1dV": 2,
    b"\x1dr": 1,
    b"\x10\x04": 1,
}
WELL = 0x12
PAPER_OUT, COVER_OPEN, BROKEN = 0x20, 0x04, 0x40


@dataclass
class Paper:
    """One receipt in words: its lines as they stand on the paper, with ``[QR …]`` where a code is."""

    lines: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def codes(self) -> list[str]:
        return [line.removeprefix("[QR ").removesuffix("]") for line in self.lines if line.startswith("[QR ")]


@dataclass
class ReceiptPrinter:
    """`receipts` are those that were cut, and the roll ends within the one after `rolls_for`. `is_mute`: it says
    nothing, though it takes what it is sent; `is_stuck`: it prints nothing. `cause` is what it says of being off line.
    """

    host: str = "127.0.0.1"
    port: int = 0
    receipts: list[Paper] = field(default_factory=list)
    rolls_for: int = 1_000_000
    has_run_out: bool = False
    is_mute: bool = False
    is_stuck: bool = False
    cause: int = WELL
    unknown: list[bytes] = field(default_factory=list)
    # Set when a connection has been read to its end.
    read: threading.Event = field(default_factory=threading.Event)

    @property
    def has_paper(self) -> bool:
        return not self.has_run_out or len(self.receipts) < self.rolls_for

    def serve(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            _Reader(self, line).run()
        self.read.set()


class _Reader:
    def __init__(self, printer: ReceiptPrinter, line: socket.socket) -> None:
        self._printer = printer
        self._line = line
        self._waiting = bytearray()
        self._paper = Paper()
        self._text = bytearray()
        self._stored = ""
        self._codepage = b"\x00"

    def run(self) -> None:
        while data := self._line.recv(4096):
            self._waiting += data
            # What is asked in real time is answered before what waits.
            while (at := self._waiting.find(b"\x10\x04")) >= 0 and at + 2 < len(self._waiting):
                asked = self._waiting[at + 2]
                del self._waiting[at : at + 3]
                self._tell(asked)
            while self._printer.has_paper and not self._printer.is_stuck and self._obey():
                pass

    def _tell(self, asked: int) -> None:
        if self._printer.is_mute:
            return
        gone = 0 if self._printer.has_paper else 0x60
        stopped = 0 if self._printer.has_paper else PAPER_OUT
        state = {2: self._printer.cause | stopped, 4: WELL | gone}[asked]
        self._line.sendall(bytes([state]))

    def _obey(self) -> bool:
        """Carry one command or sign out; False where more has to come first."""
        waiting = self._waiting
        if not waiting:
            return False
        if waiting[:3] == b"\x1d(k"[: len(waiting)]:
            if len(waiting) < 5 or len(waiting) < 5 + int.from_bytes(waiting[3:5], "little"):
                return False
            length = 5 + int.from_bytes(waiting[3:5], "little")
            self._symbol(bytes(waiting[5:length]))
        elif waiting[0] in (0x1B, 0x1D, 0x10):
            if len(waiting) < 2:
                return False
            head = bytes(waiting[:2])
            if head not in PARAMETERS:
                self._printer.unknown.append(head)
            length = 2 + PARAMETERS.get(head, 0)
            if len(waiting) < length:
                return False
            self._command(head, bytes(waiting[2:length]))
        else:
            length = 1
            self._sign(waiting[0])
        del waiting[:length]
        return True

    def _sign(self, sign: int) -> None:
        if sign == 0x0A:
            assert self._codepage == b"\x10" or self._text.isascii()
            self._paper.lines.append(self._text.decode("cp1252"))
            self._text.clear()
            self._printer.has_run_out = len(self._printer.receipts) >= self._printer.rolls_for
        else:
            self._text.append(sign)

    def _symbol(self, parameters: bytes) -> None:
        if parameters.startswith(b"1P0"):
            self._stored = parameters[3:].decode()
        elif parameters.startswith(b"1Q0"):
            self._paper.lines.append(f"[QR {self._stored}]")

    def _command(self, head: bytes, parameters: bytes) -> None:
        if head == b"\x1bt":
            self._codepage = parameters
        elif head == b"\x1dV":
            self._printer.receipts.append(self._paper)
            self._paper = Paper()
        elif head == b"\x1dr" and not self._printer.is_mute:
            self._line.sendall(b"\x00")


@contextmanager
def receipt_printer(host: str = "127.0.0.1") -> Iterator[ReceiptPrinter]:
    """A printer on one of the ports that printers have."""
    with _listening(host) as listener:
        printer = ReceiptPrinter(host, listener.getsockname()[1])

        def accept() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=printer.serve, args=(line,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield printer
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _listening(host: str) -> socket.socket:
    for port in range(9100, 9200):
        with suppress(OSError):
            return socket.create_server((host, port))
    raise AssertionError("every port of printers is taken")
