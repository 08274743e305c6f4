"""Opening hours as a form asks for them, weekday by weekday and on holidays. Pure.

Hours that need more (months, the first Saturday of a month, comments) are written as one text alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from sites.opening_rules import (
    DAY_MINUTES,
    PUBLIC,
    SCHOOL,
    WEEKDAYS,
    Hours,
    InvalidHours,
    Span,
    parse,
    spans_on,
)

HOLIDAYS = (PUBLIC, SCHOOL)
DAYS = (*WEEKDAYS, *HOLIDAYS)
CLOSED = "off"
ALWAYS = "24/7"
_WHOLE_DAY = "00:00-24:00"
_CLOSED_WORDS = ("off", "closed", "fermé", "ferme", "-", "–")
# "9h", "9 h 30", "9:30" and "09.30" are one time of day.
_TIME = re.compile(r"\b(\d{1,2})\s*(?:[h:.]\s*(\d{2})?)(?!\d)", re.IGNORECASE)
_BETWEEN = re.compile(r"\s*(?:-|–|—|\bto\b|\bà\b)\s*", re.IGNORECASE)


def by_day(text: str) -> dict[str, str] | None:
    """The hours of each of `DAYS` as they would be typed; None where days do not say it all.

    A weekday without hours is closed; holidays without are like any other day.
    """
    try:
        hours = parse(text)
    except InvalidHours:
        return None
    found = dict.fromkeys(WEEKDAYS, ()) | dict[str, tuple[Span, ...]]()
    for rule in hours.rules:
        if rule.nth or rule.periods or rule.adds or rule.within or '"' in text:
            return None
        if rule.holidays and rule.weekdays:
            return None
        for name in [*(WEEKDAYS[day] for day in rule.weekdays if not rule.holidays), *rule.holidays]:
            found[name] = rule.spans
    return {name: _typed(name, found) for name in DAYS}


def as_text(days: Mapping[str, str]) -> str:
    """One text of what was typed for each day, with neighbours of the same hours together."""
    said = {name: _tidy(days.get(name, "")) for name in DAYS}
    week = [said[name] or CLOSED for name in WEEKDAYS]
    rules = []
    if set(week) == {_WHOLE_DAY}:
        rules.append(ALWAYS)
    else:
        for first in range(len(week)):
            if first and week[first - 1] == week[first]:
                continue
            last = first
            while last + 1 < len(week) and week[last + 1] == week[first]:
                last += 1
            if week[first] != CLOSED:
                names = WEEKDAYS[first] if first == last else f"{WEEKDAYS[first]}-{WEEKDAYS[last]}"
                rules.append(f"{names} {week[first]}")
        rules = rules or [f"Mo-Su {CLOSED}"]
    return "; ".join([*rules, *(f"{name} {said[name]}" for name in HOLIDAYS if said[name])])


def coming_weeks(hours: Hours, first: date, *, weeks: int) -> list[list[tuple[date, tuple[Span, ...]]]]:
    """Each day from the Monday of `first` on with its spans, in rows of a week."""
    monday = first - timedelta(days=first.weekday())
    days = [monday + timedelta(days=number) for number in range(7 * weeks)]
    told = [(day, spans_on(hours, day)) for day in days]
    return [told[start : start + 7] for start in range(0, len(told), 7)]


def span_in_figures(span: Span) -> str:
    """``(540, 1110)`` as 09:00-18:30."""
    start, end = span
    end = end if end <= DAY_MINUTES else end - DAY_MINUTES
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def _typed(name: str, found: Mapping[str, tuple[Span, ...]]) -> str:
    if name not in found:
        return ""
    spans = ",".join(map(span_in_figures, found[name]))
    return spans or (CLOSED if name in HOLIDAYS else "")


def _tidy(text: str) -> str:
    """What was typed in the notation; what makes no sense stays, for the notation's own judge."""
    text = text.strip()
    if text.lower() in _CLOSED_WORDS:
        return CLOSED
    if text == ALWAYS:
        return _WHOLE_DAY
    parts = [_TIME.sub(_time, _BETWEEN.sub("-", part.strip())) for part in re.split(r"[,;]", text)]
    return ",".join(filter(None, parts))


def _time(match: re.Match[str]) -> str:
    return f"{int(match[1]):02}:{match[2] or '00'}"
