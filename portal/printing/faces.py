"""How wide our faces set a text: the advance widths of the very font files that the press uses.

OpenType tables `cmap` (format 4), `head`, `hhea` and `hmtx`; kerning, which brings most pairs closer, is left out.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from portal.printing.arabic import joined

FONTS = Path(__file__).parent / "fonts"
FILES = {
    (False, False): "AtkinsonHyperlegibleNext_400Regular.ttf",
    (False, True): "AtkinsonHyperlegibleNext_700Bold.ttf",
    (True, True): "AtkinsonHyperlegibleMono_700Bold.ttf",
}
# What these lack is looked for in the Arabic ones.
ARABIC = {False: "Vazirmatn_400Regular.ttf", True: "Vazirmatn_700Bold.ttf"}
# What all of them lack is set in the wider one of emoji, or as a box.
WIDEST = 1.4
# The greatest offset of a character in a run of the table: one beyond says that there is none.
LAST = 0xFFFF


def width(text: str, *, bold: bool, mono: bool = False) -> float:
    """The width of `text` on one line, in type sizes."""
    face = _face(FILES[mono, bold or mono])
    return sum(_width(sign, face, bold=bold) for sign in joined(text))


@lru_cache(maxsize=1024)
def wrap(text: str, room: float, *, bold: bool) -> tuple[str, ...]:
    """`text` in lines that are at most `room` type sizes wide: broken at spaces, and within a longer word."""
    lines: list[str] = []
    line, used, space = "", 0.0, _word(" ", bold)
    for word in text.split(" "):
        if line and used + space + _word(word, bold) <= room:
            line, used = f"{line} {word}", used + space + _word(word, bold)
            continue
        if line:
            lines.append(line)
        *whole, line = _pieces(word, room, bold=bold)
        lines += whole
        used = _word(line, bold)
    return (*lines, line)


@lru_cache(maxsize=4096)
def _word(word: str, bold: bool) -> float:
    return width(word, bold=bold)


def _pieces(word: str, room: float, *, bold: bool) -> list[str]:
    """A word in parts that fit; the last one may be all of it."""
    pieces, start = [], 0
    for end in range(1, len(word) + 1):
        if end - start > 1 and width(word[start:end], bold=bold) > room:
            pieces.append(word[start : end - 1])
            start = end - 1
    return [*pieces, word[start:]]


def _width(sign: str, face: Mapping[int, float], *, bold: bool) -> float:
    if unicodedata.combining(sign):
        return 0.0
    found = face.get(ord(sign))
    return _face(ARABIC[bold]).get(ord(sign), WIDEST) if found is None else found


@cache
def _face(name: str) -> dict[int, float]:
    """The advance width of each character that the font has, in type sizes."""
    content = (FONTS / name).read_bytes()
    (count,) = struct.unpack_from(">H", content, 4)
    tables = {}
    for number in range(count):
        tag, _, start, length = struct.unpack_from(">4sIII", content, 12 + 16 * number)
        tables[tag] = content[start : start + length]
    (units,) = struct.unpack_from(">H", tables[b"head"], 18)
    (metrics,) = struct.unpack_from(">H", tables[b"hhea"], 34)
    advances = [struct.unpack_from(">H", tables[b"hmtx"], 4 * number)[0] for number in range(metrics)]
    return {
        sign: advances[min(glyph, metrics - 1)] / units for sign, glyph in _glyphs(tables[b"cmap"]).items()
    }


def _glyphs(cmap: bytes) -> dict[int, int]:
    """The glyph of each character, from the first subtable of format 4."""
    (count,) = struct.unpack_from(">H", cmap, 2)
    starts = [struct.unpack_from(">HHI", cmap, 4 + 8 * number)[2] for number in range(count)]
    start = next(one for one in starts if struct.unpack_from(">H", cmap, one)[0] == 4)
    runs = struct.unpack_from(">H", cmap, start + 6)[0] // 2
    ends = struct.unpack_from(f">{runs}H", cmap, start + 14)
    firsts = struct.unpack_from(f">{runs}H", cmap, start + 16 + 2 * runs)
    shifts = struct.unpack_from(f">{runs}h", cmap, start + 16 + 4 * runs)
    at = start + 16 + 6 * runs
    offsets = struct.unpack_from(f">{runs}H", cmap, at)
    found = {}
    for number in range(runs):
        for sign in range(firsts[number], ends[number] + 1):
            glyph = sign
            if offsets[number]:
                where = at + 2 * number + offsets[number] + 2 * (sign - firsts[number])
                (glyph,) = struct.unpack_from(">H", cmap, where)
            if glyph and sign != LAST:
                found[sign] = (glyph + shifts[number]) & LAST
    return found
