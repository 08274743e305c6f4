"""What a page is made of: lines of text and codes, each at its place. Lengths are millimetres, type sizes points."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from portal.printing.tickets import plain
from portal.qr import Drawing

POINT = 25.4 / 72
# Lines stand this much further apart than the type is high; sheet.typ sets the same.
LEADING = 0.15
# The mean width of a letter of our text face, in type sizes.
LETTER = 0.48
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class Line:
    """Text in a box that is `width` wide and holds `lines` lines. `turned` text runs upward from its lower left."""

    text: str
    x: float
    y: float
    width: float
    size: float
    lines: int = 1
    lang: str = ""
    align: str = "left"
    bold: bool = False
    is_code: bool = False
    turned: bool = False

    @property
    def height(self) -> float:
        return height_of(self.lines, self.size)

    def at(self, x: float, y: float) -> dict[str, object]:
        return {
            "text": shorten(self.text, self.lines * self.width / (self.size * POINT * LETTER)),
            "x": self.x + x,
            "y": self.y + y,
            "width": self.width,
            "height": self.height,
            "size": self.size,
            "lang": self.lang,
            "align": self.align,
            "bold": self.bold,
            "code": self.is_code,
            "turned": self.turned,
        }


@dataclass(frozen=True, slots=True)
class Square:
    """A QR code whose dark part begins at `x`, `y`: the blank margin around it is the layout's duty."""

    drawing: Drawing
    x: float
    y: float
    side: float
    alt: str
    lang: str

    def at(self, x: float, y: float) -> dict[str, object]:
        n = self.drawing.side
        return {
            "svg": f'<svg xmlns="{SVG}" viewBox="0 0 {n} {n}"><path d="{self.drawing.path}"/></svg>',
            "x": self.x + x,
            "y": self.y + y,
            "side": self.side,
            "alt": plain(self.alt),
            "lang": self.lang,
        }


Mark = Line | Square


def height_of(lines: int, size: float) -> float:
    """How high `lines` lines of this type size stand."""
    return (lines + (lines - 1) * LEADING) * size * POINT


@lru_cache(maxsize=1024)
def shorten(text: str, letters: float) -> str:
    """`text` as one plain line of at most that many letters' width; what is cut off ends in an ellipsis."""
    clean = plain(text)
    # Twice the letters cannot fit, whatever they are: a note of a book's length costs nothing.
    clean = clean if len(clean) <= 2 * letters else clean[: int(2 * letters)]
    used = 0.0
    for position, sign in enumerate(clean):
        used += _width(sign)
        if used > letters:
            return clean[: max(0, position - 1)].rstrip() + "…"
    return clean


@lru_cache(maxsize=1024)
def fitting(text: str, width: float, size: float) -> float:
    """The type size, at most `size`, at which the whole of `text` stands on one line of `width`."""
    letters = sum(_width(sign) for sign in plain(text)) or 1.0
    return min(size, math.floor(100 * width / (letters * LETTER * POINT)) / 100)


def _width(sign: str) -> float:
    """In letters. Ideographs and emoji are wide; a mark upon a letter takes no room."""
    if unicodedata.combining(sign):
        return 0.0
    if unicodedata.east_asian_width(sign) in {"W", "F"}:
        return 2.4
    return 1.35 if sign.isupper() or sign in "mwMW@" else 1.08
