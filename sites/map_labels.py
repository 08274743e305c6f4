"""Where the names of streets and rivers stand on a map: along their lines, and over no mark and no other name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sites.map_background import Point

# Of a letter in a sans-serif face, in parts of its size; and how far a name keeps from a mark's middle.
LETTER = 0.56
SIZE = 9.0


@dataclass(frozen=True, slots=True)
class Label:
    """The middle of a name's base line, and its turn in degrees clockwise: never upside down."""

    text: str
    x: float
    y: float
    turn: float


class Labels:
    """Names put on one map, one after the other, each where nothing stands yet."""

    def __init__(self, width: float, height: float, taken: Iterable[Point], keep: float) -> None:
        self._width, self._height = width, height
        # Discs that a name may not touch: the marks, then the letters of the names that are there.
        self._taken = [(x, y, keep) for x, y in taken]

    def along(self, text: str, points: Sequence[Point]) -> Label | None:
        """Put `text` on the longest straight piece that is free; None where there is none."""
        length = LETTER * SIZE * len(text)
        pieces = sorted(itertools.pairwise(points), key=lambda piece: -math.dist(*piece))
        for place in itertools.chain.from_iterable(_places(piece, length) for piece in pieces):
            letters = _letters(place, length)
            if all(self._is_free(x, y) for x, y in letters):
                self._taken += [(x, y, SIZE) for x, y in letters]
                x, y, angle = place
                return Label(text, round(x, 1), round(y, 1), round(math.degrees(angle), 1))
        return None

    def _is_free(self, x: float, y: float) -> bool:
        inside = SIZE <= x <= self._width - SIZE and SIZE <= y <= self._height - SIZE
        return inside and all(
            math.hypot(x - left, y - top) >= keep + SIZE / 2 for left, top, keep in self._taken
        )


Place = tuple[float, float, float]


def _places(piece: tuple[Point, Point], length: float) -> Iterator[Place]:
    """Middles on a piece that is long enough, and the angle there, from left to right."""
    (x, y), (to_x, to_y) = sorted(piece)
    whole = math.dist((x, y), (to_x, to_y))
    # A name may stand out a little at both ends of a piece: streets go on in much the same direction.
    if whole < length * 0.6:
        return
    angle = math.atan2(to_y - y, to_x - x)
    for share in (0.5, 0.35, 0.65, 0.2, 0.8):
        yield x + share * (to_x - x), y + share * (to_y - y), angle


def _letters(place: Place, length: float) -> list[Point]:
    """Points along the name, no farther from one another than it is high."""
    x, y, angle = place
    count = max(2, math.ceil(length / SIZE) + 1)
    steps = [length * (number / (count - 1) - 0.5) for number in range(count)]
    return [(x + step * math.cos(angle), y + step * math.sin(angle)) for step in steps]
