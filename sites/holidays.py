"""The public holidays of France (Code du travail, L3133-1), without those of Alsace-Moselle and overseas; and its
school holidays by zone (Code de l'éducation, L521-1), which the ministry sets for a few years ahead.
"""

from __future__ import annotations

import functools
from datetime import date, timedelta

from vacances_scolaires_france import SchoolHolidayDates

FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
# Easter Monday, Ascension, Whit Monday.
DAYS_AFTER_EASTER = (1, 39, 50)

ZONES = ("A", "B", "C")


@functools.cache
def school_holidays(zone: str) -> frozenset[date]:
    """All days of school holidays in `zone` that are known: up to `last_school_holiday`. None for no zone."""
    if zone not in ZONES:
        return frozenset()
    known = _every_zone()
    return frozenset(day for day in known.data if known.is_holiday_for_zone(day, zone))


@functools.cache
def _every_zone() -> SchoolHolidayDates:
    """Reads some fourteen thousand lines, once."""
    return SchoolHolidayDates()


def last_school_holiday() -> date:
    """After this day no school holiday is known, and hours that name them are those of an ordinary day."""
    return max(max(school_holidays(zone)) for zone in ZONES)


@functools.cache
def public_holidays(year: int) -> frozenset[date]:
    easter = easter_sunday(year)
    movable = {easter + timedelta(days=days) for days in DAYS_AFTER_EASTER}
    return frozenset(movable | {date(year, month, day) for month, day in FIXED})


def easter_sunday(year: int) -> date:
    """Easter of the Gregorian calendar, by the rule of Meeus, Jones and Butcher (Nature, 20 April 1876)."""
    century, in_century = divmod(year, 100)
    leap_centuries, century_left = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * (year % 19) + century - leap_centuries - correction + 15) % 30
    leaps, year_left = divmod(in_century, 4)
    weekday = (32 + 2 * century_left + 2 * leaps - moon - year_left) % 7
    late = (year % 19 + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
