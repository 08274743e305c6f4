"""What is measured of a part of a report, with the stretches that it is compared with, in words."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from portal.i18n.translation import say
from portal.reports import numbers
from sessions.statistics.report import Part, Report
from sessions.statistics.suppression import is_small
from sessions.statistics.tally import Tally


class Comparing(enum.Enum):
    """How two stretches of a measure are compared: by day, as they are, or not at all."""

    BY_DAY = enum.auto()
    AS_IS = enum.auto()
    NEVER = enum.auto()


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of the period, of the stretch before, and of the same days a year before, in this order."""

    name: str
    values: tuple[float | None, ...]
    write: Callable[[float], str]
    comparing: Comparing = Comparing.BY_DAY

    def text(self, stretch: int = 0) -> str:
        value = self.values[stretch]
        return "–" if value is None else self.write(value)

    def change(self, stretch: int, ratio: float) -> str:
        """How much more or less than in `stretch`, with `ratio` days for each of its days."""
        now, before = self.values[0], self.values[stretch]
        if self.comparing is Comparing.NEVER:
            return ""
        if now is None or not before:
            return "–"
        by_day = self.comparing is Comparing.BY_DAY
        return numbers.change_a_day(now, before, ratio) if by_day else numbers.change(now, before)


def measures(part: Part) -> list[Measure]:
    """Every measure of a part."""

    def of(read: Callable[[Tally], float | None]) -> tuple[float | None, ...]:
        return tuple(read(tally) for tally, _ in part.stretches)

    def whole(number: float) -> str:
        return numbers.count(int(number))

    return [
        Measure(say("Sessions"), of(lambda one: one.sessions), whole),
        Measure(say("Visits"), of(lambda one: one.visits), whole),
        Measure(
            say("Unique devices, mean of the months"),
            tuple(mean_devices(devices) for _, devices in part.stretches),
            whole,
            Comparing.AS_IS,
        ),
        Measure(say("Peak: clients at once"), of(lambda one: one.peak[0]), whole, Comparing.AS_IS),
        Measure(say("Time online"), of(lambda one: one.connected_seconds), _hours),
        Measure(say("Volume"), of(lambda one: one.volume), lambda octets: numbers.amount(int(octets))),
        Measure(say("Median rate reached"), of(lambda one: one.median_kbps), _rate, Comparing.AS_IS),
        Measure(
            say("Rate wanted reached by"),
            of(lambda one: one.reached),
            lambda share: numbers.percent(share, 0),
            Comparing.NEVER,
        ),
        Measure(say("Availability"), of(lambda one: one.availability), numbers.availability, Comparing.NEVER),
        Measure(say("Outage"), of(lambda one: one.outage_seconds), _hours),
        Measure(say("Refused sign-ins"), of(lambda one: sum(one.failures.values())), whole),
        Measure(say("Accepted messages"), of(lambda one: one.ads), whole),
    ]


def compared(report: Report) -> list[tuple[int, float, str]]:
    """The stretches that this report is compared with: the place in `Measure.values`, the ratio of days, the words.

    Not those that too few devices were in.
    """
    found = []
    if report.is_comparable and not is_small(report.whole.at_least(1)):
        found.append((1, report.days_ratio, numbers.span(report.spans.before.period)))
    if report.has_year_before and not is_small(report.whole.at_least(2)):
        found.append((2, report.year_ratio, numbers.span(report.spans.year_before.period)))
    return found


def mean_devices(devices: Mapping[date, int]) -> int | None:
    """Unique devices of a month, in the mean of the months."""
    return round(sum(devices.values()) / len(devices)) if devices else None


def _hours(seconds: float) -> str:
    return numbers.hours(int(seconds))


def _rate(kbps: float) -> str:
    return numbers.rate(int(kbps))
