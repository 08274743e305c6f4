"""Tickets as the bytes that an 80 mm receipt printer understands: ESC/POS, as Epson defines it.

576 dots a line at 203 to the inch, 48 characters in font A. Text goes out in code page WPC1252, which has every
French letter; a sign it lacks is printed as its plain form or as ``?``. No byte of a ticket reaches the printer as
a command.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from portal.i18n.catalogues import is_rtl
from portal.printing.qr import modules
from portal.printing.receipt_rasters import DOTS_PER_MM, commands, raster_job, read_dots
from portal.printing.tickets import PrintedVoucher, check, plain
from portal.printing.typesetter import typeset

COLUMNS = 48
QR_MM = 20
# Longer than any text that the desk can give; a receipt is no roll.
MOST_LINES = 5

ESC, GS = b"\x1b", b"\x1d"
START = ESC + b"@"  # ESC @: as after switching on
WPC1252 = ESC + b"t\x10"  # ESC t 16
LEFT, CENTRE = ESC + b"a\x00", ESC + b"a\x01"
BOLD, REGULAR = ESC + b"E\x01", ESC + b"E\x00"
LARGE, NORMAL = GS + b"!\x22", GS + b"!\x00"  # three times as wide and as high
FEED_MARGIN = ESC + b"J\x20"  # ESC J 32: four modules of the largest code, in dots
CUT = GS + b"V\x42\x00"  # GS V 66 0: feed to the knife, cut all but a point


def print_escpos(tickets: Sequence[PrintedVoucher]) -> bytes:
    """One cut receipt for each ticket, to be sent as it is. In a language that the printer has no letters for it is a
    picture.

    Raises `UnprintableVoucher` or `OversizedPrint`; for pictures also `UnfitText`, `RendererBusy` or `FailedPrinting`.
    """
    check(tickets)
    if any(is_rtl(code) for ticket in tickets for code in ticket.languages):
        drawn = read_dots(typeset(raster_job(tickets)))
        return b"".join(START + b"".join(commands(lines)) + CUT for lines in drawn)
    return b"".join(START + WPC1252 + b"".join(_receipt(ticket)) + CUT for ticket in tickets)


def _receipt(ticket: PrintedVoucher) -> Iterator[bytes]:
    said_in_each = tuple(ticket.words.values())
    yield CENTRE + LARGE + BOLD + _line(ticket.code) + NORMAL
    yield _wrapped(f"{said_in_each[0].wifi} {ticket.ssid}") + REGULAR
    for number, text in ((1, ticket.join), (2, ticket.redeem_url)):
        for said in said_in_each:
            yield _wrapped(f"{number} {said.join if number == 1 else said.redeem}")
        yield FEED_MARGIN + _qr(text) + FEED_MARGIN
    yield BOLD
    for said in said_in_each:
        yield _wrapped(said.end)
    yield REGULAR + LEFT + b"\n"
    for said in said_in_each:
        yield _wrapped(said.by_hand)
    for text in (ticket.number, ticket.event, ticket.place):
        yield _wrapped(text)


@lru_cache(maxsize=1024)
def _wrapped(text: str) -> bytes:
    """As many lines as it takes. Most texts are the same on every ticket of a batch."""
    return b"".join(
        _line(line) for line in textwrap.wrap(plain(text), COLUMNS, max_lines=MOST_LINES, placeholder="…")
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
