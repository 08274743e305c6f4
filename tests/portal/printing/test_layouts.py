"""Everything stands on its ticket, and nothing in the blank margin that a camera needs."""

from __future__ import annotations

import itertools

import pytest

from portal.printing.layouts import Codes, lay_out
from portal.printing.marks import Mark, Square, TextBox
from portal.printing.papers import LARGE_GRIDS, ROOMY_GRIDS, Paper, grid
from portal.printing.qr import QUIET_ZONE, draw, modules
from portal.printing.tickets import PrintedVoucher
from tests.portal.printing.printed import make_ticket

FORMS = [(paper, False) for paper in Paper] + [(paper, True) for paper in LARGE_GRIDS]
# With the roomier places that long texts are given.
ALL_FORMS = [(*form, False) for form in FORMS] + [(*form, True) for form in ROOMY_GRIDS]
TICKETS = {
    "plain": make_ticket(),
    "full": make_ticket(ssid="M" * 32, join="WIFI:T:nopass;S:x;;", place="P" * 90, event="n" * 300),
    "three languages": make_ticket(languages=("de", "fr", "en")),
    "coarsest": make_ticket(redeem_url="HTTPS://W.EU/PASS/7K2M9QXAH", join="WIFI:T:nopass;S:x;;"),
    "finest": make_ticket(redeem_url="HTTPS://W.EU/" + "P" * 80, join="WIFI:T:nopass;S:" + "x" * 88 + ";;"),
}
Box = tuple[float, float, float, float]


def marks_of(ticket: PrintedVoucher, paper: Paper, large: bool, roomy: bool = False) -> list[Mark]:
    codes = Codes(draw(ticket.join), draw(ticket.redeem_url))
    places = grid(paper, large=large, roomy=roomy)
    return lay_out(ticket, codes, paper, places, large=large, roomy=roomy)


def box(mark: Mark) -> Box:
    """Left, top, right, bottom."""
    if isinstance(mark, Square):
        return mark.x, mark.y, mark.x + mark.side, mark.y + mark.side
    if mark.turned:
        return mark.x, mark.y - mark.width, mark.x + mark.height, mark.y
    return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height


def overlap(one: Box, other: Box) -> bool:
    slack = 0.01
    return (
        one[0] < other[2] - slack
        and other[0] < one[2] - slack
        and one[1] < other[3] - slack
        and other[1] < one[3] - slack
    )


@pytest.mark.parametrize("ticket", TICKETS.values(), ids=TICKETS)
@pytest.mark.parametrize(("paper", "large", "roomy"), ALL_FORMS)
def test_everything_stands_on_its_ticket(
    paper: Paper, large: bool, roomy: bool, ticket: PrintedVoucher
) -> None:
    places = grid(paper, large=large, roomy=roomy)
    for mark in marks_of(ticket, paper, large, roomy):
        left, top, right, bottom = box(mark)
        assert left >= 0.5 and top >= 0.5, mark
        assert right <= places.width - 0.5 and bottom <= places.height - 0.2, mark


@pytest.mark.parametrize("ticket", TICKETS.values(), ids=TICKETS)
@pytest.mark.parametrize(("paper", "large", "roomy"), ALL_FORMS)
def test_no_text_stands_on_another(paper: Paper, large: bool, roomy: bool, ticket: PrintedVoucher) -> None:
    lines = [
        mark for mark in marks_of(ticket, paper, large, roomy) if isinstance(mark, TextBox) and mark.text
    ]
    for one, other in itertools.combinations(lines, 2):
        assert not overlap(box(one), box(other)), (one, other)


@pytest.mark.parametrize("ticket", TICKETS.values(), ids=TICKETS)
@pytest.mark.parametrize(("paper", "large", "roomy"), ALL_FORMS)
def test_four_modules_around_each_code_stay_blank(
    paper: Paper, large: bool, roomy: bool, ticket: PrintedVoucher
) -> None:
    marks = marks_of(ticket, paper, large, roomy)
    for square in (mark for mark in marks if isinstance(mark, Square)):
        margin = QUIET_ZONE * square.side / square.drawing.side
        left, top, right, bottom = box(square)
        blank = (left - margin, top - margin, right + margin, bottom + margin)
        others = [mark for mark in marks if mark is not square and (isinstance(mark, Square) or mark.text)]
        assert not [mark for mark in others if overlap(box(mark), blank)]


@pytest.mark.parametrize(("paper", "large"), FORMS)
def test_both_codes_are_20_mm_at_least_where_the_paper_allows(paper: Paper, large: bool) -> None:
    sides = [mark.side for mark in marks_of(make_ticket(), paper, large) if isinstance(mark, Square)]
    if paper is Paper.L7651:
        # The label is 21.2 mm high: a code of 20 mm would have no blank margin.
        assert sides == [14.4]
    else:
        assert len(sides) == 2 and min(sides) >= 20


@pytest.mark.parametrize(("paper", "large"), FORMS)
def test_the_name_of_the_network_and_the_code_are_never_cut(paper: Paper, large: bool) -> None:
    ticket = make_ticket(ssid="W" * 32, code="WWW-MWM-WWW")
    texts = [
        str(mark.at(0, 0)["text"]) for mark in marks_of(ticket, paper, large) if isinstance(mark, TextBox)
    ]
    assert f"Wifi {'W' * 32}" in texts
    assert ticket.code.replace("-", "") in "".join(texts).replace("-", "")


@pytest.mark.parametrize("paper", LARGE_GRIDS)
def test_what_a_guest_must_read_in_large_print_has_14_points(paper: Paper) -> None:
    lines = [mark for mark in marks_of(make_ticket(), paper, True) if isinstance(mark, TextBox)]
    needed = [mark for mark in lines if mark.is_code or mark.text.startswith(("Wifi", "valable", "valid"))]
    assert len(needed) == 4 and min(mark.size for mark in needed) >= 14


@pytest.mark.parametrize(("paper", "large"), FORMS)
def test_no_sentence_is_set_too_small_to_be_read(paper: Paper, large: bool) -> None:
    ticket = make_ticket(ends={"fr": "valable " + "longtemps " * 30, "en": "good " + "for long " * 30})
    lines = [mark for mark in marks_of(ticket, paper, large) if isinstance(mark, TextBox)]
    ends = [mark for mark in lines if "end" in mark.cut]
    assert ends
    for mark in ends:
        answer = mark.at(0, 0)
        assert (
            isinstance(answer["size"], (int, float))
            and answer["size"] >= 4.5
            and str(answer["text"]).endswith("…")
        )


def test_the_side_of_a_code_is_known_without_drawing_it() -> None:
    for length in (1, 20, 26, 27, 42, 43, 61, 62, 90, 91, 106):
        for text in ("P" * length, "p" * length, "7" * length, "é" * (length // 2)):
            assert modules(text) == draw(text).side
