"""Opening hours as text, in a part of OpenStreetMap's notation, and what they say of a day.

``Mo-Fr 09:00-18:30; Sa 10:00-12:00,14:00-17:00; PH,SH off`` or ``24/7``. A rule after a semicolon replaces earlier ones
for the days that it names, a rule after a comma adds to them; days nobody names are closed. Rules for PH, the public
holidays of France, win over all others, and those for SH, the school holidays of a zone, over all but these, in
whatever order they stand. (wiki.openstreetmap.org/wiki/Key:opening_hours/specification)
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gateways.sentences import Sentence
from sites.holidays import public_holidays, school_holidays

WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
PUBLIC, SCHOOL = "PH", "SH"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY_MINUTES = 24 * 60

# Minutes after the day's midnight; the end may lie in the next day.
Span = tuple[int, int]

_ALL_DAY: tuple[Span, ...] = ((0, DAY_MINUTES),)
_DASHES = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | dict.fromkeys("\u00a0\u202f", " ")
)
# A comma after hours, a word that closes or a comment, and before a name: the next rule adds to this one.
_ADDING = re.compile(r'(?:(?<=:[0-5][0-9])|(?<=off)|(?<=closed)|(?<="))\s*,\s*(?=[A-Z])')
_RULE = re.compile(
    r'(?P<selector>[^"]*?)\s*(?P<spans>off|closed|24/7|[0-9]{1,2}:[0-9:,\- ]*)?\s*(?P<comment>"[^"]*")?'
)
_SPAN = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])-(?:(24):(00)|([01]?[0-9]|2[0-3]):([0-5][0-9]))")
_END = rf"(?:[0-9]{{4}} +)?(?:{'|'.join(MONTHS)})(?: +[0-9]{{1,2}})?"
_PERIOD = rf"{_END}(?: *- *(?:{_END}|[0-9]{{1,2}}))?"
_DATES = re.compile(rf"({_PERIOD}(?: *, *{_PERIOD})*) *(?::|(?= )|$) *")
_NTH = re.compile(r"([A-Z][a-z])\[(-?[1-5](?:,-?[1-5])*)\]")


class InvalidHours(ValueError):
    """The text is not opening hours; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class DateRange:
    """From one day to another, both included, of one year or (0) of every year; the end may be in the next year."""

    first: tuple[int, int, int]
    last: tuple[int, int, int]

    def holds(self, day: date) -> bool:
        if self.first[0]:
            return self.first <= (day.year, day.month, day.day) <= self.last
        first, last, here = self.first[1:], self.last[1:], (day.month, day.day)
        return first <= here <= last if first <= last else here >= first or here <= last


