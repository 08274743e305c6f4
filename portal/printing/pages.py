"""From tickets to pages of marks: the job that the portal hands over, and the pages that are typeset from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from portal.printing.layouts import Codes, lay_out, logo_room
from portal.printing.logos import PrintedLogo
from portal.printing.marks import TextBox
from portal.printing.papers import ROOMY_GRIDS, Grid, Paper, grid
from portal.printing.qr import Drawing, draw
from portal.printing.tickets import PrintedVoucher, plain
from portal.printing.words import TicketWords


@dataclass(frozen=True, slots=True)
class Job:
    """One document: `form` is ``pdf``, ``svg`` or ``dots``; the other words are those of `print_pdf`."""

    tickets: Sequence[PrintedVoucher]
    paper: Paper
    offset_mm: tuple[float, float]
    first_free: int
    large: bool
    title: str
    form: str
    # Whether tickets take more room than they commonly do: see `Fit`.
    roomy: bool = False
    # The logo of all tickets, once.
    logo: PrintedLogo | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether these tickets need the roomier places of their paper, and which fields are cut off even so."""

    roomy: bool
    cut: frozenset[str]


def fit(tickets: Sequence[PrintedVoucher], *, paper: Paper, large: bool) -> Fit:
    """How the texts of these tickets fit this paper. Raises as `grid` does."""
    common = _cut(tickets, paper, large, roomy=False)
    if not common or (paper, large) not in ROOMY_GRIDS:
        return Fit(False, common)
    return Fit(True, _cut(tickets, paper, large, roomy=True))


def _cut(tickets: Sequence[PrintedVoucher], paper: Paper, large: bool, *, roomy: bool) -> frozenset[str]:
    places = grid(paper, large=large, roomy=roomy)
    # Tickets of one batch differ in code and number alone.
    alike = {replace(one, mark="0" * len(one.mark)).texts: one for one in tickets}
    return frozenset(
        field
        for ticket in alike.values()
        for mark in lay_out(ticket, _codes(ticket), paper, places, large=large, roomy=roomy)
        if isinstance(mark, TextBox)
        for field in mark.cut
    )


def write_job(job: Job) -> dict[str, Any]:
    """The job as plain values for JSON."""
    return asdict(job)


def read_job(values: Mapping[str, Any]) -> Job:
    tickets = [
        PrintedVoucher(
            **{**each, "words": {code: TicketWords(**said) for code, said in each["words"].items()}}
        )
        for each in values["tickets"]
    ]
    left, down = values["offset_mm"]
    logo = None if values["logo"] is None else PrintedLogo(**values["logo"])
    read = {"tickets": tickets, "paper": Paper(values["paper"]), "offset_mm": (left, down), "logo": logo}
    return Job(**{**values, **read})


def make_pages(job: Job) -> dict[str, Any]:
    """What sheet.typ reads: the size of the page, and for each page its cuts and its marks."""
    places = grid(job.paper, large=job.large, roomy=job.roomy)
    width, height = places.page
    return {
        "title": plain(job.title),
        "lang": job.tickets[0].languages[0],
        "logo": None if job.logo is None else asdict(job.logo),
        "width": width,
        "height": height,
        "pages": list(_pages(job, places)),
    }


def _pages(job: Job, places: Grid) -> Iterator[dict[str, Any]]:
    right, down = job.offset_mm
    cuts = [(x + right, y + down, to_x + right, to_y + down) for x, y, to_x, to_y in places.cuts()]
    first, count = job.first_free, places.places
    for start in range(0, first + len(job.tickets), count):
        marks: list[dict[str, object]] = []
        for place in range(max(start, first), min(start + count, first + len(job.tickets))):
            x, y = places.corner(place - start)
            marks += _marks(job, places, job.tickets[place - first], x + right, y + down)
        yield {"cuts": cuts, "marks": marks}


def _marks(job: Job, places: Grid, ticket: PrintedVoucher, x: float, y: float) -> list[dict[str, object]]:
    marks = [
        mark.at(x, y)
        for mark in lay_out(ticket, _codes(ticket), job.paper, places, large=job.large, roomy=job.roomy)
    ]
    room = logo_room(job.paper, places, large=job.large, roomy=job.roomy) if job.logo else None
    if room is not None:
        left, top, width, height = room
        marks.append({"logo": True, "x": x + left, "y": y + top, "width": width, "height": height})
    return marks


def _codes(ticket: PrintedVoucher) -> Codes:
    return Codes(_draw_joining(ticket.join), draw(ticket.redeem_url))


@cache
def _draw_joining(text: str) -> Drawing:
    """The same for a whole batch, so it is drawn once."""
    return draw(text)
