"""The language of a request, and what is said in it.

Guests' pages offer the town's languages; staff pages, reports and the API those of them whose catalogue is whole, and
English where none is. Which of them a page speaks: the ``lang`` of the link or form, else the one that this browser
chose before, by its cookie, else what the browser asks for. English answers a browser that lists none of them, and the
town's own language one that lists nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal
from flask import g, has_request_context, request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from auth.denials import N_
from portal.here import notes, this_request
from portal.http.clients import kept_language
from portal.http.security_headers import is_guest_page
from portal.i18n.catalogues import SOURCE, catalogue, is_rtl, is_whole
from portal.services import services

# Dates as CLDR writes them (Unicode TR 35, part 4): a translation puts the parts in the order of its language.
THIS_DAY, THIS_YEAR, OTHER_YEAR = N_("HH:mm"), N_("EEEE d MMMM HH:mm"), N_("EEEE d MMMM y HH:mm")
DAY_OF_THIS_YEAR, DAY_OF_OTHER_YEAR = N_("EEEE d MMMM"), N_("EEEE d MMMM y")

# What a stranger writes at length is read anew each time: it must not fill our memory.
LONGEST_REMEMBERED = 200

# Where it is another sign than ours: U+060C.
COMMAS = {"ar": "\u060c "}


def town_language() -> str:
    """The town's own language."""
    return services().settings.languages[0]


def whole_languages() -> tuple[str, ...]:
    """The town's languages that staff pages, reports and the API speak."""
    return tuple(code for code in services().settings.languages if is_whole(code)) or (SOURCE,)


def offered_languages() -> tuple[str, ...]:
    """What can be spoken here, the town's own language first."""
    return services().settings.languages if is_guest_page() else whole_languages()


def chosen_language() -> str | None:
    """The language that the link or form names: always in the query, so that no body has to be read for it."""
    noted = notes()
    if "chosen_language" not in noted:
        asked = this_request().args.get("lang", "")
        noted.chosen_language = asked if asked and asked in offered_languages() else None
    chosen: str | None = noted.chosen_language
    return chosen


def language() -> str:
    """The language of this request; on the command line the first of the whole ones."""
    noted = notes()
    if "language" not in noted:
        noted.language = _language() if has_request_context() else whole_languages()[0]
    spoken: str = noted.language
    return spoken


def _language() -> str:
    offered, kept = offered_languages(), kept_language()
    spoken = chosen_language() or (kept if kept in offered else _asked_language(offered))
    if spoken:
        return spoken
    return SOURCE if request.headers.get("Accept-Language") and SOURCE in offered else offered[0]


def _asked_language(offered: tuple[str, ...]) -> str | None:
    """The first that the browser lists of these, whatever its region (lookup, RFC 4647 section 3.4)."""
    for listed, quality in listed_languages(this_request().environ.get("HTTP_ACCEPT_LANGUAGE", "")):
        code = listed.partition("-")[0].lower()
        if quality > 0 and (code in offered or code == "*"):
            return offered[0] if code == "*" else code
    return None


@lru_cache(maxsize=256)
def _read(header: str) -> tuple[tuple[str, float], ...]:
    return tuple(parse_accept_header(header, LanguageAccept))


