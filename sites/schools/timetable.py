"""Which class of tablets is on, where, until when, and by whom; when a school's wifi is on. Pure.

A class is on in the lessons of its timetable, and for as long as somebody's press of the button says. Whoever switches
it off during a lesson switches off the rest of that lesson. Intervals are half-open, instants are UTC.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sites import opening_hours
from sites.opening_hours import Hours

Stretch = tuple[datetime, datetime]

# What the button offers, the first without being asked. A half day is the most.
LENGTHS = (timedelta(hours=1), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=4))
LONGEST = max(LENGTHS)
# A timetable that is open for longer than this in one go has no end that anybody waits for.
FAR = timedelta(days=8)


class WifiRule(enum.StrEnum):
    """When the access points of a school are on the air."""

    # Only while a class is on there.
    CLASSES = "classes"
    # In hours of the school's own.
    HOURS = "hours"
    ALWAYS = "always"


class UnofferedLength(ValueError):
    """The button offers no such length of time."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A school where a class may be on, and its lessons there; None where it has none."""

    site: str
    zone: ZoneInfo
    lessons: Hours | None = None

    @classmethod
    def read(cls, site: str, lessons: str, school_zone: str, zone: ZoneInfo) -> Stop:
        return cls(site, zone, opening_hours.parse(lessons, school_zone) if lessons else None)

    def stretches(self, start: datetime, end: datetime) -> list[Stretch]:
        """Its lessons in [start, end), in order."""
        return opening_hours.open_between(self.lessons, start, end, self.zone) if self.lessons else []


@dataclass(frozen=True, slots=True)
class Press:
    """What somebody pressed: on or off, from `at` until `until`. `site` is the slug of the school where."""

    on: bool
    at: datetime
    until: datetime
    by: str
    site: str = ""

    def holds(self, now: datetime) -> bool:
        return self.at <= now < self.until


@dataclass(frozen=True, slots=True)
class ClassState:
    """A class at an instant. `until` is when that ends, where an end is in sight; `by` is empty for the timetable.

    `sites` are the slugs of the schools where it is on: the tablets may be at any of the class's schools meanwhile.
    """

    on: bool
    until: datetime | None = None
    by: str = ""
    sites: tuple[str, ...] = ()


def state_of(stops: Sequence[Stop], press: Press | None, now: datetime) -> ClassState:
    """Whether the class is on now. Where it is off, `until` is when it comes on by itself."""
    runs = merged(run for stop in stops for run in on_at(stop, press, now, now + FAR))
    if not runs:
        return ClassState(False)
    start, end = runs[0]
    if start > now:
        return ClassState(False, start)
    sites = tuple(stop.site for stop in stops if is_on_at(stop, press, now))
    by = press.by if press and press.on and press.holds(now) else ""
    return ClassState(True, end if end < now + FAR else None, by, sites)


def is_on_at(stop: Stop, press: Press | None, now: datetime) -> bool:
    """Whether the class is on at this one of its schools."""
    return any(start <= now for start, _ in on_at(stop, press, now, now + timedelta(seconds=1)))


def on_at(stop: Stop, press: Press | None, start: datetime, end: datetime) -> list[Stretch]:
    """When in [start, end) the class is on at this one of its schools, in order."""
    lessons = stop.stretches(start, end)
    if press is None:
        return lessons
    pressed = _within((press.at, press.until), start, end)
    if press.on:
        return merged([*lessons, *pressed]) if press.site == stop.site else lessons
    return [rest for lesson in lessons for rest in _without(lesson, (press.at, press.until))]


def switched_on(stop: Stop, length: timedelta, now: datetime, by: str) -> Press:
    """The press that has a class on at this school for so long, and not beyond its day. Raises `UnofferedLength`."""
    if length not in LENGTHS:
        raise UnofferedLength(length)
    until = min(now + length, opening_hours.next_midnight(now, stop.zone))
    return Press(True, now, until, by, stop.site)


def switched_off(stops: Sequence[Stop], now: datetime, by: str) -> Press:
    """The press that has a class off now, and for the rest of the lessons that run."""
    runs = merged(run for stop in stops for run in stop.stretches(now, now + FAR))
    running = [end for start, end in runs if start <= now]
    return Press(False, now, max(running, default=now), by)


def wifi_on(
    rule: WifiRule, hours: Hours | None, zone: ZoneInfo, classes: Iterable[Sequence[Stretch]], span: Stretch
) -> list[Stretch]:
    """When in `span` a school's wifi is on. `classes`: when each class is on there."""
    if rule is WifiRule.ALWAYS:
        return [span]
    if rule is WifiRule.HOURS:
        return opening_hours.open_between(hours, *span, zone) if hours else []
    return merged(run for runs in classes for run in runs)


def merged(runs: Iterable[Stretch]) -> list[Stretch]:
    """The same time in as few stretches as can be, in order."""
    found: list[Stretch] = []
    for start, end in sorted(runs):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def _within(run: Stretch, start: datetime, end: datetime) -> list[Stretch]:
    first, last = max(run[0], start), min(run[1], end)
    return [(first, last)] if first < last else []


def _without(run: Stretch, gap: Stretch) -> list[Stretch]:
    return [*_within(run, run[0], gap[0]), *_within(run, gap[1], run[1])]
