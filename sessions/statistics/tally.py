"""Sums of day figures: over days, sites and networks. What cannot be added up is not here."""

from __future__ import annotations

import functools
import json
import operator
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sessions.statistics import definitions
from sessions.statistics.calendar import first_of_month
from sessions.statistics.definitions import RATE_CLASSES


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
    visits_by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    expected_by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    outage_by_day: defaultdict[date, int] = field(default_factory=lambda: defaultdict(int))
    at_once: dict[date, list[int]] = field(default_factory=dict)

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
        self.visits_by_day[row.day] += row.visits
        self.expected_by_day[row.day] += row.expected_seconds
        self.outage_by_day[row.day] += row.outage_seconds
        self.at_once[row.day] = _added(self.at_once.get(row.day, []), _read(row.at_once))

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
            self.visits_by_day[day] += other.visits_by_day[day]
            self.expected_by_day[day] += other.expected_by_day[day]
            self.outage_by_day[day] += other.outage_by_day[day]
        for day, marks in other.at_once.items():
            self.at_once[day] = _added(self.at_once.get(day, []), marks)

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

    @property
    def median_kbps(self) -> int | None:
        return definitions.median_rate(self.rates)

    @property
    def reached(self) -> float | None:
        """The part of the measured sessions that reached the rate wanted."""
        return definitions.share_at_least(self.rates, self.wanted_kbps)

    @property
    def peak(self) -> tuple[int, date | None, int]:
        """The most clients at once, on which day, and at which of its five minutes; the first such moment."""
        tops = ((max(marks), day, marks) for day, marks in sorted(self.at_once.items()) if marks)
        found = max(tops, key=lambda top: top[0], default=None)
        return (found[0], found[1], found[2].index(found[0])) if found and found[0] else (0, None, 0)

    def by_month(self) -> dict[date, int]:
        """Sessions by month."""
        found: defaultdict[date, int] = defaultdict(int)
        for day, sessions in sorted(self.by_day.items()):
            found[first_of_month(day)] += sessions
        return dict(found)

    def visits_in(self, month: date) -> int:
        """Visits that began in this month."""
        return sum(visits for day, visits in self.visits_by_day.items() if first_of_month(day) == month)

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


def _added(numbers: list[int], others: list[int]) -> list[int]:
    """Both together, place by place; the longer one goes on alone."""
    many = min(len(numbers), len(others))
    return [*map(operator.add, numbers, others), *numbers[many:], *others[many:]]