def listed_languages(header: str) -> tuple[tuple[str, float], ...]:
    """What this Accept-Language lists, the best first. A crowd has a handful of them, and browsers write short ones."""
    return _read(header) if len(header) <= LONGEST_REMEMBERED else _read.__wrapped__(header)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Say what is said here in this language."""
    spoken = language()
    g.language = code
    try:
        yield
    finally:
        g.language = spoken


@dataclass(frozen=True, slots=True)
class TextIn:
    """A text that is kept as data, and the language that it is in."""

    language: str
    text: str


def best_language(texts: Collection[str]) -> str:
    """In which of the languages that there are texts for this request is answered: its own, English, the town's own,
    any."""
    spoken = language()
    if spoken in texts:
        return spoken
    return next((code for code in (SOURCE, town_language(), *texts) if code in texts), spoken)


def language_in_words(code: str) -> str:
    """What the language of this request calls another: "français", "Französisch"."""
    return str(Locale.parse(language()).languages.get(code, code))


def say(message: str, /, **values: object) -> str:
    """`message` in the language of this request, with its ``%(name)s`` filled in."""
    return say_in(language(), message, **values)


def say_in(code: str, message: str, /, **values: object) -> str:
    """`message` in this language."""
    text = catalogue(code).gettext(message)
    return text % (_isolated(values) if is_rtl(code) else values) if values else text


def _isolated(values: Mapping[str, object]) -> dict[str, object]:
    """Values that keep their own direction in a sentence from right to left: a name, an address, a code.

    FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE (Unicode UAX 9, section 2.4): they work in a title and in an
    attribute too, where no <bdi> can stand.
    """
    return {name: f"\u2068{value}\u2069" for name, value in values.items()}


def say_number(one: str, many: str, n: int) -> str:
    """`one` or `many` in the language of this request, with ``%(n)s`` filled in."""
    return catalogue(language()).ngettext(one, many, n) % {"n": n}


def write_date(at: date, pattern: str) -> str:
    """A day, or an instant by its own zone, as this pattern of CLDR writes it in the language of this request."""
    written = format_datetime if isinstance(at, datetime) else format_date
    return str(written(at, pattern, locale=language()))


def comma() -> str:
    """What stands between the parts of a row in the language of this request, with its space."""
    return COMMAS.get(language(), ", ")


def clock_time(at: datetime, zone: str) -> str:
    """A time of day as people say it there: "18:42"; with the offset where that hour exists twice."""
    local = at.astimezone(ZoneInfo(zone))
    text = format_time(local, say(THIS_DAY), locale=language())
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        text += f" (UTC{local.strftime('%z')[:3]})"
    return text


def day_and_time(at: datetime, zone: str, *, now: datetime) -> str:
    """A time of day, with the day where it is not today's, and the year where it is not this one."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return clock_time(at, zone)
    return day_in_words(local, language(), with_year=local.year != today.year)


def day_in_words(local: datetime, code: str, *, with_year: bool) -> str:
    """A day and its time, "dimanche 29 novembre 23:59"."""
    return str(format_datetime(local, say_in(code, OTHER_YEAR if with_year else THIS_YEAR), locale=code))


def calendar_day(local: date, code: str, *, with_year: bool) -> str:
    """A day alone, "dimanche 29 novembre"."""
    return str(
        format_date(local, say_in(code, DAY_OF_OTHER_YEAR if with_year else DAY_OF_THIS_YEAR), locale=code)
    )


def end_time(at: datetime, zone: str, *, now: datetime) -> str:
    """The end of a half-open span, as `day_and_time`. The midnight that ends a day is told as its 23:59."""
    if at.astimezone(ZoneInfo(zone)).time() == time.min:
        at -= timedelta(minutes=1)
    return day_and_time(at, zone, now=now)


def in_words(length: timedelta) -> str:
    """A length as people say it, rounded down: "24 min", "4 h", "1 h 05", "less than a minute"."""
    minutes = max(0, int(length.total_seconds())) // 60
    if minutes < 1:
        return say("less than a minute")
    if minutes < 60:
        return say("%(minutes)s min", minutes=minutes)
    if minutes % 60 == 0:
        return say("%(hours)s h", hours=minutes // 60)
    return say("%(hours)s h %(minutes)s", hours=minutes // 60, minutes=f"{minutes % 60:02}")


def in_full(length: timedelta) -> str:
    """A length written out for a sentence: "30 minutes", "4 hours", "1 h 30"."""
    minutes = max(0, int(length.total_seconds())) // 60
    if minutes < 1 or (minutes > 60 and minutes % 60):
        return in_words(length)
    if minutes < 60:
        return say_number("%(n)s minute", "%(n)s minutes", minutes)
    return say_number("%(n)s hour", "%(n)s hours", minutes // 60)


def volume(octets: int) -> str:
    """An amount of data as people say it, in units of a thousand: "12 MB", "1.4 GB"."""
    if octets < 1_000_000:
        return say("less than 1 MB")
    if octets < 999_500_000:
        return say("%(n)s MB", n=round(octets / 1_000_000))
    return say("%(n)s GB", n=format_decimal(octets / 1_000_000_000, "#,##0.0", locale=language()))
