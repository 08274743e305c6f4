"""When people come and how long they stay: by the kind of place, the hour and the day of the week. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from zoneinfo import ZoneInfo

from sites import opening_hours
from sites.models import SiteKind

HOURS = range(24)
# From Monday to Sunday, and from January to December, against the mean.
WEEK = (1.0, 1.05, 1.1, 1.05, 1.15, 1.1, 0.6)
YEAR = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.05, 0.8, 1.15, 1.15, 1.0, 1.0)
COMMUTERS = (1, 0, 0, 0, 1, 3, 8, 14, 12, 7, 5, 5, 8, 7, 5, 6, 9, 14, 13, 9, 6, 4, 3, 2)
STROLLERS = (2, 1, 0, 0, 0, 0, 1, 2, 3, 5, 7, 9, 12, 12, 11, 11, 11, 12, 12, 10, 8, 7, 5, 4)
READERS = (0, 0, 0, 0, 0, 0, 0, 1, 4, 8, 10, 9, 6, 10, 12, 12, 11, 9, 5, 2, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Habit:
    """`weight` against other places, the day's shape, the mean stay in minutes, the median megabytes a minute."""

    weight: float
    shape: Sequence[int]
    minutes: float
    megabytes: float


HABITS = {
    SiteKind.STATION: Habit(60, COMMUTERS, 22, 3.0),
    SiteKind.TRAM_STOP: Habit(3, COMMUTERS, 9, 2.0),
    SiteKind.SQUARE: Habit(7, STROLLERS, 28, 2.5),
    SiteKind.LANDMARK: Habit(4, STROLLERS, 35, 2.0),
    SiteKind.SPORTS_HALL: Habit(4, STROLLERS, 60, 2.0),
    SiteKind.LIBRARY: Habit(25, READERS, 95, 4.0),
    SiteKind.SCHOOL: Habit(3, READERS, 60, 2.0),
    SiteKind.TOWN_BUILDING: Habit(5, READERS, 30, 1.5),
    SiteKind.SHOP: Habit(3, STROLLERS, 25, 2.0),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A gateway at a site, with what bounds a stay there. `opening` is empty where nothing closes."""

    gateway_id: int
    site_id: int
    network_id: int
    kind: SiteKind
    is_library: bool
    lease_seconds: int
    idle_seconds: int
    rates: tuple[int, int]
    terms: tuple[str, str]
    zone: ZoneInfo
    opening: str
    # Where its thousand client addresses begin: "10.96." and the first of the lower sixteen bits.
    prefix: str
    first_host: int
    # Behind which all of them go out.
    public_address: str

    def spans(self, day: date) -> tuple[opening_hours.Span, ...]:
        return (
            opening_hours.spans_on(opening_hours.parse(self.opening), day)
            if self.opening
            else ((0, opening_hours.DAY_MINUTES),)
        )


def spread(days: Sequence[date], total: int, rng: Random) -> list[int]:
    """How many of `total` stays begin on each day: by season and weekday, some days livelier than others."""
    weights = [WEEK[day.weekday()] * YEAR[day.month - 1] * rng.uniform(0.85, 1.15) for day in days]
    scale, exact, given, counts = total / sum(weights), 0.0, 0, []
    for weight in weights:
        exact += weight * scale
        counts.append(round(exact) - given)
        given += counts[-1]
    return counts


def beginnings(places: Sequence[Place], day: date, count: int, rng: Random) -> list[tuple[int, int]]:
    """When and where stays of a day begin, in order: seconds after midnight, index of the place."""
    cells = [
        (index, start, length, HABITS[place.kind].weight * HABITS[place.kind].shape[hour] * length)
        for index, place in enumerate(places)
        for hour in HOURS
        for start, length in _open_part(place.spans(day), hour)
    ]
    weights = [weight for _, _, _, weight in cells]
    if not any(weights):
        return []
    chosen = rng.choices(cells, weights=weights, k=count)
    return sorted((start + int(rng.random() * length), index) for index, start, length, _ in chosen)


def _open_part(spans: Sequence[opening_hours.Span], hour: int) -> list[tuple[int, int]]:
    """The parts of an hour in which a place is open, as start and length in seconds."""
    parts = ((max(start, hour * 60), min(end, hour * 60 + 60)) for start, end in spans)
    return [(start * 60, (end - start) * 60) for start, end in parts if end > start]
