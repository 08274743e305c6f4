"""Where everything stands on a ticket, for each paper.

Around each QR code stay four of its modules blank (ISO/IEC 18004). The coarsest of ours has 25 modules, so `quiet`
of its side is always enough; two neighbours share the blank between them. Every ticket says the network's name,
the code in letters, and (where there is room) the address, so that it works without a camera.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from portal.printing import faces
from portal.printing.marks import LEADING, POINT, SMALLEST, Mark, Square, TextBox, fitting, height_of, joined
from portal.printing.papers import Grid, Paper
from portal.printing.qr import QUIET_ZONE, Drawing
from portal.printing.tickets import PrintedVoucher

COARSEST_MODULES = 25
# Three groups of three, and two hyphens.
SIGNS_OF_A_CODE = 11
# A smaller logo is a blot. All in mm.
LEAST_LOGO, LOGO_GAP = 4.0, 0.8


@dataclass(frozen=True, slots=True)
class Codes:
    """The two drawings of a ticket."""

    join: Drawing
    redeem: Drawing


@dataclass(frozen=True, slots=True)
class Stack:
    """A ticket from top to bottom: code, network, the two QR codes, ends, foot. Sizes are points, else mm.

    `ends_least` and `foot_least` are the smallest sizes of these. Without `by_hand_lines`, all of the foot is one text
    of `foot_lines`.
    """

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
    foot_lines: int = 2
    event_lines: int = 3
    ends_lines: int = 1
    ends_least: float = SMALLEST
    foot_least: float = SMALLEST


STACK = Stack(top=0.9, margin=1.5, code=15.2, network=6.6, qr=20, caption=5.2, ends=5.6, foot=4.6)
LARGE_STACK = Stack(
    top=1.6,
    margin=2,
    code=30,
    network=15,
    qr=22,
    caption=11.5,
    ends=14,
    foot=11,
    foot_lines=1,
    ends_least=14,
    foot_least=8,
)
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
    foot_lines=1,
    ends_least=8,
)
LARGE_RECEIPT = replace(
    RECEIPT,
    network=16,
    caption=9,
    ends=14,
    foot=14,
    languages=2,
    by_hand_lines=6,
    ends_lines=2,
    ends_least=14,
    foot_least=11,
)
STACKS = {
    (Paper.A4, False): STACK,
    (Paper.A4, True): LARGE_STACK,
    (Paper.RECEIPT, False): RECEIPT,
    (Paper.RECEIPT, True): LARGE_RECEIPT,
}
# For texts that need more: as much as the longest that the desk takes, in the language that makes most of it.
ROOMY_STACKS = {
    (Paper.A4, False): replace(STACK, code=16, caption=5.8, ends=6, ends_lines=2, foot=4.5, foot_lines=4),
    (Paper.A4, True): replace(LARGE_STACK, caption=12, ends_lines=3, foot=11, foot_lines=7),
    (Paper.RECEIPT, False): replace(RECEIPT, ends_lines=3, foot_lines=3, event_lines=4),
    (Paper.RECEIPT, True): replace(LARGE_RECEIPT, ends_lines=4, foot_lines=5, event_lines=6),
}


def quiet(side: float) -> float:
    """The blank margin that a code of this side needs at most, in mm."""
    return side * QUIET_ZONE / COARSEST_MODULES


def lay_out(
    ticket: PrintedVoucher, codes: Codes, paper: Paper, places: Grid, *, large: bool, roomy: bool = False
) -> list[Mark]:
    """All marks of one ticket, measured from its upper left corner."""
    if paper is Paper.L7160:
        return list(_turned_label(ticket, codes))
    if paper is Paper.L7163:
        return list(_wide_label(ticket, codes))
    if paper is Paper.L7651:
        return list(_small_label(ticket, codes))
    stacks = ROOMY_STACKS if roomy else STACKS
    return list(_stack(ticket, codes, stacks[paper, large], places.width))


def logo_room(
    paper: Paper, places: Grid, *, large: bool, roomy: bool = False
) -> tuple[float, float, float, float] | None:
    """Where a logo stands on a ticket, beside the code: left, top, width, height. Labels and receipts have none."""
    stack = (ROOMY_STACKS if roomy else STACKS).get((paper, large))
    if stack is None:
        return None
    code = faces.width("0" * SIGNS_OF_A_CODE, bold=True, mono=True) * stack.code * POINT
    width = (places.width - code) / 2 - stack.margin - LOGO_GAP
    height = height_of(1, stack.code)
    return (stack.margin, stack.top, width, height) if width >= LEAST_LOGO else None


def _stack(ticket: PrintedVoucher, codes: Codes, stack: Stack, width: float) -> Iterator[Mark]:
    inner, x, y = width - 2 * stack.margin, stack.margin, stack.top
    languages = ticket.languages[: stack.languages]
    yield TextBox(ticket.code, x, y, inner, stack.code, align="center", is_code=True)
    y += height_of(1, stack.code) + 0.3
    yield _network(ticket, x, y, inner, stack.network, align="center")
    y += height_of(1, stack.network) + quiet(stack.qr)
    # Each code stands in the middle of its half, so that its captions have the half's width.
    pitch = (inner + quiet(stack.qr)) / 2
    start = (width - pitch - stack.qr) / 2
    yield from _pair(ticket, codes, x=start, y=y, side=stack.qr, gap=pitch - stack.qr)
    y += stack.qr + quiet(stack.qr)
    left = start + stack.qr / 2 - inner / 4
    yield from _captions(ticket, 1, languages, left, y, inner / 2, stack.caption)
    yield from _captions(ticket, 2, languages, left + pitch, y, inner / 2, stack.caption)
    y += height_of(len(languages), stack.caption) + stack.caption * 0.08
    for language in languages:
        yield _ends(
            ticket,
            language,
            x,
            y,
            inner,
            stack.ends,
            stack.ends_lines,
            align="center",
            least=stack.ends_least,
        )
        y += height_of(stack.ends_lines, stack.ends) + 0.2
    yield from _foot(ticket, stack, x, y, inner, languages)


def _foot(
    ticket: PrintedVoucher, stack: Stack, x: float, y: float, width: float, languages: tuple[str, ...]
) -> Iterator[Mark]:
    """One text where room is short; on a receipt, how to do without a camera, and each field on lines of its own."""
    size, least = stack.foot, stack.foot_least
    number, event, place = _about(ticket)
    if not stack.by_hand_lines:
        fields = (number, event, ("address", ticket.address), place)
        lines = stack.foot_lines
        yield joined(*fields, x=x, y=y, width=width, size=size, lines=lines, align="center", least=least)
        return
    y += 1.5
    for language in languages:
        field, lines = ("address", ticket.words[language].by_hand), stack.by_hand_lines
        yield joined(field, x=x, y=y, width=width, size=size, lines=lines, lang=language, least=least)
        y += height_of(lines, size) + 0.8
    lines, first = stack.foot_lines, languages[0]
    yield joined(
        number, place, x=x, y=y, width=width, size=size, lines=lines, lang=first, bold=True, least=least
    )
    y += height_of(lines, size) + 0.4
    yield joined(event, x=x, y=y, width=width, size=size, lines=stack.event_lines, least=least)


def _about(ticket: PrintedVoucher) -> tuple[tuple[str, str], ...]:
    """Number, event and place; what can be cut off first stands last."""
    return ("number", ticket.number), ("event", ticket.event), ("place", ticket.place)


def _turned_label(ticket: PrintedVoucher, codes: Codes) -> Iterator[Mark]:
    """L7160, 63.5 x 38.1: the captions stand upright beside their codes, since the height is used up."""
    languages = ticket.languages[:2]
    side, gap, band, left, y = 20.0, quiet(20.0), 4.4, 1.3, 9.4
    yield TextBox(ticket.code, 1.5, 0.9, 32, 12.5, is_code=True)
    yield _network(ticket, 33.5, 0.9, 28.5, 6.8, align="right")
    address = ticket.address
    yield TextBox(address, 33.5, 3.4, 28.5, fitting(address, 28.5, 5.6), align="right")
    for number, x in ((1, left), (2, left + band + gap + side + gap)):
        for position, language in enumerate(languages):
            text, length = _caption(ticket, number, language), side + gap
            size = fitting(text, length, 6)
            yield TextBox(
                text, x + position * 2.2, y + side + gap / 2, length, size, 1, language, turned=True
            )
    yield from _pair(ticket, codes, x=left + band + gap, y=y, side=side, gap=2 * gap + band)
    # One flow: what is short leaves its room to the rest.
    mark, *about = _about(ticket)
    ends = [("end", ticket.words[language].end) for language in languages]
    yield joined(
        mark, *ends, *about, x=1.5, y=y + side + gap, width=60.5, size=6.91, lines=2, lang=languages[0]
    )


def _wide_label(ticket: PrintedVoucher, codes: Codes) -> Iterator[Mark]:
    """L7163, 99.1 x 38.1: words on the left, codes on the right."""
    languages = ticket.languages[:2]
    side, gap, x, width = 22.0, quiet(22.0), 2.0, 42.0
    yield TextBox(ticket.code, x, 1.6, width, 16.5, is_code=True)
    yield _network(ticket, x, 7.8, width, 8.5)
    y = 11.2
    for language in languages:
        yield _ends(ticket, language, x, y, width, 6.5, 2)
        y += height_of(2, 6.5) + 0.3
    yield TextBox(ticket.address, x, y + 0.4, width, fitting(ticket.address, width, 7))
    yield joined(*_about(ticket), x=x, y=y + 3.2, width=width, size=5.5, lines=5)
    left = 99.1 - 2 * side - 2 * gap
    yield from _pair(ticket, codes, x=left, y=4.0, side=side, gap=gap)
    for number, start in ((1, left - gap / 2), (2, left + side + gap / 2)):
        yield from _captions(ticket, number, languages, start, 4.0 + side + gap, side + gap, 6.5)


def _small_label(ticket: PrintedVoucher, codes: Codes) -> Iterator[Mark]:
    """L7651, 38.1 x 21.2: there is room for one code, of 14.4 mm. It opens the pass, and that page says how to join."""
    first = ticket.languages[0]
    side, x, width = 14.4, 19.3, 18.2
    yield Square(codes.redeem, 2.4, 2.4, side, _alt(ticket, 2), first)
    first_group, second, third = ticket.code.split("-")
    for row, group in enumerate((f"{first_group}-{second}-", third)):
        yield TextBox(group, x, 1.0 + row * 3.4, width, 9.5, is_code=True)
    texts = ("end", ticket.words[first].end), ("event", ticket.event)
    yield joined(*texts, x=x, y=8.1, width=width, size=5.45, lines=5, lang=first, bold=True)
    yield _network(ticket, 1.5, 19.15, 35, 5)


def _network(
    ticket: PrintedVoucher, x: float, y: float, width: float, size: float, align: str = "left"
) -> TextBox:
    """The name of the network, whole: it is what a guest has to find in a list."""
    first = ticket.languages[0]
    text = f"{ticket.words[first].wifi} {ticket.ssid}"
    return TextBox(text, x, y, width, fitting(text, width, size), lang=first, align=align, bold=True)


def _ends(
    ticket: PrintedVoucher,
    language: str,
    x: float,
    y: float,
    width: float,
    size: float,
    lines: int = 1,
    align: str = "left",
    least: float = SMALLEST,
) -> TextBox:
    """Until when the pass is good."""
    end = ("end", ticket.words[language].end)
    return joined(
        end, x=x, y=y, width=width, size=size, lines=lines, lang=language, align=align, bold=True, least=least
    )


def _pair(
    ticket: PrintedVoucher, codes: Codes, *, x: float, y: float, side: float, gap: float
) -> Iterator[Mark]:
    first = ticket.languages[0]
    yield Square(codes.join, x, y, side, _alt(ticket, 1), first)
    yield Square(codes.redeem, x + side + gap, y, side, _alt(ticket, 2), first)


def _captions(
    ticket: PrintedVoucher,
    number: int,
    languages: tuple[str, ...],
    x: float,
    y: float,
    width: float,
    size: float,
) -> Iterator[Mark]:
    for position, language in enumerate(languages):
        text, line = _caption(ticket, number, language), y + position * height_of(1, size) * (1 + LEADING)
        bold = position == 0
        yield TextBox(
            text, x, line, width, fitting(text, width, size), lang=language, align="center", bold=bold
        )


def _caption(ticket: PrintedVoucher, number: int, language: str) -> str:
    said = ticket.words[language]
    return f"{number} {said.join if number == 1 else said.redeem}"


def _alt(ticket: PrintedVoucher, number: int) -> str:
    """What the code says, for those who do not see it."""
    target = ticket.ssid if number == 1 else ticket.redeem_url
    return f"{_caption(ticket, number, ticket.languages[0])} : {target}"
