"""Writing refusals down beside the page, never in front of it."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from db.engine import SessionMaker, best_effort
from sessions.log import denials
from sessions.log.denials import LoggedDenial

log = logging.getLogger(__name__)

# After a failure the database is left alone for so long: refusals come in crowds when something is wrong.
PAUSE_SECONDS = 5.0


@dataclass(slots=True)
class Recorder:
    """Writes refusals down as long as that works. One for each process."""

    make_session: SessionMaker
    _resting_until: float = field(default=float("-inf"), init=False)

    def write(self, refused: LoggedDenial, *, now: datetime) -> str | None:
        """Write a refusal down; its code, or None where that did not work at once or was not tried."""
        if time.monotonic() < self._resting_until:
            return None
        try:
            with best_effort(self.make_session) as db:
                return denials.note(db, refused, now=now)
        except SQLAlchemyError as error:
            self._resting_until = time.monotonic() + PAUSE_SECONDS
            log.warning("denial not recorded: %s", type(error).__name__)
            return None
