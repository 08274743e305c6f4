"""Breaks that have begun. One that was not written when a process was killed begins again."""

from __future__ import annotations

from datetime import datetime

from ads import breaks
from ads.breaks import Break
from db.engine import best_effort, reading
from portal.caches.write_behind import WriteBehind


class BreakCache(WriteBehind[Break]):
    """The breaks of all clients: those that this process began a moment ago, and those in the database."""

    name = "breaks that have begun"

    def write_rows(self, rows: list[Break]) -> None:
        with best_effort(self.make_session) as db:
            breaks.write(db, rows)

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
        self.put(one.subject, one)
