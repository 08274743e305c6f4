"""Tickets in, pages out: the document for the printer, and the very same pages for the screen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from portal.printing.pages import Job, fit
from portal.printing.papers import MUST, Paper, UnfitText, check_start, grid
from portal.printing.tickets import PrintedVoucher, check
from portal.printing.typesetter import typeset

TITLE = "Pass wifi"


def print_pdf(
    tickets: Sequence[PrintedVoucher],
    *,
    paper: Paper,
    offset_mm: tuple[float, float] = (0.0, 0.0),
    first_free: int = 0,
    large: bool = False,
    title: str = TITLE,
) -> bytes:
    """A tagged PDF of these tickets, in this order.

    `offset_mm` moves all to the right and down, for a printer that prints beside. `first_free` is the first place
    to use of a begun sheet, counted from 0 in reading order. Print at actual size, not fitted to the page.

    Long texts get larger tickets where the paper is cut to size; where event or end would be cut off all the same,
    nothing is printed.

    Raises `UnprintableVoucher`, `OversizedPrint`, `UnfitPaper` (`UnfitText` for what would be cut off); `RendererBusy`
    or `FailedPrinting` from the press.
    """
    return typeset(_job(tickets, paper, offset_mm, first_free, large, title, "pdf"))


def preview_svg(
    tickets: Sequence[PrintedVoucher],
    *,
    paper: Paper,
    offset_mm: tuple[float, float] = (0.0, 0.0),
    first_free: int = 0,
    large: bool = False,
    title: str = TITLE,
    pages: int | None = 3,
) -> list[str]:
    """The first `pages` pages of `print_pdf` as SVG; None means all, at 1 MB each. Raises as `print_pdf` does.

    Serve each as a picture of its own (``image/svg+xml`` in an ``img``): it carries its codes as ``data:`` pictures.
    """
    job = _job(tickets, paper, offset_mm, first_free, large, title, "svg")
    if pages is not None:
        room = max(1, pages) * grid(paper, large=large, roomy=job.roomy).places - first_free
        job = replace(job, tickets=job.tickets[:room])
    drawn = json.loads(typeset(job))
    return [str(page) for page in drawn]


def _job(
    tickets: Sequence[PrintedVoucher],
    paper: Paper,
    offset_mm: tuple[float, float],
    first_free: int,
    large: bool,
    title: str,
    form: str,
) -> Job:
    check(tickets)
    fitting = fit(tickets, paper=paper, large=large)
    if fitting.cut & MUST:
        raise UnfitText(paper, fitting.cut & MUST)
    check_start(grid(paper, large=large, roomy=fitting.roomy), offset_mm=offset_mm, first_free=first_free)
    bare = [replace(ticket, logo=None) for ticket in tickets]
    return Job(bare, paper, offset_mm, first_free, large, title, form, fitting.roomy, tickets[0].logo)
