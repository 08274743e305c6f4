"""Messages that pages had. Of what was not written when a process was killed only what was accepted counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ads.ledger import served
from ads.ledger.served import Served
from db.engine import SessionMaker, best_effort
from portal.caches.write_behind import WriteBehind


class ServedBuffer(WriteBehind[Served]):
    """What was served by this process and is not written yet."""

    name = "messages served"

    def __init__(self, make_session: SessionMaker, clock: Callable[[], datetime]) -> None:
        super().__init__(make_session)
        self.clock = clock

    def write_rows(self, rows: list[Served]) -> None:
        with best_effort(self.make_session) as db:
            served.write(db, rows, now=self.clock())

    def add(self, entry: Served) -> None:
        """Remember it: one message may be told of more than once, each time with what has become known."""
        self.put(entry, entry)
