"""The database's troubles in the log: each once while it lasts, and once that it is over."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field

from db.troubles import Trouble

log = logging.getLogger(__name__)

# A trouble that has not occurred for so long is logged again when it comes back.
FORGET_SECONDS = 600.0


@dataclass(slots=True)
class FaultLog:
    """What this process has told. Refusals come in crowds; the log says each trouble once."""

    _logged: dict[Trouble, float] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def tell(self, trouble: Trouble) -> None:
        """Say in the log that there is this trouble, unless that was said."""
        now = time.monotonic()
        with self._lock:
            met_before = self._logged.get(trouble)
            self._logged[trouble] = now
        if met_before is None or now - met_before > FORGET_SECONDS:
            log.error("database unavailable: %s", trouble.value)

    def over(self) -> None:
        """The database was written to: say so once, if there was a trouble."""
        with self._lock:
            recent, self._logged = self._logged, {}
        if recent:
            log.warning("database available again")
