"""Local days and months: where they begin and end, and the hours in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end), in UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        return int((self.end - self.start).total_seconds())


def span_of(day: date, zone: str) -> Span:
    """The local day: 23, 24 or 25 hours."""
    return Span(_midnight(day, zone), _midnight(day + DAY, zone))


def hours_of(day: date, zone: str) -> Iterator[tuple[int, Span]]:
    """Each hour that the day has, with what the wall clock shows then; an hour that comes twice is given twice.

    Zones whose clock is off by less than an hour have hours that begin at their own full hour.
    """
    whole, place = span_of(day, zone), ZoneInfo(zone)
    start = whole.start
    while start < whole.end:
        end = min(start + HOUR, whole.end)
        yield start.astimezone(place).hour, Span(start, end)
        start = end


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def next_month(day: date) -> date:
    """The first day of the month after this one."""
    return first_of_month(first_of_month(day) + timedelta(days=32))


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    while first <= last:
        yield first
        first += DAY


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)
