"""The first day and the last moment of use, in words that the desk's page and the ticket share."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.i18n.translation import calendar_day, day_in_words


def last_moment(ends_at: datetime, zone: str, language: str, *, since: datetime) -> str:
    """The end of a half-open time, "dimanche 29 novembre 23:59": a midnight is the last minute of the day it ends.

    With the year where it is another than at `since`.
    """
    place = ZoneInfo(zone)
    local = ends_at.astimezone(place)
    if local.time() == time.min:
        local -= timedelta(minutes=1)
    return day_in_words(local, language, with_year=local.year != since.astimezone(place).year)


def first_day(starts_at: datetime, zone: str, language: str, *, since: datetime) -> str:
    """The day that begins at this midnight, "samedi 28 novembre"; with the year where it is another than at `since`."""
    place = ZoneInfo(zone)
    local = starts_at.astimezone(place)
    return calendar_day(local, language, with_year=local.year != since.astimezone(place).year)
