"""Tickets to print in these tests, and a reader for what comes out of the press."""

from __future__ import annotations

import random
import re
import subprocess
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image

from portal.printing.from_vouchers import ticket_words
from portal.printing.tickets import PrintedVoucher, plain
from portal.printing.wifi_qr import joining_uri
from portal.printing.words import TicketWords
from tests.services.parts import program

SYMBOLS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
SSID = "Besancon-Bibliotheques"
ENDS = {
    "fr": "valable jusqu’à ce soir minuit",
    "en": "valid until midnight tonight",
    "de": "gültig bis heute um Mitternacht",
}
DPI = 200
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
GERMAN = TicketWords(
    wifi="WLAN",
    join="WLAN beitreten",
    redeem="Pass öffnen",
    by_hand=f"Ohne Kamera: WLAN {SSID} wählen, wifi.example.org/pass öffnen und den Code eintippen.",
    end="",
)


def words_of(
    languages: Sequence[str], ends: Mapping[str, str] = ENDS, ssid: str = SSID
) -> dict[str, TicketWords]:
    address = "wifi.example.org/pass"
    return {
        code: replace(GERMAN, end=ends[code])
        if code == "de"
        else ticket_words(code, end=ends[code], ssid=ssid, address=address)
        for code in languages
    }


def make_ticket(number: int = 0, **changes: Any) -> PrintedVoucher:
    drawn = random.Random(number)
    code = "".join(drawn.choice(SYMBOLS) for _ in range(9))
    values: dict[str, Any] = {
        "code": f"{code[:3]}-{code[3:6]}-{code[6:]}",
        "redeem_url": f"HTTPS://WIFI.EXAMPLE.ORG/PASS/{code}",
        "ssid": SSID,
        "join": joining_uri(SSID),
        "words": words_of(
            changes.pop("languages", ("fr", "en")), changes.pop("ends", ENDS), changes.get("ssid", SSID)
        ),
        "place": "Médiathèque Pierre-Bayle",
    }
    return PrintedVoucher(**{**values, **changes})


def make_tickets(count: int, **changes: Any) -> list[PrintedVoucher]:
    return [make_ticket(number, **changes) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Seen:
    """A QR code that a camera would read: what it says, and its upper left corner and side on the paper, in mm."""

    text: str
    x: float
    y: float
    side: float


def read_codes(pdf: bytes, folder: Path) -> list[list[Seen]]:
    """All codes of each page of this document, as they stand on paper at 200 dots to the inch."""
    return [[_seen(code) for code in zxingcpp.read_barcodes(page)] for page in render(pdf, folder)]


def render(pdf: bytes, folder: Path) -> list[Image.Image]:
    """The pages as grey pictures."""
    (folder / "sheet.pdf").write_bytes(pdf)
    command = [program("pdftoppm"), "-r", str(DPI), "-gray", folder / "sheet.pdf", folder / "page"]
    subprocess.run(command, check=True, timeout=60)
    return [Image.open(path) for path in sorted(folder.glob("page-*.pgm"))]


def _seen(code: Any) -> Seen:
    millimetre = DPI / 25.4
    corner, across = code.position.top_left, code.position.top_right
    return Seen(code.text, corner.x / millimetre, corner.y / millimetre, (across.x - corner.x) / millimetre)


def read_text(pdf: bytes) -> str:
    """The text as a reader program gets it, in the order of the document."""
    command = [program("pdftotext"), "-raw", "-", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True, timeout=60).stdout.decode()


def read_facts(pdf: bytes, *flags: str) -> str:
    """What pdfinfo says of the document."""
    command = [program("pdfinfo"), *flags, "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True, timeout=60).stdout.decode()


def squeezed(text: str) -> str:
    """Without any white space: where lines break is not at stake."""
    return re.sub(r"\s", "", text)


def missing(wanted: Sequence[str], text: str) -> list[str]:
    """Which of these do not stand in `text`, read back from a document, whatever lines break.

    What is read back of a text from right to left has its words in another order and its ligatures turned round: there
    each word is looked for by its letters.
    """
    flowing, words = squeezed(text), {_letters(word) for word in _DIRECTIONS.sub("", text).split()}
    return [
        one
        for one in map(plain, wanted)
        if squeezed(one) not in flowing
        and not (re.search("[\u0600-\u06ff]", one) and {_letters(word) for word in one.split()} <= words)
    ]


def _letters(word: str) -> str:
    return "".join(sorted(unicodedata.normalize("NFKC", word).strip("،.:؟")))


def redeem_addresses(tickets: Sequence[PrintedVoucher]) -> list[str]:
    return sorted(ticket.redeem_url for ticket in tickets)
