"""Receipts handed to a printer on the network: ESC/POS over TCP, as print servers take it on port 9100.

The printer is asked how it does before the first receipt (DLE EOT), and after each whether it has taken it (GS r, which
it answers in its turn), so that a ticket counts as printed once the printer has come to its end. All is over in a few
seconds, whatever the printer does: what is left then is printed by the next call.
"""

from __future__ import annotations

import contextlib
import enum
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auth.patrons.ldap.connection import BrokenConnection, DeadlineSocket, connect

# For a whole call. A quarter of it is for the connection, and a quarter for the printer to say how it does; receipts
# are begun in its first half, since the slowest printer takes three seconds for one.
CALL_SECONDS = 6.0

# Asked in real time, before anything that waits in its buffer: the cause of being off line, and the roll (DLE EOT n).
# Each answer is a byte in which four bits never change.
OFFLINE_CAUSE, ROLL = b"\x10\x04\x02", b"\x10\x04\x04"
STATE_MASK, STATE_BITS = 0x93, 0x12
COVER_OPEN, STOPPED_BY_PAPER, IN_ERROR = 0x04, 0x20, 0x40
ROLL_ENDED = 0x60
# Asked in its turn: whether there is paper (GS r 1).
IN_TURN = b"\x1dr\x01"
TURN_MASK = 0x90
TURN_ROLL_ENDED = 0x0C


class Fault(enum.StrEnum):
    """Why a printer takes no more."""

    UNREACHABLE = "unreachable"
    # It took the connection, and says nothing.
    SILENT = "silent"
    NO_PAPER = "no_paper"
    COVER = "cover"
    # Its cutter or its head: it wants to be switched off and on.
    BROKEN = "broken"
    # It says that it is well, and has not printed the receipt in time.
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many of the receipts the printer has taken, from the first on, and why it takes no more; a call that was
    over in time has no fault, and may have left some."""

    count: int
    fault: Fault | None = None


class _Stopped(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def deliver(
    receipts: Sequence[bytes],
    *,
    host: str,
    port: int,
    answers: bool,
    allowed: Callable[[str], bool],
    seconds: float = CALL_SECONDS,
) -> Delivery:
    """Print as many of `receipts` as there is time for. `answers` says whether this printer tells how it does;
    `allowed`, which addresses the host may have. Nothing of the receipts is kept or logged."""
    began = time.monotonic()
    try:
        line = connect(host.strip("[]"), port, began + seconds / 4, allowed=allowed)
    except BrokenConnection:
        return Delivery(0, Fault.UNREACHABLE)
    taken = 0
    with contextlib.closing(line):
        printer = _Printer(line, began + seconds, seconds / 4)
        try:
            if answers:
                printer.check()
            for receipt in receipts:
                if taken and time.monotonic() > began + seconds / 2:
                    break
                printer.take(receipt, answers=answers)
                taken += 1
            return Delivery(taken)
        except _Stopped as stop:
            return Delivery(taken, stop.fault)


class _Printer:
    """A printer on a line that ends by `deadline`, with so many seconds to say how it does."""

    def __init__(self, line: DeadlineSocket, deadline: float, state_seconds: float) -> None:
        self._line = line
        self._deadline = deadline
        self._state_seconds = state_seconds
        # What it has said in its turn, since the last receipt.
        self._turn: int | None = None

    def check(self) -> None:
        """Raises `_Stopped` where it says that it does not print, or says nothing."""
        self._line.allow(time.monotonic() + self._state_seconds)
        try:
            self._line.sendall(OFFLINE_CAUSE)
            cause = self._answer(STATE_MASK, STATE_BITS)
            self._line.sendall(ROLL)
            roll = self._answer(STATE_MASK, STATE_BITS)
        except OSError as error:
            raise _Stopped(Fault.SILENT) from error
        if cause & COVER_OPEN:
            raise _Stopped(Fault.COVER)
        if roll & ROLL_ENDED or cause & STOPPED_BY_PAPER:
            raise _Stopped(Fault.NO_PAPER)
        if cause & IN_ERROR:
            raise _Stopped(Fault.BROKEN)

    def take(self, receipt: bytes, *, answers: bool) -> None:
        """Have it print this, and wait until it has. Raises `_Stopped`."""
        # Asking why it has not is part of the call.
        last = self._deadline - (self._state_seconds if answers else 0.0)
        self._turn = None
        self._line.allow(last)
        try:
            self._line.sendall(receipt + (IN_TURN if answers else b""))
        except OSError as error:
            if answers:
                self.check()
            raise _Stopped(Fault.SLOW) from error
        while answers and self._turn is None:
            self._line.allow(min(time.monotonic() + self._state_seconds, last))
            try:
                self._answer(TURN_MASK, 0)
            except OSError as error:
                self.check()
                if self._turn is None and time.monotonic() >= last:
                    raise _Stopped(Fault.SLOW) from error
        if self._turn and self._turn & TURN_ROLL_ENDED:
            raise _Stopped(Fault.NO_PAPER)

    def _answer(self, mask: int, bits: int) -> int:
        """The next byte that is an answer of this form: a printer may say other things unasked. Raises OSError."""
        while True:
            said = self._line.recv(1)
            if not said:
                raise ConnectionAbortedError
            if said[0] & TURN_MASK == 0:
                self._turn = said[0]
            if said[0] & mask == bits:
                return said[0]
