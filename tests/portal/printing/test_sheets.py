"""Sheets, labels and receipts as they lie on the table: rendered to pictures, and read as a camera and an eye do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.printing.papers import LARGE_GRIDS, Paper, UnfitPaper, grid
from portal.printing.sheets import preview_svg, print_pdf
from portal.printing.tickets import OversizedPrint, UnprintableVoucher
from tests.portal.printing.printed import (
    make_ticket,
    make_tickets,
    read_codes,
    read_facts,
    read_text,
    redeem_addresses,
    squeezed,
)

FORMS = [(paper, False) for paper in Paper] + [(paper, True) for paper in LARGE_GRIDS]


@pytest.mark.parametrize(("paper", "large"), FORMS)
def test_a_camera_reads_every_code_and_an_eye_every_letter(paper: Paper, large: bool, tmp_path: Path) -> None:
    """One full page and one ticket more."""
    places = grid(paper, large=large)
    tickets = make_tickets(places.places + 1)
    pdf = print_pdf(tickets, paper=paper, large=large)
    pages = read_codes(pdf, tmp_path)
    seen = [code.text for page in pages for code in page]
    joins = 0 if paper is Paper.L7651 else len(tickets)
    assert len(pages) == 2
    assert sorted(text for text in seen if text.startswith("HTTPS")) == redeem_addresses(tickets)
    assert [text for text in seen if not text.startswith("HTTPS")] == [tickets[0].join] * joins
    text = squeezed(read_text(pdf))
    assert all(text.count(ticket.code) == 1 for ticket in tickets)
    assert text.count("Besancon-Bibliotheques") >= len(tickets)


@pytest.mark.parametrize("paper", [Paper.A4, Paper.L7160, Paper.L7163, Paper.L7651])
def test_each_code_stands_on_its_own_label(paper: Paper, tmp_path: Path) -> None:
    """In the millimetres of the sheet's maker; the ticket's place tells which code belongs there."""
    places = grid(paper)
    tickets = make_tickets(places.places)
    (page,) = read_codes(print_pdf(tickets, paper=paper), tmp_path)
    found = {code.text: code for code in page}
    for place, ticket in enumerate(tickets):
        left, top = places.corner(place)
        code = found[ticket.redeem_url]
        assert left < code.x and code.x + code.side < left + places.width
        assert top < code.y and code.y + code.side < top + places.height
        assert code.side > (13.5 if paper is Paper.L7651 else 19.3)


def test_an_offset_moves_everything_to_the_right_and_down(tmp_path: Path) -> None:
    ticket = make_ticket()
    (straight,) = read_codes(print_pdf([ticket], paper=Paper.L7163), tmp_path)
    (moved,) = read_codes(print_pdf([ticket], paper=Paper.L7163, offset_mm=(2.5, -1.5)), tmp_path)
    before, after = ({code.text: code for code in page}[ticket.redeem_url] for page in (straight, moved))
    assert after.x - before.x == pytest.approx(2.5, abs=0.2)
    assert after.y - before.y == pytest.approx(-1.5, abs=0.2)


def test_a_begun_sheet_is_used_from_its_first_free_label(tmp_path: Path) -> None:
    tickets = make_tickets(3)
    pages = read_codes(print_pdf(tickets, paper=Paper.L7163, first_free=12), tmp_path)
    passes = [[code for code in page if code.text.startswith("HTTPS")] for page in pages]
    assert [len(page) for page in passes] == [2, 1]
    left, top = grid(Paper.L7163).corner(12)
    first = next(code for code in passes[0] if code.text == tickets[0].redeem_url)
    assert left < first.x < left + 99.1 and top < first.y < top + 38.1


@pytest.mark.parametrize(("paper", "large"), FORMS)
def test_the_page_is_as_large_as_the_paper(paper: Paper, large: bool) -> None:
    facts = read_facts(print_pdf([make_ticket()], paper=paper, large=large))
    width, height = map(float, re.findall(r"Page size: +([\d.]+) x ([\d.]+) pts", facts)[0])
    wanted = grid(paper, large=large).page
    assert (width * 25.4 / 72, height * 25.4 / 72) == pytest.approx(wanted, abs=0.05)


def test_it_is_tagged_titled_and_says_its_language() -> None:
    """PDF/UA-1, so that a screen reader reads it; a picture of a code says what it holds."""
    pdf = print_pdf([make_ticket()], paper=Paper.A4, title="Pass du samedi")
    facts = read_facts(pdf)
    assert re.search(r"Tagged: +yes", facts) and re.search(r"Title: +Pass du samedi", facts)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    structure = read_facts(pdf, "-struct-text")
    assert structure.count("Figure") == 2 and "valid until midnight" in structure
    assert b"/Lang(fr)" in pdf or b"/Lang (fr)" in pdf


def test_each_ticket_speaks_its_visitors_languages() -> None:
    text = read_text(print_pdf([make_ticket(languages=("de", "en"))], paper=Paper.RECEIPT))
    assert "gültig bis heute" in text and "valid until" in text and "valable" not in text
    assert "1 WLAN beitreten" in text and "2 Open your pass" in text


def test_what_has_no_camera_is_told_where_to_type_the_code() -> None:
    for paper in (Paper.A4, Paper.L7160, Paper.L7163, Paper.RECEIPT):
        assert "wifi.example.org/pass" in read_text(print_pdf([make_ticket()], paper=paper))


def test_cut_lines_run_between_the_tickets_of_plain_paper_only() -> None:
    assert len(list(grid(Paper.A4).cuts())) == 5 + 7
    assert not list(grid(Paper.L7160).cuts())
    places = grid(Paper.A4)
    assert places.corner(23) == (places.left + 3 * 50.0, places.top + 5 * 47.8)


def test_the_preview_shows_the_pages_of_the_print() -> None:
    tickets = make_tickets(30)
    pages = preview_svg(tickets, paper=Paper.A4)
    assert len(pages) == 2
    assert all(page.startswith("<svg") and "<script" not in page for page in pages)
    assert pages[0].count("data:image/svg+xml;base64") >= 25
    assert preview_svg(tickets, paper=Paper.A4, pages=1, first_free=1) == preview_svg(
        tickets[:23], paper=Paper.A4, first_free=1
    )


def test_the_same_tickets_make_the_same_bytes() -> None:
    """No clock stands in the document: two prints of one batch can be compared."""
    assert print_pdf([make_ticket()], paper=Paper.L7651) == print_pdf([make_ticket()], paper=Paper.L7651)


@pytest.mark.parametrize("first_free", [-1, 21, 10_000])
def test_it_refuses_to_begin_beside_the_sheet(first_free: int) -> None:
    with pytest.raises(UnfitPaper, match="0 to 20"):
        print_pdf([make_ticket()], paper=Paper.L7160, first_free=first_free)


@pytest.mark.parametrize("offset", [(11.0, 0.0), (0.0, -11.0), (float("nan"), 0.0)])
def test_it_refuses_an_offset_that_no_printer_has(offset: tuple[float, float]) -> None:
    with pytest.raises(UnfitPaper, match="10 mm"):
        print_pdf([make_ticket()], paper=Paper.A4, offset_mm=offset)


def test_it_refuses_large_print_on_labels() -> None:
    with pytest.raises(UnfitPaper, match="L7651"):
        print_pdf([make_ticket()], paper=Paper.L7651, large=True)


def test_it_refuses_what_would_not_work_on_paper() -> None:
    for changes in (
        {"code": ""},
        {"code": "7K2-M9Q-XAH-7K2"},
        {"code": "7K2M9QXAH"},
        {"code": "7K2-M9Q-XAH\n"},
        {"code": "7K2-M9Q-\x1bAH"},
        {"ssid": "\x00"},
        {"redeem_url": ""},
        {"redeem_url": "HTTPS://W.EU/" + "P" * 100},
        {"join": "WIFI:T:nopass;S:" + "x" * 100 + ";;"},
        {"languages": ()},
    ):
        with pytest.raises(UnprintableVoucher):
            print_pdf([make_ticket(**changes)], paper=Paper.A4)
    with pytest.raises(UnprintableVoucher):
        print_pdf([], paper=Paper.A4)


def test_it_refuses_more_than_one_document_holds() -> None:
    with pytest.raises(OversizedPrint) as refused:
        print_pdf([make_ticket()] * 2_001, paper=Paper.A4)
    assert refused.value.most == 2_000
