"""Messages that pages had, remembered for a moment and written down together: no page waits for a write of its own.

What a process that is killed had still in memory is lost: the pages of the last seconds, which then count only where
their message was accepted.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from ads.ledger import served
from ads.ledger.served import Served
from db.engine import SessionMaker, best_effort

WRITTEN_EVERY_SECONDS = 2.0
# With so many waiting they are written at once; while the database is away no more than `MOST_KEPT` are kept.
MANY, MOST_KEPT = 200, 10_000
log = logging.getLogger(__name__)


@dataclass(slots=True)
class ServedBuffer:
    """What was served by this process and is not written yet. Of all threads."""

    make_session: SessionMaker
    _waiting: list[Served] = field(default_factory=list, init=False)
    _written_at: float = field(default_factory=time.monotonic, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def add(self, entry: Served) -> None:
        """Remember it."""
        with self._lock:
            if len(self._waiting) < MOST_KEPT:
                self._waiting.append(entry)

    def write_if_due(self, now: datetime) -> None:
        """Write what waits, where it has waited for long enough. Called after every request."""
        waited = time.monotonic() - self._written_at
        if self._waiting and (waited >= WRITTEN_EVERY_SECONDS or len(self._waiting) >= MANY):
            self.write(now)

    def write(self, now: datetime) -> None:
        """Write all that waits; what cannot be written now waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._written_at = time.monotonic()
        if not taken:
            return
        try:
            with best_effort(self.make_session) as db:
                served.write(db, taken, now=now)
        except SQLAlchemyError as error:
            log.warning("messages served could not be written down: %s", type(error).__name__)
            with self._lock:
                self._waiting = (taken + self._waiting)[:MOST_KEPT]
