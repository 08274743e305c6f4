"""The bytes for a receipt printer, read command by command as the printer does (Epson, ESC/POS)."""

from __future__ import annotations

import base64
import io
import re

import pytest
import zxingcpp
from PIL import Image

from portal.printing.receipt_pictures import draw_receipt
from portal.printing.receipts import print_escpos
from portal.printing.tickets import OversizedPrint, PrintedVoucher, UnprintableVoucher
from tests.portal.printing.printed import make_ticket, make_tickets, words_of

# The parameters' length of each command we use, by its first two bytes.
LENGTHS = {b"\x1b@": 0, b"\x1bt": 1, b"\x1ba": 1, b"\x1bE": 1, b"\x1bJ": 1, b"\x1d!": 1, b"\x1dV": 2}


def parse(stream: bytes) -> tuple[list[bytes], str]:
    """The commands in their order, and the text between them. An unknown command is an error."""
    commands, text, at = [], bytearray(), 0
    while at < len(stream):
        head = stream[at : at + 2]
        if head == b"\x1d(":
            length = 5 + int.from_bytes(stream[at + 3 : at + 5], "little")
        elif head == b"\x1dv":
            across, height = (int.from_bytes(stream[at + 4 + n : at + 6 + n], "little") for n in (0, 2))
            length = 8 + across * height
        elif head[0] in (0x1B, 0x1D):
            length = 2 + LENGTHS[head]
        else:
            text.append(stream[at])
            at += 1
            continue
        commands.append(stream[at : at + length])
        at += length
    return commands, text.decode("cp1252")


def symbols(ticket: PrintedVoucher) -> list[bytes]:
    return [command for command in parse(print_escpos([ticket]))[0] if command.startswith(b"\x1d(k")]


def test_it_begins_anew_speaks_french_and_cuts() -> None:
    stream = print_escpos([make_ticket()])
    assert stream.startswith(bytes.fromhex("1b40 1b7410"))
    assert stream.endswith(bytes.fromhex("1d564200"))
    text = parse(stream)[1]
    assert "Médiathèque Pierre-Bayle" in text and "valable jusqu’à ce soir minuit" in text


def test_the_code_stands_alone_on_a_line_three_times_as_large() -> None:
    ticket = make_ticket()
    assert b"\x1d!\x22\x1bE\x01" + ticket.code.encode() + b"\n\x1d!\x00" in print_escpos([ticket])


def test_a_qr_code_is_sent_as_epson_says() -> None:
    """Model 2; 29 modules of 6 dots are 21.75 mm; level M; store; print."""
    join, redeem = b"WIFI:T:nopass;S:Besancon-Bibliotheques;;", make_ticket().redeem_url.encode()
    head = [bytes.fromhex("1d286b 0400 31 41 3200"), bytes.fromhex("1d286b 0300 31 43 06")]
    level = [bytes.fromhex("1d286b 0300 31 45 31")]
    print_it = [bytes.fromhex("1d286b 0300 31 51 30")]
    store = [
        [bytes.fromhex("1d286b") + (len(text) + 3).to_bytes(2, "little") + b"1P0" + text]
        for text in (join, redeem)
    ]
    assert symbols(make_ticket()) == [
        command for stored in store for command in head + level + stored + print_it
    ]


@pytest.mark.parametrize("length", [20, 40, 60, 93])
def test_every_code_is_20_mm_at_least_and_fits_the_paper(length: int) -> None:
    ticket = make_ticket(redeem_url="HTTPS://W.EU/" + "P" * length)
    dots = [command[-1] for command in symbols(ticket) if command[5:7] == b"1C"]
    sides = {20: 25, 40: 29, 60: 33, 93: 37}
    assert 160 <= dots[1] * sides[length] <= 576


def test_each_ticket_is_cut_off_from_the_next() -> None:
    tickets = make_tickets(3)
    parts = print_escpos(tickets).split(b"\x1dVB\x00")
    assert parts.pop() == b""
    assert all(ticket.code.encode() in part for ticket, part in zip(tickets, parts, strict=True))


def test_no_byte_of_a_ticket_is_a_command() -> None:
    evil = "\x1b@\x1dV\x00 \x10\x14\x01\x00\x00 \x1d(k\x03\x001Q0 \x9b \x7f \r\x0c"
    plain, hostile = (
        make_ticket(),
        make_ticket(event=evil, place=evil, ssid=evil, ends={"fr": evil, "en": evil}),
    )
    commands, text = parse(print_escpos([hostile]))
    assert commands == parse(print_escpos([plain]))[0]
    assert not [sign for sign in text if ord(sign) < 0x20 and sign != "\n"]


def test_a_sign_that_the_printer_lacks_is_printed_plainly() -> None:
    text = parse(print_escpos([make_ticket(place="Œuvre d’été 5 €", event="Łódź ﬁn 🎉 日")]))[1]
    assert "Œuvre d’été 5 €" in text and "?ódz fn ? ?" in text


def test_no_line_is_wider_than_the_paper() -> None:
    ticket = make_ticket(event="mot " * 3000, place="W" * 200, ssid="W" * 32, languages=("fr", "en", "de"))
    lines = parse(print_escpos([ticket]))[1].split("\n")
    assert max(map(len, lines)) <= 48 and len(lines) < 40


def test_it_says_how_to_do_without_a_camera_in_each_language() -> None:
    text = " ".join(parse(print_escpos([make_ticket(languages=("fr", "de"))]))[1].split())
    assert "ouvrez wifi.example.org/pass et tapez le code" in text
    assert "wifi.example.org/pass öffnen" in text


def test_it_refuses_what_would_not_work() -> None:
    with pytest.raises(UnprintableVoucher):
        print_escpos([make_ticket(redeem_url="HTTPS://W.EU/" + "P" * 200)])
    with pytest.raises(OversizedPrint):
        print_escpos([make_ticket()] * 2_001)


def test_a_language_that_the_printer_cannot_write_is_printed_as_a_picture() -> None:
    """The same receipt as on paper, in dots: both codes are read from them, and each is cut."""
    words = words_of(("ar", "fr"), ends={"ar": "صالح ليوم واحد", "fr": "valable un jour"})
    tickets = [make_ticket(number, words=words) for number in range(2)]
    stream = print_escpos(tickets)
    commands, text = parse(stream)
    assert text == "" and [one[:2] for one in commands].count(b"\x1dV") == 2
    bands = [one for one in commands if one.startswith(b"\x1dv0\x00\x48\x00")]
    assert len(bands) > 8 and len(bands) + 4 == len(commands)
    drawn = draw_receipt(print_escpos(tickets[:1]))
    images = re.findall(
        '<image x="32" y="([0-9]+)" width="576" height="([0-9]+)" href="data:image/png;base64,([^"]*)"', drawn
    )
    paper = Image.new("L", (640, max(int(y) + int(height) for y, height, _ in images)), 255)
    for y, _, picture in images:
        paper.paste(Image.open(io.BytesIO(base64.b64decode(picture))), (32, int(y)))
    read = {code.text for code in zxingcpp.read_barcodes(paper)}
    assert read == {tickets[0].join, tickets[0].redeem_url}
