"""Sums of day figures: over days, sites and networks. What cannot be added up is not here.

The clients at once of a day are added up as one great integer, thirty-two bits for each of its five minutes: a year of
fifty places is eighteen thousand such sums.
"""

from __future__ import annotations

import functools
import json
import operator
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sessions.statistics import definitions
from sessions.statistics.calendar import first_of_month
from sessions.statistics.definitions import RATE_CLASSES

# Four octets, on every machine that runs this.
_MARK = "I"


@dataclass(slots=True)
class Tally:
    """The sums of some rows of `DayFigures`."""

    sessions: int = 0
    visits: int = 0
    reattached: int = 0
    random_address: int = 0
    connected_seconds: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    expected_seconds: int = 0
    outage_seconds: int = 0
    ads: int = 0
    # The greatest number of devices of one day at one place: no fewer were there in all.
    most_devices: int = 0
    wanted_kbps: int = 0
    methods: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    rates: list[int] = field(default_factory=lambda: [0] * len(RATE_CLASSES))
    hour_sessions: list[int] = field(default_factory=lambda: [0] * 24)
    hour_seconds: list[int] = field(default_factory=lambda: [0] * 24)
    by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    visits_by_month: Counter[date] = field(default_factory=Counter)
    expected_by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    outage_by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    # How many places were closed on a day whose weekday they are usually open on.
    closed_by_day: Counter[date] = field(default_factory=Counter)
    # Packed marks of each day, until `settle` has found the peak: the most clients at once, on which day, at which of
    # its five minutes; the first such moment.
    at_once: dict[date, int] = field(default_factory=dict)
    peak: tuple[int, date | None, int] = (0, None, 0)

    def add(self, row: Any) -> None:
        """Add one row, whose documents are JSON text."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(row, name))
        self.most_devices = max(self.most_devices, row.devices)
        self.wanted_kbps = _read(row.basis)["wanted_kbps"]
        self.methods.update(_read(row.methods))
        self.failures.update(_read(row.failures))
        self.rates = _added(self.rates, _read(row.rates))
        self.hour_sessions = _added(self.hour_sessions, _read(row.hour_sessions))
        self.hour_seconds = _added(self.hour_seconds, _read(row.hour_seconds))
        self.by_day[row.day] += row.sessions
        self.visits_by_month[first_of_month(row.day)] += row.visits
        self.expected_by_day[row.day] += row.expected_seconds
        self.outage_by_day[row.day] += row.outage_seconds
        self.at_once[row.day] = self.at_once.get(row.day, 0) + _packed(row.at_once)

    def merge(self, other: Tally) -> None:
        """Add another sum: that of other places, or of other days."""
        for name in (*_SUMS, "ads"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_devices = max(self.most_devices, other.most_devices)
        self.wanted_kbps = max(self.wanted_kbps, other.wanted_kbps)
        self.methods.update(other.methods)
        self.failures.update(other.failures)
        self.rates = _added(self.rates, other.rates)
        self.hour_sessions = _added(self.hour_sessions, other.hour_sessions)
        self.hour_seconds = _added(self.hour_seconds, other.hour_seconds)
        for day, sessions in other.by_day.items():
            self.by_day[day] += sessions
            self.expected_by_day[day] += other.expected_by_day[day]
            self.outage_by_day[day] += other.outage_by_day[day]
        self.visits_by_month.update(other.visits_by_month)
        self.closed_by_day.update(other.closed_by_day)
        for day, marks in other.at_once.items():
            self.at_once[day] = self.at_once.get(day, 0) + marks

    def note_closures(self) -> None:
        """Of one place: note the days on which it was closed though it is open on most days of that weekday."""
        for weekday in range(7):
            days = [day for day in self.expected_by_day if day.weekday() == weekday]
            closed = [day for day in days if not self.expected_by_day[day]]
            if 2 * len(closed) < len(days):
                self.closed_by_day.update(closed)

    def settle(self, *, by_day: bool) -> None:
        """Find the peak, and drop what it was found in; without `by_day` what is known day by day, too."""
        tops = ((max(marks), day, marks) for day, marks in _unpacked(self.at_once))
        most, day, marks = max(tops, key=lambda top: top[0], default=(0, None, [0]))
        self.peak = (most, day, marks.index(most)) if most else (0, None, 0)
        self.at_once.clear()
        self.visits_by_month.clear()
        if not by_day:
            for days in (self.by_day, self.expected_by_day, self.outage_by_day, self.closed_by_day):
                days.clear()

    @property
    def volume(self) -> int:
        """Bytes, both ways."""
        return self.bytes_up + self.bytes_down

    @property
    def availability(self) -> float | None:
        return definitions.availability(
            expected_seconds=self.expected_seconds, outage_seconds=self.outage_seconds
        )

    def availability_on(self, day: date) -> float | None:
        return definitions.availability(
            expected_seconds=self.expected_by_day[day], outage_seconds=self.outage_by_day[day]
        )

    def availability_in(self, month: date) -> float | None:
        def of_month(days: dict[date, int]) -> int:
            return sum(seconds for day, seconds in days.items() if first_of_month(day) == month)

        return definitions.availability(
            expected_seconds=of_month(self.expected_by_day), outage_seconds=of_month(self.outage_by_day)
        )

    @property
    def median_kbps(self) -> int | None:
        return definitions.median_rate(self.rates)

    @property
    def reached(self) -> float | None:
        """The part of the measured sessions that reached the rate wanted."""
        return definitions.share_at_least(self.rates, self.wanted_kbps)

    def by_month(self) -> dict[date, int]:
        """Sessions by month."""
        found: defaultdict[date, int] = defaultdict(int)
        for day, sessions in sorted(self.by_day.items()):
            found[first_of_month(day)] += sessions
        return dict(found)

    @property
    def is_used(self) -> bool:
        """Whether anybody is behind these sums: somebody who came the day before has no visit in them."""
        return bool(self.sessions or self.connected_seconds or self.volume)

    def by_weekday(self) -> list[int]:
        """Sessions from Monday to Sunday."""
        found = [0] * 7
        for day, sessions in self.by_day.items():
            found[day.weekday()] += sessions
        return found


_SUMS = (
    *("sessions", "visits", "reattached", "random_address", "connected_seconds", "bytes_up", "bytes_down"),
    *("expected_seconds", "outage_seconds"),
)


@functools.lru_cache(maxsize=4096)
def _read(document: str) -> Any:
    """Most documents of quiet days are alike. Nobody changes what comes from here."""
    return json.loads(document)


@functools.lru_cache(maxsize=4096)
def _packed(document: str) -> int:
    return int.from_bytes(array(_MARK, json.loads(document)).tobytes(), sys.byteorder)


def _unpacked(at_once: dict[date, int]) -> Iterator[tuple[date, list[int]]]:
    """The marks of each day on which anybody was online, in the order of the days."""
    for day, packed in sorted(at_once.items()):
        if packed:
            octets = packed.to_bytes((packed.bit_length() + 31) // 32 * 4, sys.byteorder)
            yield day, list(array(_MARK, octets))


def _added(numbers: list[int], others: list[int]) -> list[int]:
    """Both together, place by place; the longer one goes on alone."""
    many = min(len(numbers), len(others))
    return [*map(operator.add, numbers, others), *numbers[many:], *others[many:]]
