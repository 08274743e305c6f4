"""Rows that may wait: remembered in this process for a moment and written down together, so that no page waits for one.

What a process that is killed had still in memory is lost: at most what came in two seconds, or since its last request.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from db.engine import SessionMaker

WRITTEN_EVERY_SECONDS = 2.0
# With so many waiting they are written at once; while the database is away no more than `MOST_KEPT` are kept.
MANY, MOST_KEPT = 200, 10_000
log = logging.getLogger(__name__)
Row = TypeVar("Row")


class WriteBehind(ABC, Generic[Row]):
    """Rows by a key of theirs, the newest of each. Of all threads."""

    # What they are, for the log.
    name = "rows"

    def __init__(self, make_session: SessionMaker) -> None:
        self.make_session = make_session
        self._waiting: dict[object, Row] = {}
        self._written_at = float("-inf")
        self._lock = threading.Lock()

    @abstractmethod
    def write_rows(self, rows: list[Row]) -> None:
        """Write them in a transaction of their own that waits for no lock. Harmless to repeat."""

    def put(self, key: object, row: Row) -> None:
        """Remember it, in the place of the former one with this key."""
        with self._lock:
            if len(self._waiting) < MOST_KEPT or key in self._waiting:
                self._waiting[key] = row

    def write_if_due(self) -> None:
        """Write what waits, where it has waited for long enough. Called after every request."""
        waited = time.monotonic() - self._written_at
        if self._waiting and (waited >= WRITTEN_EVERY_SECONDS or len(self._waiting) >= MANY):
            self.write()

    def write(self) -> None:
        """Write all that waits; what cannot be written now waits on, but for what has become newer meanwhile."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
            self._written_at = time.monotonic()
        if not taken:
            return
        try:
            self.write_rows(list(taken.values()))
        except SQLAlchemyError as error:
            log.warning("%s could not be written down: %s", self.name, type(error).__name__)
            with self._lock:
                self._waiting = taken | self._waiting
