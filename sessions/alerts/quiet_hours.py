"""Hours in which nobody is to be woken. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_TIME = re.compile(r"([01]?[0-9]|2[0-3])\s*[:hH.]\s*([0-5][0-9])?")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes of the day by the town's clocks, half-open: from 22:00 to 07:00 is ``QuietHours(1320, 420)``."""

    begin: int
    end: int

    def hold(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether `at` is in them."""
        local = at.astimezone(zone)
        minute = local.hour * 60 + local.minute
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def read_time(text: str) -> int:
    """The minute of the day of ``22:00``, ``22h`` or ``7.30``. Raises ValueError."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:20]!r} is no time of day such as 22:00")
    return int(found[1]) * 60 + int(found[2] or 0)


def write_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
