"""Opening hours as text, in a subset of OpenStreetMap's notation, and what they mean at an instant.

``Mo-Fr 09:00-18:30; Sa 10:00-12:00,14:00-17:00; PH off`` or ``24/7``. A later rule replaces an earlier one
for the same days; days nobody names are closed; a span whose end is before its start runs past midnight; PH
are the public holidays of France. Intervals are half-open.
(wiki.openstreetmap.org/wiki/Key:opening_hours/specification)
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sites.holidays import public_holidays

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH")
DAY_MINUTES = 24 * 60
# Longer than any gap between two public holidays: a run that lasts longer has no end.
HORIZON_DAYS = 370

# Minutes after the day's midnight; the end may lie in the next day.
Span = tuple[int, int]

_RULE = re.compile(r"(?:(?P<days>[A-Za-z,\- ]*[A-Za-z])\s+)?(?P<spans>off|closed|[0-9:,\- ]+)")
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:(24):(00)|([01]\d|2[0-3]):([0-5]\d))")


class InvalidHours(ValueError):
    """The text is not opening hours; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Spans for each weekday from Monday, and for public holidays (None: a holiday is like any other day)."""

    week: tuple[tuple[Span, ...], ...]
    holiday: tuple[Span, ...] | None = None
    always: bool = False


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Hours:
    """Read opening hours; raises InvalidHours."""
    if text.strip() == "24/7":
        return Hours(week=(((0, DAY_MINUTES),),) * 7, always=True)
    days: dict[int, tuple[Span, ...]] = {}
    for rule in text.strip().removesuffix(";").split(";"):
        match = _RULE.fullmatch(rule.strip())
        if match is None:
            raise InvalidHours(f"{rule.strip()[:60]!r} is not like 'Mo-Fr 09:00-18:30', 'PH off' or '24/7'")
        named = match["days"]
        spans = () if match["spans"] in ("off", "closed") else _spans(match["spans"])
        days |= dict.fromkeys(range(7) if named is None else _days(named), spans)
    return Hours(week=tuple(days.get(day, ()) for day in range(7)), holiday=days.get(7))


def _days(text: str) -> Iterator[int]:
    for part in text.replace(" ", "").split(","):
        ends = part.split("-")
        unknown = [end for end in ends if end not in DAYS]
        if unknown or len(ends) > 2 or (len(ends) == 2 and "PH" in ends):
            raise InvalidHours(
                f"{part[:20]!r} are no days: they are {', '.join(DAYS)}, and ranges like Mo-Fr"
            )
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        yield from range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]


def _spans(text: str) -> tuple[Span, ...]:
    spans = sorted(_span(part.strip()) for part in text.split(","))
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            raise InvalidHours(f"the times in {text[:60]!r} overlap")
    return tuple(spans)


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidHours(f"{text[:20]!r} is no span of time like 09:00-18:30")
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups() if part is not None)
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if start == end:
        raise InvalidHours(f"{text!r} is empty: a whole day is 00:00-24:00")
    return start, end if end > start else end + DAY_MINUTES


def spans_on(hours: Hours, day: date) -> tuple[Span, ...]:
    """The spans that begin on `day`, for display: ``(540, 1110)`` is 09:00 to 18:30."""
    if hours.holiday is not None and day in public_holidays(day.year):
        return hours.holiday
    return hours.week[day.weekday()]


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
