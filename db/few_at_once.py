"""Few short transactions of one process at one time.

Guests' acts at one gateway wait for the same row, its feed's version. On PostgreSQL each waits with a connection of
its own, and the server takes a fifth more processor time for sixteen at once than for four (docs/adr/0018). So they
wait here, before they begin.

It is no lock: nothing depends on it, and whoever has waited for long goes ahead. A disk that is slow to flush has
many commits under way at one time, and a transaction that is stuck holds up nobody but those who need its rows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# In each process. More, and they get in each other's way; one alone leaves the processors idle.
MOST = 2
# Some twenty times what such a transaction takes.
LONGEST_SECONDS = 0.05
# What an engine's execution options hold it by.
FEW_AT_ONCE = "arobase_few_at_once"


class FewAtOnce:
    """At most `most` at one time, but for those that have waited for `longest_seconds`."""

    def __init__(self, most: int = MOST, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._free = threading.Semaphore(most)
        self._longest_seconds = longest_seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a place, and have it for the block."""
        has_place = self._free.acquire(timeout=self._longest_seconds)
        try:
            yield
        finally:
            if has_place:
                self._free.release()
