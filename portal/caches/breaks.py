"""Breaks that have begun, remembered for a moment and written down together: no page waits for a write of its own.

What a process that is killed had still in memory is lost: whoever comes back sees the message from its beginning.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from ads import breaks
from ads.breaks import Break
from db.engine import SessionMaker, best_effort, reading

WRITTEN_EVERY_SECONDS = 2.0
# With so many waiting they are written at once; while the database is away no more than `MOST_KEPT` are kept.
MANY, MOST_KEPT = 200, 10_000
log = logging.getLogger(__name__)


@dataclass(slots=True)
class BreakCache:
    """The breaks of all clients: those that this process began a moment ago, and those in the database."""

    make_session: SessionMaker
    _waiting: dict[str, Break] = field(default_factory=dict, init=False)
    _written_at: float = field(default=float("-inf"), init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def find(self, subject: str, *, now: datetime) -> Break | None:
        """The break that this client is in, if any."""
        waiting = self._waiting.get(subject)
        with reading(self.make_session) as db:
            if waiting is None:
                return breaks.find(db, subject, now=now)
            is_over = now - waiting.began_at >= breaks.BREAK_LIFE
            return None if is_over or breaks.is_spent(db, waiting.nonce) else waiting

    def begin(self, one: Break) -> None:
        """Remember it, in the place of this client's former one."""
        with self._lock:
            if len(self._waiting) < MOST_KEPT:
                self._waiting[one.subject] = one

    def write_if_due(self) -> None:
        """Write what waits, where it has waited for long enough. Called after every request."""
        waited = time.monotonic() - self._written_at
        if self._waiting and (waited >= WRITTEN_EVERY_SECONDS or len(self._waiting) >= MANY):
            self.write()

    def write(self) -> None:
        """Write all that waits; what cannot be written now waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
            self._written_at = time.monotonic()
        try:
            with best_effort(self.make_session) as db:
                breaks.write(db, taken.values())
        except SQLAlchemyError as error:
            log.warning("breaks that have begun could not be written down: %s", type(error).__name__)
            with self._lock:
                self._waiting = taken | self._waiting
