"""From tickets to pages of marks: the job that the portal hands over, and the pages that are typeset from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from portal.printing.layouts import Codes, lay_out
from portal.printing.papers import Grid, Paper, grid
from portal.printing.tickets import Ticket, plain
from portal.qr import Drawing, draw


@dataclass(frozen=True, slots=True)
class Job:
    """One document: `form` is ``pdf`` or ``svg``; the other words are those of `print_pdf`."""

    tickets: Sequence[Ticket]
    paper: Paper
    offset_mm: tuple[float, float]
    first_free: int
    large: bool
    title: str
    form: str


def write_job(job: Job) -> dict[str, Any]:
    """The job as plain values for JSON."""
    return asdict(job)


def read_job(values: Mapping[str, Any]) -> Job:
    tickets = [Ticket(**{**each, "languages": tuple(each["languages"])}) for each in values["tickets"]]
    left, down = values["offset_mm"]
    return Job(**{**values, "tickets": tickets, "paper": Paper(values["paper"]), "offset_mm": (left, down)})


def make_pages(job: Job) -> dict[str, Any]:
    """What sheet.typ reads: the size of the page, and for each page its cuts and its marks."""
    places = grid(job.paper, large=job.large)
    width, height = places.page
    return {
        "title": plain(job.title),
        "lang": job.tickets[0].languages[0],
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


def _marks(job: Job, places: Grid, ticket: Ticket, x: float, y: float) -> list[dict[str, object]]:
    codes = Codes(_draw_joining(ticket.join), draw(ticket.redeem_url))
    return [mark.at(x, y) for mark in lay_out(ticket, codes, job.paper, places, large=job.large)]


@cache
def _draw_joining(text: str) -> Drawing:
    """The same for a whole batch, so it is drawn once."""
    return draw(text)
