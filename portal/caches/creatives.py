"""The creatives on show, remembered for two seconds, their pace for ten minutes, and the choice among them."""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError

from ads import explanation, overrides, pacing, running
from ads.choice import ChoiceTable, ImpressionContext, Pace, draw
from ads.models import CivicOverride, Creative
from ads.running import Progress, Shown
from db.engine import SessionMaker, reading

FRESH_SECONDS = 2.0
# How often the pace is planned anew, and how often it is seen who has reached a goal or a cap.
PLAN_EVERY = timedelta(minutes=10)
PROGRESS_EVERY = timedelta(seconds=10)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChosenCreative:
    """What is shown, and by what it was chosen: `ads.explanation` makes the same choice again.

    An override is shown in the place of a creative, and nobody has to wait for it.
    """

    creative: Creative | None
    draw: int | None = None
    previous: int | None = None
    digest: str | None = None
    override: CivicOverride | None = None

    @property
    def message(self) -> Creative | CivicOverride | None:
        return self.override or self.creative


# Where nothing is to be shown at all.
NOTHING = ChosenCreative(None)


@dataclass(frozen=True, slots=True)
class _OnShow:
    """One reading of the campaigns, and what was made of it. Replaced as a whole."""

    shown: Shown = field(default_factory=dict)
    version: tuple[int, ...] = ()
    table: ChoiceTable = field(default_factory=lambda: ChoiceTable([]))
    digest: str = ""
    progress: Progress = field(default_factory=lambda: Progress({}, frozenset()))
    planned_at: datetime | None = None
    seen_at: datetime | None = None
    dated_at: datetime | None = None


@dataclass(slots=True)
class CreativeCache:
    """Chooses what is shown. The objects are detached; nobody may change them."""

    make_session: SessionMaker
    # The town's.
    zone: ZoneInfo
    _read_at: float = field(default=float("-inf"), init=False)
    _on_show: _OnShow = field(default_factory=_OnShow, init=False)
    _overrides: list[CivicOverride] = field(default_factory=list, init=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, init=False)

    def override(self, site: str, *, now: datetime) -> CivicOverride | None:
        """The crisis message at this site: the newest, where there are several."""
        self._fresh(now)
        return next((one for one in reversed(self._overrides) if one.holds(site, now)), None)

    def choose(self, moment: ImpressionContext, rng: random.Random) -> ChosenCreative:
        """What to show at this moment; its creative is None where nothing is eligible."""
        # One reading for all of it: another thread may put a fresh one in place meanwhile.
        on_show = self._fresh(moment.now)
        found = on_show.table.options(moment)
        number, previous = draw(found, moment, rng)
        picked = None if number is None else found.pick(number, previous=previous)
        creative = None if picked is None else on_show.shown[picked][1]
        return ChosenCreative(creative, number, previous, on_show.digest)

    def still(self, creative_id: int, moment: ImpressionContext) -> Creative | None:
        """This creative, where it may be shown at this moment too."""
        on_show = self._fresh(moment.now)
        is_shown = creative_id in on_show.table.options(moment).places and creative_id not in moment.hidden
        return on_show.shown[creative_id][1] if is_shown else None

    def by_id(self, creative_id: int | None, *, now: datetime) -> Creative | None:
        entry = self._fresh(now).shown.get(creative_id) if creative_id is not None else None
        return None if entry is None else entry[1]

    @property
    def fresh_seconds(self) -> float:
        """How long a change may take to be seen here."""
        return FRESH_SECONDS

    def forget(self) -> None:
        """Read the campaigns again for the next choice."""
        self._read_at, self._on_show = float("-inf"), _OnShow()

    def _fresh(self, now: datetime) -> _OnShow:
        if self._is_old():
            # One reads, and who comes meanwhile waits for it.
            with self._reading:
                if self._is_old():
                    self._on_show = self._renewed(self._on_show, now)
                    self._read_at = time.monotonic()
        return self._on_show

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at > FRESH_SECONDS

    def _renewed(self, old: _OnShow, now: datetime) -> _OnShow:
        with reading(self.make_session) as db:
            self._overrides = overrides.standing(db, now=now)
            version = running.version(db)
            is_same = version == old.version and old.planned_at is not None
            if is_same and not _is_due(old.seen_at, PROGRESS_EVERY, now):
                return old
            shown = old.shown if is_same else running.running(db, self.zone)
            progress = running.progress(db, shown, day=now.astimezone(self.zone).date())
            if (
                is_same
                and progress.spent == old.progress.spent
                and not _is_due(old.planned_at, PLAN_EVERY, now)
            ):
                return _OnShow(
                    shown, version, old.table, old.digest, progress, old.planned_at, now, old.dated_at
                )
            shares: tuple[tuple[int, float], ...] = ()
            if goals := running.goals_of(shown, progress):
                shares = pacing.plan(goals, running.places(db, now=now), now=now).shares
        pace = Pace(shares, progress.spent)
        table = old.table if is_same else ChoiceTable([candidate for candidate, _ in shown.values()])
        recorded = explanation.record(table.candidates, pace)
        dated_at = old.dated_at
        if recorded.digest != old.digest or _is_due(dated_at, explanation.DATED_EVERY, now):
            dated_at = self._keep(recorded, now)
        return _OnShow(shown, version, table.paced(pace), recorded.digest, progress, now, now, dated_at)

    def _keep(self, recorded: explanation.Recorded, now: datetime) -> datetime | None:
        """Write down what is chosen from. Nobody waits for it: a page is shown although it cannot be written."""
        try:
            with self.make_session.begin() as db:
                explanation.keep(db, recorded, now=now)
        except SQLAlchemyError as error:
            log.warning("what is chosen from could not be written down: %s", type(error).__name__)
            return None
        return now


def _is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Also where the clock went back."""
    return last is None or not timedelta(0) <= now - last < every
