"""What a stranger wrote is printed as text: nothing is run, read or fetched, and the sheet keeps its shape."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from portal.printing import press
from portal.printing.marks import set_in
from portal.printing.papers import Paper
from portal.printing.sheets import preview_svg, print_pdf
from portal.printing.tickets import plain
from tests.portal.printing.printed import make_tickets, read_codes, read_text, redeem_addresses, squeezed

MARKUP = [
    "#panic()",
    "#sys.inputs.job",
    '#read("/etc/passwd")',
    '#image("file:///etc/passwd")',
    '#import "@preview/cades:0.3.0": qr',
    "*bold* _slanted_ $x^2$ `raw`",
    "= Heading <label> @label",
    "// comment /* comment */",
    "]; #set page(width: 1cm); [",
    '"); panic("',
    "\\u{41} \\ ~ --- ...",
    "<img src=file:/etc/passwd> <b>&amp;</b>",
    '<font color="[eval]">',
    "{ssid} {address} {0.__class__} %s",
]


@pytest.mark.parametrize("text", MARKUP)
def test_markup_is_printed_as_it_was_written(text: str) -> None:
    """In each field that staff or a site's record can fill."""
    tickets = make_tickets(1, place=text, event=text, ends={"fr": text}, languages=("fr",), ssid=text[:32])
    printed = squeezed(read_text(print_pdf(tickets, paper=Paper.RECEIPT, title=text)))
    assert printed.count(squeezed(text)) >= 3


def test_nothing_is_fetched_and_no_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("XYZZY-PLUGH", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        note = f'#image("{url}") #read("{secret}") <img src="{url}"> {url}'
        pdf = print_pdf(make_tickets(1, event=note), paper=Paper.RECEIPT)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "XYZZY" not in read_text(pdf) and b"XYZZY" not in pdf
    # Nor is it made a link, which a viewer could follow.
    assert b"/URI" not in pdf


def test_the_source_reads_loads_and_evaluates_nothing() -> None:
    source = (press.HERE / "sheet.typ").read_text(encoding="utf-8")
    assert not [
        word for word in ("import", "include", "read(", "eval(", "@preview", "link(") if word in source
    ]


def test_a_place_as_long_as_a_chapter_leaves_every_ticket_in_its_place(tmp_path: Path) -> None:
    name = "Lorem ipsum dolor sit amet, " * 366
    assert len(name) > 10_000
    tickets = make_tickets(15, place=name)
    pages = read_codes(print_pdf(tickets, paper=Paper.A4), tmp_path)
    assert len(pages) == 1
    assert sorted(code.text for code in pages[0] if code.text.startswith("HTTPS")) == redeem_addresses(
        tickets
    )


def test_a_word_without_end_leaves_every_ticket_in_its_place(tmp_path: Path) -> None:
    for name in ("W" * 10_000, "\U0001f389" * 10_000):
        pages = read_codes(print_pdf(make_tickets(14, place=name), paper=Paper.L7163), tmp_path)
        assert len(pages) == 1 and len(pages[0]) == 28


def test_hebrew_arabic_and_emoji_are_printed_as_text(tmp_path: Path) -> None:
    tickets = make_tickets(21, event="שלום مرحبا 🎉", place="Ελλάδα Київ")
    pdf = print_pdf(tickets, paper=Paper.RECEIPT)
    text = read_text(pdf)
    assert all(word in text for word in ("שלום", "مرحبا", "🎉", "Ελλάδα", "Київ"))
    assert len(read_codes(pdf, tmp_path)) == 21


def test_a_sign_that_no_font_has_costs_the_seal_and_not_the_print() -> None:
    pdf = print_pdf(make_tickets(1, event="\U00013000 日", place=""), paper=Paper.A4)
    assert b"pdfuaid" not in pdf and b"/StructTreeRoot" in pdf


def test_a_note_cannot_turn_what_stands_after_it() -> None:
    assert plain("a\u202eb\u2066c\u200fd") == "abcd"


def test_control_characters_are_blanks() -> None:
    assert plain("\x1b@ a\x00b\r\n\tc\u2028d\x7f") == "@ a b c d"


def test_what_is_cut_off_ends_in_an_ellipsis() -> None:
    box = {"width": 20.0, "height": 4.0, "size": 6.0, "least": 5.0, "bold": False}
    assert set_in("abc", **box).lines == ("abc",)
    cut = set_in("abcdefghijklmnop" * 10, **box)
    assert cut.is_cut and cut.size == 5 and cut.lines[-1].endswith("…")


def test_the_preview_shows_text_and_runs_nothing() -> None:
    (page,) = preview_svg(make_tickets(1, event="</svg><script>alert(1)</script>"), paper=Paper.A4)
    assert "<script" not in page and page.count("</svg>") == 1
