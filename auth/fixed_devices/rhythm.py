"""When a device's silence is unusual: learnt from its own days, within bounds. Pure.

The longest silence of each day is kept for two weeks. What is usual is the longest of them but one, so that one bad day
makes no rule; the alarm comes after one and a half times that, never before `LEAST` nor after `MOST`. Until
`KNOWN_DAYS` are known it comes after `UNLEARNT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

LEAST, MOST, UNLEARNT = timedelta(minutes=10), timedelta(hours=72), timedelta(hours=24)
KEPT_DAYS, KNOWN_DAYS = 14, 3
TIMES_USUAL = 1.5


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`usual` is None while it is being learnt, from `days` days so far. `alarm_after` is the silence that is told."""

    days: int
    usual: timedelta | None
    alarm_after: timedelta


def rhythm_of(silences: Mapping[str, int]) -> Rhythm:
    """The rhythm of a device with these longest silences, in seconds by ISO day."""
    known = sorted(silences.values())
    if len(known) < KNOWN_DAYS:
        return Rhythm(len(known), None, UNLEARNT)
    usual = timedelta(seconds=known[-2])
    return Rhythm(len(known), usual, min(max(usual * TIMES_USUAL, LEAST), MOST))


def learnt(silences: Mapping[str, int], day: date, silence: timedelta) -> dict[str, int]:
    """The silences with one that ended on `day`, of the last two weeks alone."""
    first = (day - timedelta(days=KEPT_DAYS)).isoformat()
    kept = {each: seconds for each, seconds in silences.items() if each > first}
    name = day.isoformat()
    return {**kept, name: max(kept.get(name, 0), int(silence.total_seconds()))}
