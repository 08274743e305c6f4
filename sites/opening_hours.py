"""What opening hours mean at an instant: open or closed, until when, from when. Intervals are half-open."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sites.opening_rules import DAY_MINUTES, Hours, InvalidHours, Span, parse, spans_on

__all__ = ["DAY_MINUTES", "Hours", "InvalidHours", "Span", "parse", "spans_on"]

# Longer than any gap between two public holidays: a run that lasts longer has no end.
HORIZON_DAYS = 370


def is_open(hours: Hours, at: datetime, zone: ZoneInfo) -> bool:
    if hours.always:
        return True
    return next((start <= at for start, _ in _runs(hours, at, zone)), False)


def closing(hours: Hours, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC) at which a place open at `at` closes; None when closed then, or never closing."""
    if hours.always:
        return None
    return next((end if start <= at else None for start, end in _runs(hours, at, zone)), None)


def opening(hours: Hours, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The instant (UTC) at which a place closed at `at` opens; None when it is open then, or never opens."""
    if hours.always:
        return None
    return next((start if start > at else None for start, _ in _runs(hours, at, zone)), None)


def open_between(
    hours: Hours, start: datetime, end: datetime, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The stretches of [start, end) in which the place is open, in order."""
    if hours.always:
        return [(start, end)]
    runs = itertools.takewhile(lambda run: run[0] < end, _runs(hours, start, zone))
    return [(max(opens, start), min(closes or end, end)) for opens, closes in runs]


def next_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    """The end (UTC) of the local day that holds `at`: 23, 24 or 25 hours after its beginning."""
    return _instant(_local_day(at, zone), DAY_MINUTES, zone)


def midnight_of(day: date, zone: ZoneInfo) -> datetime:
    """The beginning (UTC) of a local day."""
    return _instant(day, 0, zone)


def _runs(hours: Hours, at: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime | None]]:
    """Unbroken times of being open that end after `at`, in order; the end is None where none is in sight."""
    first = _local_day(at, zone) - timedelta(days=1)
    run: tuple[datetime, datetime] | None = None
    for day in (first + timedelta(days=number) for number in range(HORIZON_DAYS)):
        for start_minute, end_minute in spans_on(hours, day):
            # Of an hour that comes twice a place opens in the first and closes in the second.
            start = _instant(day, start_minute, zone)
            end = max(_instant(day, end_minute, zone), _instant(day, end_minute, zone, fold=1))
            if end <= max(at, start):
                continue
            if run and start <= run[1]:
                run = (run[0], max(run[1], end))
                continue
            if run:
                yield run
            run = (start, end)
    if run:
        yield run[0], None if run[1] >= _instant(day, DAY_MINUTES, zone) else run[1]


def _local_day(at: datetime, zone: ZoneInfo) -> date:
    if at.tzinfo is None:
        raise ValueError(f"{at!r} has no time zone")
    return at.astimezone(zone).date()


def _instant(day: date, minute: int, zone: ZoneInfo, *, fold: int = 0) -> datetime:
    """`minute` by the wall clock of `day`; a skipped hour is read by the clock before (RFC 5545, 3.3.5)."""
    days, minute = divmod(minute, DAY_MINUTES)
    clock = time(*divmod(minute, 60), tzinfo=zone, fold=fold)
    return datetime.combine(day + timedelta(days=days), clock).astimezone(UTC)
