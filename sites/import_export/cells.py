"""How each kind of cell is read. Every reader takes the cell's text and raises ValueError with the reason."""

from __future__ import annotations

import enum
import functools
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeVar

from gateways.sentences import Sentence
from sites import opening_hours as hours
from sites.holidays import ZONES

Word = TypeVar("Word", bound=enum.StrEnum)

SLUG = re.compile(r"[a-z0-9-]{1,64}")
_WHOLE = re.compile(r"(-?[0-9]{1,12})(?:[.,]0+)?")
_NUMBER = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,20})?([eE][+-]?[0-9]{1,2})?")
# French puts a no-break space before : ; ! ? and between thousands, and spreadsheets leave them at the ends of cells.
_BLANKS = " \u00a0\u202f"
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_FRENCH_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?")
_YES = ("true", "1", "yes", "oui", "vrai")
_NO = ("false", "0", "no", "non", "faux", "")


def line_of_text(longest: int, *, needed: bool = False) -> Callable[[str], str]:
    """One line, without control characters, without the spaces around it."""

    def read(text: str) -> str:
        text = text.strip(_BLANKS)
        if needed and not text:
            raise ValueError(Sentence("is empty"))
        if not all(letter.isprintable() or letter in _BLANKS for letter in text):
            raise ValueError(Sentence("holds a line break or a control character"))
        return _bounded(text, longest)

    return read


def lines_of_text(longest: int, *, needed: bool = False) -> Callable[[str], str]:
    """Text of several lines, kept as it is."""

    def read(text: str) -> str:
        if needed and not text.strip():
            raise ValueError(Sentence("is empty"))
        if any(not (letter.isprintable() or letter in _BLANKS + "\n\r\t") for letter in text):
            raise ValueError(Sentence("holds a control character"))
        return _bounded(text, longest)

    return read


def slug(text: str) -> str:
    if not text.strip():
        raise ValueError(Sentence("is empty"))
    if not SLUG.fullmatch(text.strip()):
        raise ValueError(Sentence("'%(text)s' is not 1 to 64 of a-z, 0-9 and -", text=text[:80]))
    return text.strip()


def slugs(text: str) -> tuple[str, ...]:
    """Slugs with spaces (or commas) between them, in order of the alphabet."""
    return tuple(sorted({slug(part) for part in text.replace(",", " ").split()}))


def word(kind: type[Word]) -> Callable[[str], Word]:
    def read(text: str) -> Word:
        if not text.strip():
            raise ValueError(Sentence("is empty: one of %(words)s", words=", ".join(kind)))
        try:
            return kind(text.strip())
        except ValueError as error:
            raise ValueError(
                Sentence("'%(text)s' is none of %(words)s", text=text[:40], words=", ".join(kind))
            ) from error

    return read


def words(kind: type[Word]) -> Callable[[str], tuple[Word, ...]]:
    """Words with spaces between them, in the order in which the kind names them, at least one."""
    one = word(kind)

    def read(text: str) -> tuple[Word, ...]:
        found = {one(part) for part in text.replace(",", " ").split()}
        if not found:
            raise ValueError(Sentence("is empty: at least one of %(words)s", words=", ".join(kind)))
        return tuple(member for member in kind if member in found)

    return read


def yes_or_no(text: str) -> bool:
    answer = text.strip().lower()
    if answer not in _YES + _NO:
        raise ValueError(Sentence("'%(text)s' is neither true nor false", text=text[:40]))
    return answer in _YES


def yes_no_or_none(text: str) -> bool | None:
    return yes_or_no(text) if text.strip() else None


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        match = _WHOLE.fullmatch(re.sub(f"(?<=[0-9])[{_BLANKS}](?=[0-9]{{3}})", "", text.strip()))
        if match is None:
            raise ValueError(Sentence("'%(text)s' is not a whole number", text=text[:40]))
        if not least <= int(match[1]) <= most:
            raise ValueError(
                Sentence(
                    "%(number)s is not between %(least)s and %(most)s",
                    number=match[1],
                    least=least,
                    most=most,
                )
            )
        return int(match[1])

    return read


def whole_or_none(least: int, most: int) -> Callable[[str], int | None]:
    read = whole(least, most)
    return lambda text: read(text) if text.strip() else None


def degrees(limit: int) -> Callable[[str], float]:
    """Decimal degrees between -limit and limit, with a point or a French comma."""

    def read(text: str) -> float:
        if not text.strip():
            raise ValueError(Sentence("is empty: a number of degrees like 47.2473"))
        if not _NUMBER.fullmatch(text.strip()):
            raise ValueError(Sentence("'%(text)s' is not a number of degrees like 47.2473", text=text[:40]))
        number = float(text.strip().replace(",", "."))
        if not -limit <= number <= limit:
            raise ValueError(
                Sentence("%(number)s is not between -%(limit)s and %(limit)s", number=number, limit=limit)
            )
        return number

    return read


def day(text: str) -> date | None:
    """A day as ISO 8601 or as the French write it (31/08/2027), with or without a time of day; or empty."""
    text = text.strip()
    if not text:
        return None
    if text.startswith("0000-00-00"):
        raise ValueError(Sentence("0000-00-00 is no day: leave the cell empty where there is none"))
    if text.isdecimal() and len(text) == 5:
        raise ValueError(
            Sentence(
                "'%(text)s' is how a spreadsheet counts days: format the column as a date, such as 2027-08-31",
                text=text,
            )
        )
    match, french = _DAY.fullmatch(text), _FRENCH_DAY.fullmatch(text)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
        if french:
            return date(int(french[3]), int(french[2]), int(french[1]))
    except ValueError:
        pass
    raise ValueError(Sentence("'%(text)s' is not a date such as 2027-08-31 or 31/08/2027", text=text[:20]))


def instant(text: str) -> datetime | None:
    """An instant as ISO 8601 with its offset, or empty."""
    if not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(
            Sentence("'%(text)s' is not a date like 2026-11-22T08:00:00+01:00", text=text[:40])
        ) from error
    if at.tzinfo is None:
        raise ValueError(
            Sentence(
                "'%(text)s' does not say its offset: 2026-11-22T08:00:00+01:00, or Z for UTC", text=text[:40]
            )
        )
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(Sentence("'%(text)s' is out of range", text=text[:40])) from error


def opening_hours(text: str) -> str:
    """Opening hours; raises InvalidHours, which is a ValueError."""
    text = _bounded(text.strip(), 300)
    hours.parse(text)
    return text


def school_zone(text: str) -> str:
    """A zone of the French school calendar, or empty."""
    letter = text.strip().upper().removeprefix("ZONE").strip()
    if letter and letter not in ZONES:
        raise ValueError(
            Sentence("'%(text)s' is no zone of the school calendar: A, B or C, or empty", text=text[:20])
        )
    return letter


def zone(text: str) -> str:
    if text.strip() not in _zones():
        raise ValueError(Sentence("'%(text)s' is no time zone like Europe/Paris", text=text[:40]))
    return text.strip()


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _bounded(text: str, longest: int) -> str:
    if len(text) > longest:
        raise ValueError(
            Sentence(
                "is %(count)s characters long; at most %(longest)s fit", count=len(text), longest=longest
            )
        )
    return text
