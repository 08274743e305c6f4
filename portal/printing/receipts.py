"""Tickets as the bytes that a receipt printer understands: ESC/POS, as Epson defines it.

203 dots to the inch: 576 a line on 80 mm paper, 384 on 58 mm, and a character of font A is 12 of them wide. Text goes
out in code page WPC1252, which has every French letter; a sign it lacks is printed as its plain form or as ``?``. No
byte of a ticket reaches the printer as a command.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from portal.i18n.catalogues import is_rtl
from portal.printing.qr import modules
from portal.printing.receipt_rasters import DOTS_PER_MM, PAPER_MM, commands, raster_job, read_dots
from portal.printing.tickets import PrintedVoucher, check, plain
from portal.printing.typesetter import typeset

QR_MM = 20
# Longer than any text that the desk can give; a receipt is no roll.
MOST_LINES = 5

ESC, GS = b"\x1b", b"\x1d"
START = ESC + b"@"  # ESC @: as after switching on
WPC1252 = ESC + b"t\x10"  # ESC t 16
LEFT, CENTRE = ESC + b"a\x00", ESC + b"a\x01"
BOLD, REGULAR = ESC + b"E\x01", ESC + b"E\x00"
NORMAL = GS + b"!\x00"
FEED_MARGIN = ESC + b"J\x20"  # ESC J 32: four modules of the largest code, in dots
CUT = GS + b"V\x42\x00"  # GS V 66 0: feed to the knife, cut all but a point


@dataclass(frozen=True, slots=True)
class Roll:
    """Paper of one width: how many characters of font A a line has, and the size of the code (GS ! n)."""

    columns: int
    large: bytes


# By the width in millimetres. The code is three times as wide and as high as a letter, or twice where that has no room.
ROLLS = {80: Roll(48, GS + b"!\x22"), 58: Roll(32, GS + b"!\x11")}


class NarrowPaper(Exception):
    """These languages are printed as pictures, and those are made for paper of 80 mm."""


def print_escpos(tickets: Sequence[PrintedVoucher]) -> bytes:
    """One cut receipt for each ticket, for a printer with paper of 80 mm. Raises as `receipts` does."""
    return b"".join(receipts(tickets))


def receipts(tickets: Sequence[PrintedVoucher], *, paper_mm: int = 80) -> list[bytes]:
    """For each ticket the bytes of one receipt, which ends with a cut. In a language that the printer has no letters
    for it is a picture.

    Raises `UnprintableVoucher` or `OversizedPrint`; for pictures also `NarrowPaper`, `UnfitText`, `RendererBusy` or
    `FailedPrinting`.
    """
    check(tickets)
    if any(is_rtl(code) for ticket in tickets for code in ticket.languages):
        if paper_mm < PAPER_MM:
            raise NarrowPaper
        drawn = read_dots(typeset(raster_job(tickets)))
        return [START + b"".join(commands(lines)) + CUT for lines in drawn]
    roll = ROLLS[paper_mm]
    return [START + WPC1252 + b"".join(_receipt(ticket, roll)) + CUT for ticket in tickets]


def print_text(lines: Sequence[str], *, paper_mm: int) -> bytes:
    """A receipt of words alone."""
    columns = ROLLS[paper_mm].columns
    return START + WPC1252 + LEFT + b"".join(_wrapped(line, columns) for line in lines) + CUT


def _receipt(ticket: PrintedVoucher, roll: Roll) -> Iterator[bytes]:
    said_in_each, columns = tuple(ticket.words.values()), roll.columns
    yield CENTRE + roll.large + BOLD + _line(ticket.code) + NORMAL
    yield _wrapped(f"{said_in_each[0].wifi} {ticket.ssid}", columns) + REGULAR
    for number, text in ((1, ticket.join), (2, ticket.redeem_url)):
        for said in said_in_each:
            yield _wrapped(f"{number} {said.join if number == 1 else said.redeem}", columns)
        yield FEED_MARGIN + _qr(text) + FEED_MARGIN
    yield BOLD
    for said in said_in_each:
        yield _wrapped(said.end, columns)
    yield REGULAR + LEFT + b"\n"
    for said in said_in_each:
        yield _wrapped(said.by_hand, columns)
    for text in (ticket.number, ticket.event, ticket.place):
        yield _wrapped(text, columns)


@lru_cache(maxsize=1024)
def _wrapped(text: str, columns: int) -> bytes:
    """As many lines as it takes. Most texts are the same on every ticket of a batch."""
    return b"".join(
        _line(line) for line in textwrap.wrap(plain(text), columns, max_lines=MOST_LINES, placeholder="…")
    )


def _line(text: str) -> bytes:
    return b"".join(_sign(sign) for sign in text) + b"\n"


def _sign(sign: str) -> bytes:
    """One character in WPC1252, or its letter without the mark, or a question mark."""
    for form in (sign, unicodedata.normalize("NFKD", sign)[:1]):
        encoded = form.encode("cp1252", errors="ignore")
        if encoded:
            return encoded
    return b"?"


def _qr(text: str) -> bytes:
    """GS ( k: model 2, modules large enough for 20 mm, level M, store, print."""
    stored = text.encode()
    dots = -(-QR_MM * DOTS_PER_MM // modules(text))
    return b"".join(
        (
            _symbol(b"\x41\x32\x00"),
            _symbol(b"\x43" + bytes([dots])),
            _symbol(b"\x45\x31"),
            _symbol(b"\x50\x30" + stored),
            _symbol(b"\x51\x30"),
        )
    )


def _symbol(parameters: bytes) -> bytes:
    """``1D 28 6B pL pH 31 …``: the length counts what stands after it, the 31 for "QR code" included."""
    length = len(parameters) + 1
    return GS + b"(k" + length.to_bytes(2, "little") + b"\x31" + parameters
