"""The rows of an imported file before they mean anything: text by column name, and where each row stands."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gateways.sentences import Sentence
from sites.errors import ImportFault, RefusedImport

# Where a fault stands that is the whole file's.
FILE = Sentence("file")
MAX_BYTES = 8 * 1024 * 1024
_NOT_UTF8 = Sentence("neither UTF-8 nor the Windows-1252 of a French text: save it as 'CSV UTF-8'")

Cell = str | int | float | bool | None | list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """`where` names it for people: ``line 7`` of a table, ``feature 3`` of a collection."""

    where: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """All rows of a file, and the faults of those that are unreadable. `head` is where column names stand."""

    rows: Sequence[Row]
    faults: Sequence[ImportFault] = ()
    head: str | None = None
    # The columns of a table; features have no header.
    names: tuple[str, ...] = ()


# The letters outside ASCII that French text has. Others say that the file is in an encoding that nobody named.
_FRENCH = frozenset(
    "àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒÆ«»‘’“”…–—•°ºª²³½¼¾µ€£§·×±©®ñÑáíóúßÁÍÓÚ¿¡\u00a0\u00ad"
)


def decode(content: bytes) -> str:
    """The text of a file as spreadsheets save it: UTF-8, UTF-16 with its mark, or Windows-1252 of French letters.

    Raises RefusedImport when it is too large, in another encoding, or holds a NUL.
    """
    if len(content) > MAX_BYTES:
        raise _refusal(
            FILE,
            Sentence(
                "%(count)s bytes; at most %(most)s are read",
                count=f"{len(content):,}",
                most=f"{MAX_BYTES:,}",
            ),
        )
    text = _utf16(content) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else _utf8(content)
    if "\0" in text:
        raise _refusal(
            _line(text[: text.index("\0")].count("\n")), Sentence("holds a NUL: this is not a text file")
        )
    return text


def _utf16(content: bytes) -> str:
    try:
        return content.decode("utf-16")
    except UnicodeDecodeError as error:
        raise _refusal(FILE, Sentence("begins like UTF-16 and is cut off: save it as 'CSV UTF-8'")) from error


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n")
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as error:
        raise _refusal(_line(content[: error.start].count(b"\n")), _NOT_UTF8) from error
    for letter in text:
        if not letter.isascii() and letter not in _FRENCH:
            raise _refusal(
                _line(line),
                Sentence(
                    "%(fault)s (read as Windows-1252 it holds '%(letter)s')",
                    fault=_NOT_UTF8,
                    letter=letter,
                ),
            )
    return text


def as_cell(value: object) -> Cell:
    """A value of a record as JSON would have it."""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [str(part) for part in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"{value!r} has no form in a file")


def as_text(cell: object) -> str:
    """A cell as a table would have it. Raises ValueError for what no cell can be."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, list):
        return " ".join(as_text(part) for part in cell)
    if isinstance(cell, str | int | float):
        return str(cell)
    raise ValueError(Sentence("is neither text, number, true, false, null nor a list of those"))


def line(number: int) -> Sentence:
    """Where a row of a table stands."""
    return Sentence("line %(number)s", number=number)


def _line(number_of_breaks: int) -> Sentence:
    return line(number_of_breaks + 1)


def _refusal(where: str, reason: Sentence) -> RefusedImport:
    return RefusedImport([ImportFault(where, None, reason)])
