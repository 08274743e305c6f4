"""Days and times as people write them: a date picker, a letter, somebody on the telephone. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, time

_DAY = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_CLOCK = re.compile(r"([01]?\d|2[0-3])(?: ?[:.hH] ?([0-5]\d)(?::([0-5]\d))?| ?[hH])")


def read_instant(text: str) -> datetime:
    """A day with or without a time: "2026-11-27T14:10", "27/11/2026 14:10", "27.11.2026 à 14h10", "31/03/2027".

    Without a time it is the midnight that begins the day; without an offset it is naive. Raises `ValueError`.
    """
    words = " ".join(text.split())
    day = _DAY.match(words)
    if day is None:
        return datetime.fromisoformat(words)
    at = date(int(day[3]), int(day[2]), int(day[1]))
    rest = words[day.end() :].strip(" ,").removeprefix("à ").removeprefix("at ")
    return datetime.combine(at, read_clock(rest) if rest else time.min)


def read_day(text: str) -> date:
    """A day alone: "2027-03-31", "31/03/2027", "31.3.2027". Raises `ValueError`."""
    words = text.strip()
    day = _DAY.fullmatch(words)
    return date(int(day[3]), int(day[2]), int(day[1])) if day else date.fromisoformat(words)


def read_clock(text: str) -> time:
    """A time of day: "14:10", "14h10", "14.10", "14 h". Raises `ValueError`."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        raise ValueError(text)
    return time(int(clock[1]), int(clock[2] or 0), int(clock[3] or 0))
