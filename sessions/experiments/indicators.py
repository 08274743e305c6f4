"""The indicators of an experiment: each is read from a usage report, and compared as it is shown. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from sessions.statistics.calendar import DAY
from sessions.statistics.periods import Period
from sessions.statistics.report import Report
from sessions.statistics.suppression import Disclosure


class Measure(enum.StrEnum):
    """What can be measured. Shares are in per cent, rates in Mbit/s, volume in GB."""

    SESSIONS_A_DAY = "sessions_a_day"
    VISITS_A_DAY = "visits_a_day"
    DEVICES_A_MONTH = "devices_a_month"
    VOLUME_A_DAY = "volume_a_day"
    MEDIAN_RATE = "median_rate"
    RATE_REACHED = "rate_reached"
    AVAILABILITY = "availability"
    REFUSALS = "refusals"
    MESSAGES_A_DAY = "messages_a_day"

    @property
    def is_at_most(self) -> bool:
        """Whether less is better: of all others, more."""
        return self is Measure.REFUSALS


class Verdict(enum.Enum):
    """How a figure stands to its threshold."""

    REACHED = enum.auto()
    MISSED = enum.auto()
    UNKNOWN = enum.auto()


@dataclass(frozen=True, slots=True)
class YearOf:
    """A year of an experiment, counted from one; the last one may be shorter."""

    number: int
    period: Period


def value_of(measure: Measure, report: Report) -> float | None:
    """The figure, rounded as it is shown; None where too little was measured, or too few devices came to show it."""
    if not report.days_made or report.whole.shown is not Disclosure.OPENLY:
        return None
    found = _READ[measure](report)
    if found is None:
        return None
    # As the report writes it: 100 % is said of what never failed.
    return int(found * 100 + 1e-9) / 100 if measure is Measure.AVAILABILITY else round(found, 1)


def verdict(measure: Measure, value: float | None, threshold: float) -> Verdict:
    """Whether the threshold was reached, met exactly included."""
    if value is None:
        return Verdict.UNKNOWN
    is_reached = value <= threshold if measure.is_at_most else value >= threshold
    return Verdict.REACHED if is_reached else Verdict.MISSED


def years_of(period: Period) -> Iterator[YearOf]:
    """The years of an experiment that is longer than one, from its first day on."""
    first, number = period.first, 1
    while first <= period.last:
        following = _years_after(period.first, number)
        yield YearOf(number, Period(first, min(period.last, following - DAY)))
        first, number = following, number + 1


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; a 29 February has its 1 March."""
    if (day.month, day.day) == (2, 29):
        return date(day.year + years, 3, 1)
    return day.replace(year=day.year + years)


def _a_day(read: Callable[[Report], float]) -> Callable[[Report], float | None]:
    return lambda report: read(report) / report.days_made


def _devices(report: Report) -> float | None:
    """The mean of the months that are whole: a part of a month has fewer devices."""
    whole = [number for month, number in report.whole.devices.items() if report.spans.known.holds(month)]
    return sum(whole) / len(whole) if whole else None


def _refusals(report: Report) -> float | None:
    now = report.whole.now
    return 100 * sum(now.failures.values()) / now.sessions if now.sessions else None


def _in_percent(part: float | None) -> float | None:
    return None if part is None else 100 * part


def _median(report: Report) -> float | None:
    median = report.whole.now.median_kbps
    return None if median is None else median / 1000


_READ: dict[Measure, Callable[[Report], float | None]] = {
    Measure.SESSIONS_A_DAY: _a_day(lambda report: report.whole.now.sessions),
    Measure.VISITS_A_DAY: _a_day(lambda report: report.whole.now.visits),
    Measure.DEVICES_A_MONTH: _devices,
    Measure.VOLUME_A_DAY: _a_day(lambda report: report.whole.now.volume / 10**9),
    Measure.MEDIAN_RATE: _median,
    Measure.RATE_REACHED: lambda report: _in_percent(report.whole.now.reached),
    Measure.AVAILABILITY: lambda report: _in_percent(report.whole.now.availability),
    Measure.REFUSALS: _refusals,
    Measure.MESSAGES_A_DAY: _a_day(lambda report: report.whole.now.ads),
}
