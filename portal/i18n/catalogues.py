"""Catalogues, one file for each language: ``portal/i18n/languages/CODE.po``, read when the language is first spoken.

English is the language of the source texts and needs none. A catalogue holds the texts of every page, or, where its
head says ``X-Pages: guests``, those that guests meet and no others.
"""

from __future__ import annotations

import gettext
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("languages")
SOURCE = "en"


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
        # The reader takes as long to import as a catalogue to read, and the source language needs neither.
        from babel.messages.pofile import read_po

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


_read: dict[str, Catalogue] = {}
_reading = threading.Lock()


@cache
def available() -> frozenset[str]:
    """The codes of all languages that there are."""
    return frozenset({SOURCE, *(path.stem for path in FOLDER.glob("*.po"))})


def catalogue(code: str) -> Catalogue:
    """The catalogue of one of the `available` languages. It is read once, whichever thread asks first."""
    if code not in _read:
        with _reading:
            if code not in _read:
                _read[code] = Catalogue(None if code == SOURCE else FOLDER / f"{code}.po")
    return _read[code]


@cache
def is_whole(code: str) -> bool:
    """Whether staff pages, reports and the API speak this language too, and not guests' pages alone."""
    if code == SOURCE:
        return True
    with (FOLDER / f"{code}.po").open(encoding="utf-8") as file:
        head = file.read(2000).partition("\n\n")[0]
    return "X-Pages: guests" not in head


@cache
def is_rtl(code: str) -> bool:
    """Whether the language is written from right to left (CLDR)."""
    from babel import Locale

    return bool(Locale.parse(code).character_order == "right-to-left")


@cache
def name_of(code: str) -> str:
    """What the language calls itself: "Français"."""
    from babel import Locale

    own = Locale.parse(code)
    name = own.get_language_name(code) or code
    return name[:1].upper() + name[1:]
