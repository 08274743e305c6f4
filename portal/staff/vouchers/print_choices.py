"""How tickets are to be printed: what a desk's form says, read and checked before the press is asked."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from portal.printing.pages import Fit, fit
from portal.printing.papers import MOST_OFFSET, Paper, UnfitPaper, UnfitText, grid
from portal.printing.receipt_pictures import draw_receipt
from portal.printing.receipts import print_escpos
from portal.printing.sheets import preview_svg, print_pdf
from portal.printing.tickets import OversizedPrint, PrintedVoucher, UnprintableVoucher
from portal.printing.typesetter import FailedPrinting, RendererBusy
from portal.services import services
from portal.staff.vouchers.errors import NoRoom, UnfitChoice, Unprinted
from portal.staff.vouchers.preferences import DeskPreferences, desk_preferences
from portal.staff.vouchers.voucher_words import ESCPOS

log = logging.getLogger(__name__)
NO_OFFSET = (0.0, 0.0)
# What the form of the page chooses.
CHOICES = ("paper", "language", "second", "large", "first_free", "right", "down")


@dataclass(frozen=True, slots=True)
class Choices:
    """`paper` is the value of a `Paper`, or `ESCPOS`; `first_free` counts from 0."""

    paper: str
    languages: tuple[str, ...]
    large: bool = False
    first_free: int = 0
    offset_mm: tuple[float, float] = NO_OFFSET

    def pages(self, tickets: int, *, roomy: bool = False) -> int:
        """How many sheets, or receipts, so many tickets take."""
        if self.paper == ESCPOS:
            return tickets
        places = grid(Paper(self.paper), large=self.large, roomy=roomy).places
        return math.ceil((self.first_free + tickets) / places)


def read(form: Mapping[str, str]) -> Choices:
    """What the form says. A receipt has no first free label. Raises `UnfitChoice`, which names the field."""
    paper, languages, large = form.get("paper", Paper.A4.value), read_languages(form), "large" in form
    if paper == ESCPOS:
        return Choices(paper, languages)
    if paper not in set(Paper):
        raise UnfitChoice("paper")
    try:
        places = grid(Paper(paper), large=large).places
    except UnfitPaper as error:
        raise UnfitChoice("large") from error
    first = 0 if places == 1 else _first_free(form, places)
    return Choices(paper, languages, large, first, (_offset(form, "right"), _offset(form, "down")))


def shown(habits: DeskPreferences) -> dict[str, str]:
    """The fields of the form as the browser's habits fill them."""
    first, second = (*habits.languages, "")[:2]
    fields = {"paper": habits.paper, "language": first, "second": second}
    fields |= {name: f"{mm:g}" for name, mm in zip(("right", "down"), habits.offset_mm, strict=True) if mm}
    return fields | ({"large": "on"} if habits.large else {})


def chosen_fields(form: Mapping[str, str]) -> dict[str, str]:
    """Those fields of the form that were filled, to be handed on."""
    return {name: form[name] for name in CHOICES if form.get(name)}


def habits_after(choices: Choices) -> DeskPreferences:
    """The habits of this browser once it has printed so. A receipt printer of one's own commands has no offset and no
    large print: those of the other stay known."""
    kept = replace(desk_preferences(), paper=choices.paper, languages=choices.languages)
    if choices.paper != ESCPOS:
        kept = replace(kept, large=choices.large, offset_mm=choices.offset_mm)
    return kept


def print_tickets(tickets: list[PrintedVoucher], choices: Choices, *, title: str) -> bytes:
    """A PDF, or the bytes for a receipt printer. Raises as `print_pdf` does."""
    if choices.paper == ESCPOS:
        return print_escpos(tickets)
    return print_pdf(
        tickets,
        paper=Paper(choices.paper),
        offset_mm=choices.offset_mm,
        first_free=choices.first_free,
        large=choices.large,
        title=title,
    )


def fit_of(tickets: list[PrintedVoucher], choices: Choices) -> Fit:
    """What this paper does with the texts of these tickets. A receipt printer's roll has room for all."""
    if choices.paper == ESCPOS:
        return Fit(False, frozenset())
    return fit(tickets, paper=Paper(choices.paper), large=choices.large)


def preview(tickets: list[PrintedVoucher], choices: Choices) -> str:
    """The first page as it will be printed, as SVG: set from the same source, or drawn from the very bytes.

    Raises as `print_pdf` does.
    """
    if choices.paper == ESCPOS:
        return draw_receipt(print_escpos(tickets[:1]))
    (page, *_) = draw_pages(tickets, choices, most=1)
    return page


def draw_pages(tickets: list[PrintedVoucher], choices: Choices, *, most: int | None = None) -> list[str]:
    """The pages as they will be printed, as SVG: all, or the first of them. Not for `ESCPOS`. Raises as `print_pdf`
    does."""
    return preview_svg(
        tickets,
        paper=Paper(choices.paper),
        offset_mm=choices.offset_mm,
        first_free=choices.first_free,
        large=choices.large,
        pages=most,
    )


def page_size(choices: Choices, *, roomy: bool) -> tuple[float, float]:
    """The paper in millimetres, across and down."""
    return grid(Paper(choices.paper), large=choices.large, roomy=roomy).page


@contextmanager
def pressing(batch_id: int) -> Iterator[None]:
    """What the press refuses, as a refusal for the page; the reason goes to the log."""
    try:
        yield
    except RendererBusy as error:
        raise Unprinted(busy=True) from error
    except UnfitText as error:
        raise NoRoom(error.fields) from error
    except (UnfitPaper, OversizedPrint, UnprintableVoucher, FailedPrinting) as error:
        log.warning("vouchers of batch %d not rendered: %s", batch_id, error)
        raise Unprinted from error


def read_languages(form: Mapping[str, str]) -> tuple[str, ...]:
    """The visitor's own first; one that is named twice is one."""
    spoken = services().settings.languages
    wanted = [form.get("language", "") or spoken[0], form.get("second", "")]
    named = tuple(dict.fromkeys(code for code in wanted if code))
    if not set(named) <= set(spoken):
        raise UnfitChoice("language")
    return named


def _first_free(form: Mapping[str, str], places: int) -> int:
    text = form.get("first_free", "").strip() or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= places):
        raise UnfitChoice("first_free", most=places)
    return int(text) - 1


def _offset(form: Mapping[str, str], name: str) -> float:
    """Millimetres, with a comma or a point."""
    text = form.get(name, "").strip().replace(",", ".").replace("−", "-") or "0"
    try:
        length = float(text)
    except ValueError as error:
        raise UnfitChoice(name, most=int(MOST_OFFSET)) from error
    if not -MOST_OFFSET <= length <= MOST_OFFSET:
        raise UnfitChoice(name, most=int(MOST_OFFSET))
    return round(length, 2)