@dataclass(frozen=True, slots=True)
class OpeningRule:
    """`nth` counts a weekday in its month, from the end where negative; `within`: only those weekdays of holidays."""

    weekdays: frozenset[int]
    spans: tuple[Span, ...]
    holidays: frozenset[str] = frozenset()
    within: bool = False
    nth: frozenset[tuple[int, int]] = frozenset()
    periods: tuple[DateRange, ...] = ()
    adds: bool = False

    def on_ordinary(self, day: date) -> bool:
        return not self.within and self._names(day) and self._is_in_period(day)

    def on_holiday(self, day: date, kind: str) -> bool:
        return kind in self.holidays and (not self.within or self._names(day)) and self._is_in_period(day)

    def _names(self, day: date) -> bool:
        weekday, from_end = day.weekday(), -((_days_left(day)) // 7 + 1)
        counted = {(weekday, (day.day - 1) // 7 + 1), (weekday, from_end)}
        return weekday in self.weekdays or bool(counted & self.nth)

    def _is_in_period(self, day: date) -> bool:
        return not self.periods or any(period.holds(day) for period in self.periods)


@dataclass(frozen=True, slots=True)
class Hours:
    """`zone` says whose school holidays SH are (A, B or C); empty: nobody's."""

    rules: tuple[OpeningRule, ...]
    zone: str = ""
    always: bool = False

    @property
    def names_school(self) -> bool:
        return any(SCHOOL in rule.holidays for rule in self.rules)


def spans_on(hours: Hours, day: date) -> tuple[Span, ...]:
    """The spans that begin on `day`, for display: ``(540, 1110)`` is 09:00 to 18:30."""
    found = _applied((rule for rule in hours.rules if rule.on_ordinary(day)), ())
    if hours.names_school and day in school_holidays(hours.zone):
        found = _applied((rule for rule in hours.rules if rule.on_holiday(day, SCHOOL)), found)
    if day in public_holidays(day.year):
        found = _applied((rule for rule in hours.rules if rule.on_holiday(day, PUBLIC)), found)
    return found


def _applied(rules: Iterator[OpeningRule], found: tuple[Span, ...]) -> tuple[Span, ...]:
    for rule in rules:
        found = tuple(sorted({*found, *rule.spans})) if rule.adds else rule.spans
    return found


@functools.lru_cache(maxsize=1024)
def parse(text: str, zone: str = "") -> Hours:
    """Read opening hours; raises InvalidHours."""
    rules = []
    for replacing in text.translate(_DASHES).strip().removesuffix(";").split(";"):
        for number, rule in enumerate(_ADDING.split(replacing)):
            rules.append(_rule(rule.strip(), adds=number > 0))
    always = rules == [OpeningRule(frozenset(range(7)), _ALL_DAY)]
    return Hours(tuple(rules), zone, always)


def _rule(text: str, *, adds: bool) -> OpeningRule:
    match = _RULE.fullmatch(text)
    if match is None or not (match["spans"] or match["comment"]):
        raise InvalidHours(
            Sentence(
                "'%(text)s' is not like 'Mo-Fr 09:00-18:30', 'PH off', 'Jul-Aug off' or '24/7'",
                text=text[:60],
            )
        )
    # Hours by appointment alone, as in Mo "sur rendez-vous": nobody is there unless it was arranged.
    closed = match["spans"] in ("off", "closed", None)
    spans = () if closed else _ALL_DAY if match["spans"] == "24/7" else _spans(match["spans"])
    selector = match["selector"].strip()
    dates = _DATES.match(selector)
    periods = tuple(_period(part.strip()) for part in dates[1].split(",")) if dates else ()
    days = (selector[dates.end() :] if dates else selector).strip()
    if not days:
        return OpeningRule(frozenset(range(7)), spans, periods=periods, adds=adds)
    holidays, _, within = days.partition(" ")
    if within and set(holidays.split(",")) <= {PUBLIC, SCHOOL}:
        weekdays, nth, named = _days(within)
        if named:
            raise InvalidHours(
                Sentence("'%(days)s' names two kinds of holidays: put a comma between them", days=days[:30])
            )
        return OpeningRule(weekdays, spans, frozenset(holidays.split(",")), True, nth, periods, adds)
    weekdays, nth, named = _days(days)
    return OpeningRule(weekdays, spans, named, False, nth, periods, adds)


def _days(text: str) -> tuple[frozenset[int], frozenset[tuple[int, int]], frozenset[str]]:
    """Weekdays, weekdays counted in their month, and kinds of holidays."""
    weekdays: set[int] = set()
    nth: set[tuple[int, int]] = set()
    holidays: set[str] = set()
    for part in re.split(r",(?![^\[]*\])", text.replace(" ", "")):
        ends = part.split("-") if "[" not in part else [part]
        if part in (PUBLIC, SCHOOL):
            holidays.add(part)
        elif (counted := _NTH.fullmatch(part)) and counted[1] in WEEKDAYS:
            nth |= {(WEEKDAYS.index(counted[1]), int(number)) for number in counted[2].split(",")}
        elif len(ends) <= 2 and all(end in WEEKDAYS for end in ends):
            first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
            weekdays |= set(range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1)))
        else:
            raise InvalidHours(
                Sentence(
                    "'%(part)s' are no days: they are %(words)s, ranges like Mo-Fr and counts like Sa[1]",
                    part=part[:20],
                    words=", ".join((*WEEKDAYS, PUBLIC, SCHOOL)),
                )
            )
    return frozenset(weekdays), frozenset(nth), frozenset(holidays)


def _period(text: str) -> DateRange:
    begins, _, ends = (part.strip() for part in text.partition("-"))
    first = _day(begins, last=False)
    last = _day(f"{MONTHS[first[1] - 1]} {ends}" if ends.isdigit() else ends or begins, last=True)
    if first[0] and not last[0]:
        last = (first[0] + (last[1:] < first[1:]), *last[1:])
    if bool(first[0]) != bool(last[0]) or (first[0] and last < first):
        raise InvalidHours(
            Sentence("'%(text)s' ends before it begins, or names a year at its end alone", text=text[:40])
        )
    return DateRange(first, last)


def _day(text: str, *, last: bool) -> tuple[int, int, int]:
    words = text.split()
    year = int(words.pop(0)) if words[0].isdigit() else 0
    month = MONTHS.index(words[0]) + 1
    of_month = ((date(year or 2028, month, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
    day = int(words[1]) if len(words) > 1 else (of_month if last else 1)
    if not 1 <= day <= of_month or not 0 <= year < 9999 or 0 < year < 1900:
        raise InvalidHours(Sentence("'%(text)s' is no day of a year", text=text[:20]))
    return year, month, day


def _spans(text: str) -> tuple[Span, ...]:
    spans = sorted(_span(part.replace(" ", "")) for part in text.strip().split(","))
    for (_, end), (start, _) in itertools.pairwise(spans):
        if start < end:
            raise InvalidHours(Sentence("the times in '%(text)s' overlap", text=text[:60]))
    return tuple(spans)


def _span(text: str) -> Span:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidHours(Sentence("'%(text)s' is no span of time like 09:00-18:30", text=text[:20]))
    hour, minute, end_hour, end_minute = (int(part) for part in match.groups() if part is not None)
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if start == end:
        raise InvalidHours(Sentence("'%(text)s' is empty: a whole day is 00:00-24:00", text=text))
    return start, end if end > start else end + DAY_MINUTES


def _days_left(day: date) -> int:
    """How many days of the month come after `day`."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1).toordinal() - 1 - day.toordinal()
