"""One slip of paper: what stands on it, and what may not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.printing.logos import PrintedLogo
from portal.printing.words import TicketWords

# Version 6 of a QR code at level M holds this many bytes: on 20 mm its modules are half a millimetre wide. What is
# finer does not scan from office paper.
MOST_QR_BYTES = 106
# What one child sets in 300 MB. A larger batch is printed in parts.
MOST_VOUCHERS = 2_000
# What the boxes on every paper are made for.
_CODE = re.compile("[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}")
# Marks that turn the direction of what stands after them: a note could make a code read backwards.
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class UnprintableVoucher(Exception):
    """A ticket that would not work on paper. The text is for staff, and names the ticket's fault."""


class OversizedPrint(Exception):
    """More tickets at once than are printed as one document; `most` says how many are."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


@dataclass(frozen=True, slots=True)
class PrintedVoucher:
    """One slip of paper. All texts are printed as they are: none is markup.

    `code` as shown, ``7K2-M9Q-XAH``. `redeem_url` in capitals, so that its QR has large modules. `join` is the
    ``WIFI:`` text of the network. `words` is what is said in each language, the visitor's own first. `event` is the
    occasion, and `mark` the number by which it finds the pass without its code. `logo` is the network's, and the same
    on all tickets of a document.
    """

    code: str
    redeem_url: str
    ssid: str
    join: str
    words: Mapping[str, TicketWords]
    place: str
    event: str = ""
    mark: str = ""
    logo: PrintedLogo | None = field(default=None, repr=False)

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.words)

    @property
    def number(self) -> str:
        return f"n° {self.mark}" if self.mark else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is set in letters, but for the code."""
        ends = [said.end for said in self.words.values()]
        return (self.ssid, self.place, self.event, self.number, self.address, *self.languages, *ends)

    @property
    def address(self) -> str:
        """Where the code can be typed in: the redeem address without scheme and code, ``wifi.example.org/pass``."""
        symbols = self.code.replace("-", "").lower()
        return self.redeem_url.lower().partition("://")[2].removesuffix(symbols).rstrip("/")


def check(tickets: Sequence[PrintedVoucher]) -> None:
    """Refuse what would come out of the printer and not work.

    Raises `UnprintableVoucher` or `OversizedPrint`.
    """
    if not tickets:
        raise UnprintableVoucher("There is no ticket to print.")
    if len(tickets) > MOST_VOUCHERS:
        raise OversizedPrint(MOST_VOUCHERS)
    for ticket in tickets:
        _check_one(ticket)


def _check_one(ticket: PrintedVoucher) -> None:
    if not _CODE.fullmatch(ticket.code):
        raise UnprintableVoucher("A code is three groups of three: 7K2-M9Q-XAH.")
    if not plain(ticket.ssid):
        raise UnprintableVoucher("The network has no name.")
    for text in (ticket.redeem_url, ticket.join):
        if not 1 <= len(text.encode()) <= MOST_QR_BYTES:
            raise UnprintableVoucher(
                f"“{text[:40]}” is empty, or too long for a QR code that scans from paper."
            )
    if not ticket.words:
        raise UnprintableVoucher("The ticket speaks no language.")


def plain(text: str) -> str:
    """`text` as one line without control characters: none can move the paper, cut it, or turn what follows."""
    kept = _DIRECTIONS.sub("", unicodedata.normalize("NFC", text))
    spaced = "".join(" " if unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} else sign for sign in kept)
    return " ".join(spaced.split())
