"""The creatives on show, remembered for two seconds, and the choice among them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from ads.choice import Candidate, ImpressionContext, choose, eligible
from ads.models import Creative
from ads.running import running
from db.engine import SessionMaker, reading

FRESH_SECONDS = 2.0


@dataclass(slots=True)
class CreativeCache:
    """Chooses what is shown. The objects are detached; nobody may change them."""

    make_session: SessionMaker
    _read_at: float = field(default=float("-inf"), init=False)
    _running: dict[int, tuple[Candidate, Creative]] = field(default_factory=dict, init=False)

    def choose(self, moment: ImpressionContext, rng: random.Random) -> Creative | None:
        """What to show at this moment; None where nothing is eligible."""
        # One reading for all of it: another thread may put a fresh one in place meanwhile.
        on_show = self._fresh()
        chosen = choose(eligible([candidate for candidate, _ in on_show.values()], moment), rng)
        return None if chosen is None else on_show[chosen.creative_id][1]

    def by_id(self, creative_id: int | None) -> Creative | None:
        entry = self._fresh().get(creative_id) if creative_id is not None else None
        return None if entry is None else entry[1]

    @property
    def fresh_seconds(self) -> float:
        """How long a change may take to be seen here."""
        return FRESH_SECONDS

    def forget(self) -> None:
        """Read the campaigns again for the next choice."""
        self._read_at = float("-inf")

    def _fresh(self) -> dict[int, tuple[Candidate, Creative]]:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            with reading(self.make_session) as db:
                self._running = running(db)
            self._read_at = time.monotonic()
        return self._running
