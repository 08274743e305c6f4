"""The time that a report is about, and the one before it that it is compared with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sessions.statistics.calendar import DAY, first_of_month, next_month

LONGEST_DAYS = 1100


class UnreadablePeriod(ValueError):
    """The period ends before it begins, or is longer than three years."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both included. Raises `UnreadablePeriod`."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 0 < self.days <= LONGEST_DAYS:
            raise UnreadablePeriod

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def is_whole_months(self) -> bool:
        return self.first.day == 1 and (self.last + DAY).day == 1

    @property
    def months(self) -> list[date]:
        """The first days of the months it touches."""
        found = [first_of_month(self.first)]
        while (month := next_month(found[-1])) <= self.last:
            found.append(month)
        return found

    @property
    def previous(self) -> Period:
        """As many whole months, or as many days, right before it."""
        last = self.first - DAY
        if not self.is_whole_months:
            return Period(self.first - self.days * DAY, last)
        first = self.first
        for _ in self.months:
            first = first_of_month(first - DAY)
        return Period(first, last)

    def before(self, known: Period) -> Period:
        """What the part of this period that is `known` is compared with: never a longer or a shorter stretch of it.

        Of a period that is not over, as many days from the beginning of the one before; where that has fewer, or the
        beginning of this one is not known, as many days right before. Of a whole one, the whole one before.
        """
        if known == self:
            return self.previous
        if known.first == self.first and known.days <= self.previous.days:
            return Period(self.previous.first, self.previous.first + (known.days - 1) * DAY)
        return Period(known.first - known.days * DAY, known.first - DAY)

    def year_before(self, within: Period) -> Period:
        """The same days a year ago: whole months where all of `within` is known and is whole months, else as many days.

        A 29 February has its 1 March.
        """
        first = _year_before(self.first)
        if self == within and self.is_whole_months:
            return Period(first, _year_before(self.last + DAY) - DAY)
        return Period(first, first + (self.days - 1) * DAY)

    def holds(self, month: date) -> bool:
        """Whether the whole of this month lies in it."""
        return self.first <= month and next_month(month) - DAY <= self.last


def _year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 3, 1)
    return day.replace(year=day.year - 1)


def month_before(day: date) -> Period:
    """The last whole month before this day."""
    last = first_of_month(day) - DAY
    return Period(first_of_month(last), last)
