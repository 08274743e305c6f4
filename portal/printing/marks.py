"""What a page is made of: lines of text and codes, each at its place. Lengths are millimetres, type sizes points."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

from portal.printing import faces
from portal.printing.faces import wrap
from portal.printing.qr import Drawing
from portal.printing.tickets import plain

POINT = 25.4 / 72
# Lines stand this much further apart than the type is high; sheet.typ sets the same.
LEADING = 0.15
# In points. What is smaller is a grey line to most readers; sizes are tried in steps of so much.
SMALLEST, STEP = 4.5, 0.25
# Of a longer text nothing more is looked at: it fits nowhere.
LONGEST = 1_500
SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class Set:
    """A text as it stands in its box: its type size, its lines, and whether something of it is missing."""

    size: float
    lines: tuple[str, ...]
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class TextBox:
    """Text in a box that is `width` wide and holds `lines` lines. `turned` text runs upward from its lower left.

    What does not fit at `size` is set smaller, down to `least`; only then its end is cut off. `parts` names the fields
    that `text` tells one after the other, each with its own text, for whoever has to be warned of what is cut.
    """

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
    least: float = SMALLEST
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def height(self) -> float:
        return height_of(self.lines, self.size)

    @property
    def cut(self) -> set[str]:
        """The fields that are not told to their end."""
        done = self._set()
        if self.is_code or not done.is_cut:
            return set()
        kept = _signs("".join(done.lines)) - 1
        ends = itertools.accumulate(_signs(plain(text)) + 1 for _, text in self.parts)
        return {field for (field, text), end in zip(self.parts, ends, strict=True) if text and end - 1 > kept}

    def at(self, x: float, y: float) -> dict[str, object]:
        done = Set(self.size, (self.text,)) if self.is_code else self._set()
        return {
            "text": "\n".join(done.lines),
            "x": self.x + x,
            "y": self.y + y,
            "width": self.width,
            "height": self.height,
            "size": done.size,
            "lang": self.lang,
            "align": self.align,
            "bold": self.bold,
            "code": self.is_code,
            "turned": self.turned,
        }

    def _set(self) -> Set:
        return set_in(self.text, self.width, self.height, self.size, min(self.least, self.size), self.bold)


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


Mark = TextBox | Square


def height_of(lines: int, size: float) -> float:
    """How high `lines` lines of this type size stand."""
    return (lines + (lines - 1) * LEADING) * size * POINT


@lru_cache(maxsize=1024)
def set_in(text: str, width: float, height: float, size: float, least: float, bold: bool) -> Set:
    """`text` as one plain text in a box: as large as it fits, between `least` and `size`; else cut at `least`."""
    clean = plain(text)[:LONGEST]
    while True:
        lines = wrap(clean, width / (size * POINT), bold=bold)
        most = max(1, math.floor((height / (size * POINT) + LEADING) / (1 + LEADING) + 1e-6))
        if len(lines) <= most:
            return Set(size, lines)
        if size <= least:
            return Set(
                size, (*lines[: most - 1], _cut(lines[most - 1], width / (size * POINT), bold)), is_cut=True
            )
        size = max(least, size - STEP)


def joined(
    *parts: tuple[str, str],
    x: float,
    y: float,
    width: float,
    size: float,
    lines: int = 1,
    lang: str = "",
    align: str = "left",
    bold: bool = False,
    least: float = SMALLEST,
) -> TextBox:
    """Several fields in one flow of text; what is empty is left out."""
    present = tuple(part for part in parts if part[1])
    text = " · ".join(text for _, text in present)
    return TextBox(text, x, y, width, size, lines, lang, align, bold, least=least, parts=present)


def _signs(text: str) -> int:
    """How many signs are printed, wherever lines break."""
    return sum(not sign.isspace() for sign in text)


def _cut(line: str, room: float, bold: bool) -> str:
    while line and faces.width(f"{line}…", bold=bold) > room:
        line = line[:-1].rstrip()
    return f"{line}…"


@lru_cache(maxsize=1024)
def fitting(text: str, width: float, size: float) -> float:
    """The type size, at most `size`, at which the whole of `text` stands on one line of `width`, in bold too."""
    letters = faces.width(plain(text), bold=True) or 1.0
    return min(size, math.floor(100 * width / (letters * POINT)) / 100)
