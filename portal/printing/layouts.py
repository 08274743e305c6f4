"""Where everything stands on a ticket, for each paper.

Around each QR code stay four of its modules blank (ISO/IEC 18004). The coarsest of ours has 25 modules, so `quiet`
of its side is always enough; two neighbours share the blank between them. Every ticket says the network's name,
the code in letters, and (where there is room) the address, so that it works without a camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from portal.printing.marks import LEADING, Line, Mark, Square, fitting, height_of
from portal.printing.papers import Grid, Paper
from portal.printing.tickets import Ticket
from portal.printing.words import words
from portal.qr import QUIET_ZONE, Drawing

COARSEST_MODULES = 25
# In points. What is smaller is a grey line to most readers.
SMALLEST = 4.5


@dataclass(frozen=True, slots=True)
class Codes:
    """The two drawings of a ticket."""

    join: Drawing
    redeem: Drawing


@dataclass(frozen=True, slots=True)
class Stack:
    """A ticket from top to bottom: code, network, the two QR codes, ends, foot. Sizes are points, else mm."""

    top: float
    margin: float
    code: float
    network: float
    qr: float
    caption: float
    ends: float
    foot: float
    languages: int = 2
    by_hand_lines: int = 0
    event_lines: int = 0
    ends_lines: int = 1


STACK = Stack(top=0.9, margin=1.5, code=16.5, network=6.8, qr=20, caption=6, ends=6, foot=5.2)
LARGE_STACK = Stack(top=1.6, margin=2, code=30, network=15, qr=22, caption=12, ends=14, foot=11)
RECEIPT = Stack(
    top=3,
    margin=4,
    code=28,
    network=11,
    qr=26,
    caption=8,
    ends=10,
    foot=8,
    languages=3,
    by_hand_lines=3,
    event_lines=3,
)
LARGE_RECEIPT = Stack(
    top=3,
    margin=4,
    code=28,
    network=16,
    qr=26,
    caption=9,
    ends=14,
    foot=14,
    by_hand_lines=6,
    event_lines=3,
    ends_lines=2,
)
STACKS = {
    (Paper.A4, False): STACK,
    (Paper.A4, True): LARGE_STACK,
    (Paper.RECEIPT, False): RECEIPT,
    (Paper.RECEIPT, True): LARGE_RECEIPT,
}


def quiet(side: float) -> float:
    """The blank margin that a code of this side needs at most, in mm."""
    return side * QUIET_ZONE / COARSEST_MODULES


def lay_out(ticket: Ticket, codes: Codes, paper: Paper, places: Grid, *, large: bool) -> list[Mark]:
    """All marks of one ticket, measured from its upper left corner."""
    if paper is Paper.L7160:
        return list(_turned_label(ticket, codes))
    if paper is Paper.L7163:
        return list(_wide_label(ticket, codes))
    if paper is Paper.L7651:
        return list(_small_label(ticket, codes))
    return list(_stack(ticket, codes, STACKS[paper, large], places.width))


def _stack(ticket: Ticket, codes: Codes, stack: Stack, width: float) -> Iterator[Mark]:
    inner, x, y = width - 2 * stack.margin, stack.margin, stack.top
    languages = ticket.languages[: stack.languages]
    yield Line(ticket.code, x, y, inner, stack.code, align="center", is_code=True)
    y += height_of(1, stack.code) + 0.3
    yield _network(ticket, x, y, inner, stack.network, align="center")
    y += height_of(1, stack.network) + quiet(stack.qr)
    # Each code stands in the middle of its half, so that its captions have the half's width.
    pitch = (inner + quiet(stack.qr)) / 2
    start = (width - pitch - stack.qr) / 2
    yield from _pair(ticket, codes, x=start, y=y, side=stack.qr, gap=pitch - stack.qr)
    y += stack.qr + quiet(stack.qr)
    left = start + stack.qr / 2 - inner / 4
    yield from _captions(1, languages, left, y, inner / 2, stack.caption)
    yield from _captions(2, languages, left + pitch, y, inner / 2, stack.caption)
    y += height_of(len(languages), stack.caption) + stack.caption * 0.08
    for language in languages:
        yield _ends(ticket, language, x, y, inner, stack.ends, stack.ends_lines, "center")
        y += height_of(stack.ends_lines, stack.ends) + 0.2
    yield from _foot(ticket, stack, x, y, inner, languages)


def _foot(
    ticket: Ticket, stack: Stack, x: float, y: float, width: float, languages: tuple[str, ...]
) -> Iterator[Mark]:
    """One line where room is short; on a receipt, how to do without a camera, and the event in full."""
    if not stack.by_hand_lines:
        text = " · ".join(text for text in (ticket.address, ticket.about) if text)
        yield Line(text, x, y, width, stack.foot, align="center")
        return
    y += 1.5
    for language in languages:
        text = words(language).by_hand.format(ssid=ticket.ssid, address=ticket.address)
        yield Line(text, x, y, width, stack.foot, stack.by_hand_lines, language)
        y += height_of(stack.by_hand_lines, stack.foot) + 0.8
    yield Line(replace(ticket, event="").about, x, y, width, stack.foot, lang=languages[0], bold=True)
    y += height_of(1, stack.foot) + 0.4
    yield Line(ticket.event, x, y, width, stack.foot, stack.event_lines)


def _turned_label(ticket: Ticket, codes: Codes) -> Iterator[Mark]:
    """L7160, 63.5 x 38.1: the captions stand upright beside their codes, since the height is used up."""
    languages = ticket.languages[:2]
    side, gap, band, left, y = 20.0, quiet(20.0), 4.4, 1.3, 9.4
    yield Line(ticket.code, 1.5, 1.3, 34, 13.5, is_code=True)
    yield _network(ticket, 35.5, 1.3, 26.5, 6.8, align="right")
    address = ticket.address
    yield Line(address, 35.5, 4.0, 26.5, fitting(address, 26.5, 5.6), align="right")
    for number, x in ((1, left), (2, left + band + gap + side + gap)):
        for position, language in enumerate(languages):
            text, length = _caption(number, language), side + gap
            size = fitting(text, length, 6)
            yield Line(text, x + position * 2.2, y + side + gap / 2, length, size, 1, language, turned=True)
    yield from _pair(ticket, codes, x=left + band + gap, y=y, side=side, gap=2 * gap + band)
    y += side + gap
    for language in languages:
        yield _ends(ticket, language, 1.5, y, 36, 5.6)
        y += height_of(1, 5.6) + 0.3
    yield Line(ticket.about, 38, y - 4.55, 24, 5, 2, align="right")


def _wide_label(ticket: Ticket, codes: Codes) -> Iterator[Mark]:
    """L7163, 99.1 x 38.1: words on the left, codes on the right."""
    languages = ticket.languages[:2]
    side, gap, x, width = 22.0, quiet(22.0), 2.0, 42.0
    yield Line(ticket.code, x, 3.0, width, 16.5, is_code=True)
    yield _network(ticket, x, 10.4, width, 8.5)
    y = 16.0
    for language in languages:
        yield _ends(ticket, language, x, y, width, 7)
        y += height_of(1, 7) + 0.4
    yield Line(ticket.address, x, y + 1, width, fitting(ticket.address, width, 7))
    yield Line(ticket.about, x, y + 4.6, width, 6, 3)
    left = 99.1 - 2 * side - 2 * gap
    yield from _pair(ticket, codes, x=left, y=4.0, side=side, gap=gap)
    for number, start in ((1, left - gap / 2), (2, left + side + gap / 2)):
        yield from _captions(number, languages, start, 4.0 + side + gap, side + gap, 6.5)


def _small_label(ticket: Ticket, codes: Codes) -> Iterator[Mark]:
    """L7651, 38.1 x 21.2: there is room for one code, of 14.4 mm. It opens the pass, and that page says how to join."""
    first = ticket.languages[0]
    side, x, width = 14.4, 20.6, 16.2
    yield Square(codes.redeem, 2.4, 2.4, side, _alt(ticket, 2), first)
    first_group, second, third = ticket.code.split("-")
    for row, group in enumerate((f"{first_group}-", f"{second}-", third)):
        yield Line(group, x, 2.0 + row * 4.3, width, 12, is_code=True)
    yield _ends(ticket, first, x, 15.3, width, 4.8, 2)
    yield _network(ticket, 1.5, 19.15, 35, 5)


def _network(ticket: Ticket, x: float, y: float, width: float, size: float, align: str = "left") -> Line:
    """The name of the network, whole: it is what a guest has to find in a list."""
    first = ticket.languages[0]
    text = f"{words(first).wifi} {ticket.ssid}"
    return Line(text, x, y, width, fitting(text, width, size), lang=first, align=align, bold=True)


def _ends(
    ticket: Ticket,
    language: str,
    x: float,
    y: float,
    width: float,
    size: float,
    lines: int = 1,
    align: str = "left",
) -> Line:
    """Until when the pass is good. Of several lines, each loses some room where a word breaks off.

    A long sentence is set smaller, but never so small that nobody can read it: then its end is cut off.
    """
    text = ticket.ends[language]
    room = width if lines == 1 else 0.85 * lines * width
    legible = max(SMALLEST, fitting(text, room, size))
    return Line(text, x, y, width, legible, lines, language, align, bold=True)


def _pair(ticket: Ticket, codes: Codes, *, x: float, y: float, side: float, gap: float) -> Iterator[Mark]:
    first = ticket.languages[0]
    yield Square(codes.join, x, y, side, _alt(ticket, 1), first)
    yield Square(codes.redeem, x + side + gap, y, side, _alt(ticket, 2), first)


def _captions(
    number: int, languages: tuple[str, ...], x: float, y: float, width: float, size: float
) -> Iterator[Mark]:
    for position, language in enumerate(languages):
        text, line = _caption(number, language), y + position * height_of(1, size) * (1 + LEADING)
        bold = position == 0
        yield Line(text, x, line, width, fitting(text, width, size), lang=language, align="center", bold=bold)


def _caption(number: int, language: str) -> str:
    return f"{number} {words(language).join if number == 1 else words(language).redeem}"


def _alt(ticket: Ticket, number: int) -> str:
    """What the code says, for those who do not see it."""
    target = ticket.ssid if number == 1 else ticket.redeem_url
    return f"{_caption(number, ticket.languages[0])} : {target}"
