"""Languages: catalogues read from ``portal/i18n/languages/*.po`` at start, so that nothing needs to be compiled.

English is the language of the source texts. Which language a page speaks: the ``lang`` of the link or form, else what
the browser asks for, else English; French for a browser that asks for none.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from flask import current_app, g, request

FOLDER = Path(__file__).with_name("languages")
LANGUAGES = {"fr": "Français", "en": "English"}
# The town's own language, and that for a browser that lists none of ours.
DEFAULT, FALLBACK = "fr", "en"


class Catalogue(gettext.NullTranslations):
    """The translations of one language, straight from its ``.po`` file; an unknown text is given as it is."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self._texts: dict[str, str] = {}
        self._plurals: dict[str, tuple[str, ...]] = {}
        self._plural_rule: Callable[[int], int] = lambda n: int(n != 1)
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        with path.open("rb") as file:
            catalogue = read_po(file)
        self._plural_rule = gettext.c2py(catalogue.plural_expr)
        for message in catalogue:
            if isinstance(message.id, (tuple, list)):
                self._plurals[message.id[0]] = tuple(message.string or ())
            elif message.id and message.string:
                self._texts[message.id] = str(message.string)

    def gettext(self, message: str) -> str:
        return self._texts.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        forms = self._plurals.get(msgid1)
        if not forms:
            return msgid1 if n == 1 else msgid2
        return forms[self._plural_rule(n)]


def load_catalogues() -> dict[str, Catalogue]:
    """All catalogues, by language code."""
    return {code: Catalogue(path if (path := FOLDER / f"{code}.po").exists() else None) for code in LANGUAGES}


def chosen_language() -> str | None:
    """The language that the link or form names: always in the query, so that no body has to be read for it."""
    asked = request.args.get("lang", "")
    return asked if asked in LANGUAGES else None


def language() -> str:
    """The language of this request."""
    if "language" not in g:
        asked = request.accept_languages.best_match(list(LANGUAGES))
        g.language = chosen_language() or asked or (FALLBACK if request.accept_languages else DEFAULT)
    chosen: str = g.language
    return chosen


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Say what is said here in this language."""
    spoken = language()
    g.language = code
    try:
        yield
    finally:
        g.language = spoken


def say(message: str, **values: object) -> str:
    """`message` in the language of this request, with its ``%(name)s`` filled in."""
    text = _catalogue().gettext(message)
    return text % values if values else text


def say_number(one: str, many: str, n: int) -> str:
    """`one` or `many` in the language of this request, with ``%(n)s`` filled in."""
    return _catalogue().ngettext(one, many, n) % {"n": n}


def _catalogue() -> Catalogue:
    catalogues: dict[str, Catalogue] = current_app.extensions["arobase-catalogues"]
    return catalogues[language()]


def clock_time(at: datetime, zone: str) -> str:
    """A time of day as people say it there: "18:42"; with the offset where that hour exists twice."""
    local = at.astimezone(ZoneInfo(zone))
    text = format_time(local, "HH:mm", locale=language())
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        text += f" (UTC{local.strftime('%z')[:3]})"
    return text


def day_and_time(at: datetime, zone: str, *, now: datetime) -> str:
    """A time of day, with the day where it is not today's, and the year where it is not this one."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return clock_time(at, zone)
    pattern = "EEEE d MMMM HH:mm" if local.year == today.year else "EEEE d MMMM y HH:mm"
    return format_datetime(local, pattern, locale=language())


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
