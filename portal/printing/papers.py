"""The papers, and where each ticket stands on them. All lengths are millimetres."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

A4 = (210.0, 297.0)
# No printer in an office errs by more; what is larger is a typing mistake that would print beside the paper.
MOST_OFFSET = 10.0


class Paper(StrEnum):
    A4 = "a4"
    L7160 = "l7160"
    L7163 = "l7163"
    L7651 = "l7651"
    RECEIPT = "receipt"


class UnfitPaper(Exception):
    """This paper cannot be printed like that. The text is for staff and says what can."""


class UnfitText(UnfitPaper):
    """Something that every ticket must say would be cut off on this paper: `fields` are of `MUST`."""

    def __init__(self, paper: Paper, fields: frozenset[str]) -> None:
        named = " and ".join(sorted(fields))
        super().__init__(f"There is no room for the {named} on {paper.upper()}: take A4 or a receipt.")
        self.fields = fields


# What a ticket that does not say it whole must not be printed without.
MUST = frozenset({"event", "end"})


@dataclass(frozen=True, slots=True)
class Grid:
    """Places of one size on one page: the first at `left`, `top`, the next `pitch_x` or `pitch_y` further on."""

    page: tuple[float, float]
    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float
    cut: bool = False

    @property
    def places(self) -> int:
        return self.columns * self.rows

    def corner(self, place: int) -> tuple[float, float]:
        """Left and top of the `place`-th ticket of a page, counted from 0 in reading order."""
        row, column = divmod(place, self.columns)
        return self.left + column * self.pitch_x, self.top + row * self.pitch_y

    def cuts(self) -> Iterator[tuple[float, float, float, float]]:
        """Where to cut: each line from x, y to x, y. Lines run to the edge of the paper, for the guillotine."""
        if not self.cut:
            return
        width, height = self.page
        for column in range(self.columns + 1):
            x = self.left + column * self.pitch_x
            yield x, 0, x, height
        for row in range(self.rows + 1):
            y = self.top + row * self.pitch_y
            yield 0, y, width, y


# Label sheets as Avery sells them: label, margin and pitch from the makers' templates. Rows touch.
GRIDS = {
    Paper.A4: Grid(A4, 4, 6, 50.0, 47.8, 5.0, 5.1, 50.0, 47.8, cut=True),
    Paper.L7160: Grid(A4, 3, 7, 63.5, 38.1, 7.2, 15.1, 66.04, 38.1),
    Paper.L7163: Grid(A4, 2, 7, 99.1, 38.1, 4.65, 15.1, 101.6, 38.1),
    Paper.L7651: Grid(A4, 5, 13, 38.1, 21.2, 4.7, 10.7, 40.64, 21.2),
    Paper.RECEIPT: Grid((80.0, 120.0), 1, 1, 80.0, 120.0, 0.0, 0.0, 80.0, 120.0),
}
LARGE_GRIDS = {
    Paper.A4: Grid(A4, 2, 4, 100.0, 71.75, 5.0, 5.0, 100.0, 71.75, cut=True),
    Paper.RECEIPT: Grid((80.0, 180.0), 1, 1, 80.0, 180.0, 0.0, 0.0, 80.0, 180.0),
}
# Where a ticket may be as large as it needs to be: for long texts.
ROOMY_GRIDS = {
    (Paper.A4, False): Grid(A4, 3, 5, 66.6, 57.4, 5.1, 5.0, 66.6, 57.4, cut=True),
    (Paper.A4, True): Grid(A4, 2, 2, 100.0, 143.5, 5.0, 5.0, 100.0, 143.5, cut=True),
    (Paper.RECEIPT, False): Grid((80.0, 165.0), 1, 1, 80.0, 165.0, 0.0, 0.0, 80.0, 165.0),
    (Paper.RECEIPT, True): Grid((80.0, 260.0), 1, 1, 80.0, 260.0, 0.0, 0.0, 80.0, 260.0),
}


def grid(paper: Paper, *, large: bool = False, roomy: bool = False) -> Grid:
    """The places of this paper; `roomy` where it can be. Raises `UnfitPaper` for large print on labels, which have no
    room for it."""
    if roomy and (paper, large) in ROOMY_GRIDS:
        return ROOMY_GRIDS[paper, large]
    if not large:
        return GRIDS[paper]
    if paper not in LARGE_GRIDS:
        raise UnfitPaper(f"{paper.upper()} labels are too small for large print: take A4 or receipts.")
    return LARGE_GRIDS[paper]


def check_start(places: Grid, *, offset_mm: tuple[float, float], first_free: int) -> None:
    """Raises `UnfitPaper` where printing would begin beside the sheet."""
    if not 0 <= first_free < places.places:
        raise UnfitPaper(f"The first free place is a number from 0 to {places.places - 1}.")
    if not all(-MOST_OFFSET <= length <= MOST_OFFSET for length in offset_mm):
        raise UnfitPaper(f"An offset is at most {MOST_OFFSET:g} mm either way.")
