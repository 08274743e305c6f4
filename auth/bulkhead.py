"""Bulkhead and circuit breaker for a slow or failing service.

Sign-ins share their threads with all other requests. A directory that does not answer may hold a few of them, never
all: the bulkhead bounds the calls in progress, and its queue accepts no more once those calls stall.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)


class FullBulkhead(Exception):
    """All slots and the queue are full, or the calls in progress have stalled."""


class OpenBreaker(Exception):
    """Too many failures in a row; the next probe is due in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Bulkhead:
    """At most `slots` at once; at most `queue` wait, and none longer than `wait_seconds`.

    When every slot has been held for `stall_seconds`, the service counts as stalled and the queue takes no more.
    """

    def __init__(
        self, *, slots: int, queue: int, wait_seconds: float = 0.5, stall_seconds: float = 0.5
    ) -> None:
        self._slots = slots
        self._queue = queue
        self._wait_seconds = wait_seconds
        self._stall_seconds = stall_seconds
        self._lock = threading.Lock()
        self._held: dict[object, float] = {}
        self._waiting: deque[threading.Event] = deque()

    def slot(self) -> Slot:
        """Hold a slot for the block. Raises `FullBulkhead` instead of waiting in vain."""
        return Slot(self)

    def enter(self) -> object:
        """Take a slot, which `leave` gives back; as `slot` does for a block."""
        with self._lock:
            if len(self._held) < self._slots:
                holder = object()
                self._held[holder] = time.monotonic()
                return holder
            if len(self._waiting) >= self._queue or self._is_stalled():
                raise FullBulkhead
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(self._wait_seconds):
            return turn
        with self._lock:
            if turn.is_set():
                return turn
            self._waiting.remove(turn)
        raise FullBulkhead

    def leave(self, holder: object) -> None:
        """Hand the slot to the longest waiter: a newcomer would otherwise always be faster."""
        with self._lock:
            del self._held[holder]
            if self._waiting:
                turn = self._waiting.popleft()
                self._held[turn] = time.monotonic()
                turn.set()

    def _is_stalled(self) -> bool:
        return time.monotonic() - max(self._held.values()) > self._stall_seconds


class Slot:
    """One slot, for the block of a ``with``."""

    __slots__ = ("_bulkhead", "_holder")

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead

    def __enter__(self) -> None:
        self._holder = self._bulkhead.enter()

    def __exit__(self, *_fault: object) -> None:
        self._bulkhead.leave(self._holder)


class Shares:
    """At most `most` at once for each name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()

    @contextmanager
    def share(self, name: str) -> Iterator[None]:
        """Hold one for the block. Raises `FullBulkhead` at once where the name has all of its own."""
        with self._lock:
            if self._held[name] >= self._most:
                raise FullBulkhead
            self._held[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[name] -= 1
                if not self._held[name]:
                    del self._held[name]


class Breaker:
    """Opens after `failures` in a row, then lets one probe through every `probe_seconds`, and closes on a
    success.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 3,
        probe_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._limit = failures
        self._probe_seconds = probe_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._probe_at = 0.0

    def admit(self) -> None:
        """Admit a call, as a probe where the breaker is open and one is due. Raises `OpenBreaker`."""
        with self._lock:
            if self._failures < self._limit:
                return
            now = self._clock()
            if now < self._probe_at:
                raise OpenBreaker(self._probe_at - now)
            # Counted from the start of the probe: one that hangs for its whole deadline delays no other.
            self._probe_at = now + self._probe_seconds

    def failed(self, reason: str) -> None:
        with self._lock:
            self._failures += 1
            if self._failures == self._limit:
                self._probe_at = self._clock() + self._probe_seconds
                log.error("circuit breaker open for %s: %s", self._name, reason, extra={"reason": reason})

    def succeeded(self) -> None:
        with self._lock:
            if self._failures >= self._limit:
                log.warning("circuit breaker closed for %s: it answers again", self._name)
            self._failures = 0
