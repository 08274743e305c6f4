"""Numbers as a report writes them, in the language of this request."""

from __future__ import annotations

from datetime import date

from babel.numbers import format_currency, format_decimal, format_percent

from portal.i18n.translation import language, say, write_date
from sessions.statistics.calendar import first_of_month
from sessions.statistics.definitions import FEWEST_SHOWN
from sessions.statistics.periods import Period
from sessions.statistics.suppression import Disclosure


def count(number: int) -> str:
    return str(format_decimal(number, locale=language()))


def decimal(number: float, places: int = 1) -> str:
    return str(format_decimal(number, "#,##0." + "0" * places, locale=language()))


def typed(number: float) -> str:
    """A number as people type it into a form: no groups, no zeros at its end."""
    return str(format_decimal(number, "0.######", locale=language()))


def percent(part: float | None, places: int = 1) -> str:
    """A part of one: "98.7 %". None is a dash."""
    if part is None:
        return "–"
    return str(
        format_percent(part, "#,##0" + ("." + "0" * places if places else "") + "\u00a0%", locale=language())
    )


def availability(part: float | None) -> str:
    """Rounded down: 100 % is said of what never failed, and of nothing else."""
    return percent(None if part is None else int(part * 10_000) / 10_000, 2)


def change(now: float, before: float) -> str:
    """How much more or less than before: "+8 %"; a dash where there was nothing."""
    if not before:
        return "–"
    more = round(100 * (now - before) / before)
    sign = "+" if more > 0 else "\u2212" if more < 0 else "±"
    return f"{sign}{count(abs(more))}\u00a0%"


def change_a_day(now: float, before: float, ratio: float) -> str:
    """The same for what adds up over days, where there are `ratio` times as many days as before."""
    return change(now, before * ratio)


def amount(octets: int) -> str:
    """An amount of data, in units of a thousand."""
    for unit, size in ((say("TB"), 10**12), (say("GB"), 10**9), (say("MB"), 10**6)):
        if octets >= size:
            return f"{decimal(octets / size)}\u00a0{unit}"
    return f"0\u00a0{say('MB')}" if not octets else f"<\u00a01\u00a0{say('MB')}"


def rate(kbps: int | None) -> str:
    if kbps is None:
        return "–"
    return f"{format_decimal(kbps / 1000, '#,##0.#', locale=language())}\u00a0Mbit/s"


def hours(seconds: int) -> str:
    return f"{count(round(seconds / 3600))}\u00a0h"


def small() -> str:
    """What stands for a count that is too small to be told."""
    return f"<\u00a0{FEWEST_SHOWN}"


def masked(shown: Disclosure, text: str) -> str:
    """`text`, or what stands for it where it is not shown."""
    return {Disclosure.OPENLY: text, Disclosure.SMALL: small(), Disclosure.WITHHELD: say("n/d")}[shown]


def day(at: date) -> str:
    """ "3 October 2026"; the first of a month as French writes it."""
    text = write_date(at, "d MMMM y")
    return "1er" + text[1:] if language() == "fr" and at.day == 1 else text


def weekday_and_day(at: date) -> str:
    return write_date(at, "EEEE") + " " + day(at)


def month(at: date) -> str:
    return write_date(at, "LLLL y")


def short_month(at: date) -> str:
    return write_date(at, "LLL yy")


def weekday(number: int, width: str = "wide") -> str:
    """The name of a weekday; 0 is Monday."""
    return write_date(date(2024, 1, 1 + number), "EEEE" if width == "wide" else "EEE")


def when(period: Period) -> str:
    """The period as a part of a sentence: "in October 2026"."""
    if not period.is_whole_months:
        if period.days == 1:
            return say("on %(day)s", day=day(period.first))
        return say("from %(first)s to %(last)s", first=day(period.first), last=day(period.last))
    if len(period.months) == 1:
        return say("in %(month)s", month=month(period.first))
    return say("between %(first)s and %(last)s", first=month(period.first), last=month(period.last))


def span(period: Period) -> str:
    """The period as a title: "October 2026"."""
    if period.is_whole_months and len(period.months) == 1:
        return month(period.first)
    if period.is_whole_months:
        return f"{month(period.first)} – {month(period.last)}"
    if period.days == 1:
        return day(period.first)
    if first_of_month(period.first) == first_of_month(period.last):
        first = "1er" if language() == "fr" and period.first.day == 1 else str(period.first.day)
        return f"{first}–{day(period.last)}"
    return f"{day(period.first)} – {day(period.last)}"


def opening(text: str) -> str:
    """With a capital, as a sentence begins."""
    return text[:1].upper() + text[1:]


def short_day(at: date) -> str:
    """ "Thu 1 Oct", for a line of a table."""
    return write_date(at, "EEE d MMM")


def euros(cents: int) -> str:
    """ "8.50 €"."""
    return str(format_currency(cents / 100, "EUR", locale=language()))
