"""When gateways were silent: about once a month each, for minutes mostly, for hours now and then."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from random import Random

from lab.history.habits import Place
from lab.history.wish import Wish

MEAN_GAP = 25 * 86400.0
MEDIAN_LENGTH, SPREAD = 900.0, 1.2
SHORTEST, LONGEST = 150.0, 12 * 3600.0


@dataclass(frozen=True, slots=True)
class Silence:
    """The silent times of one gateway, in order: since, until."""

    since: tuple[float, ...]
    until: tuple[float, ...]

    def covers(self, at: float) -> bool:
        before = bisect_right(self.since, at) - 1
        return before >= 0 and at < self.until[before]

    def over(self, at: float) -> float:
        """`at`, or some time in the first minutes after the silence that `at` falls into."""
        before = bisect_right(self.since, at) - 1
        if before < 0 or at >= self.until[before]:
            return at
        return self.until[before] + (at - self.since[before]) % 300.0

    def life(self, at: float) -> int:
        """How often the gateway has begun anew until `at`: its counters begin with it."""
        return bisect_right(self.since, at)


def silences(places: Sequence[Place], wish: Wish, rng: Random) -> list[Silence]:
    return [_silence(place, wish, rng) for place in places]


def _silence(place: Place, wish: Wish, rng: Random) -> Silence:
    at = datetime.combine(wish.begins, time(), place.zone).timestamp()
    since, until = [], []
    while (at := at + rng.expovariate(1 / MEAN_GAP)) < wish.ends.timestamp():
        since.append(at)
        length = rng.lognormvariate(math.log(MEDIAN_LENGTH), SPREAD)
        at += min(LONGEST, max(SHORTEST, length))
        until.append(at)
    return Silence(tuple(since), tuple(until))
