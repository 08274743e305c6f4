"""The network's logo on paper: on tickets where there is room, on the cover of a report, and nowhere in the way."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from auth.vouchers.plans import add_first_plans
from portal.printing.from_networks import logo_of
from portal.printing.layouts import Codes, lay_out, logo_room
from portal.printing.logos import PrintedLogo
from portal.printing.marks import TextBox
from portal.printing.pages import write_job
from portal.printing.papers import LARGE_GRIDS, ROOMY_GRIDS, Paper, grid
from portal.printing.qr import draw
from portal.printing.sheets import _job, preview_svg, print_pdf
from portal.services import Services
from sites import pictures
from sites.images.preparing import prepare
from sites.images.shapes import LOGO
from sites.models import Network
from tests.portal.printing.printed import (
    make_ticket,
    make_tickets,
    read_codes,
    read_facts,
    read_text,
    squeezed,
)
from tests.services.parts import program
from tests.sites.images import made
from tests.town import Town

FORMS = [
    *((paper, False, False) for paper in Paper),
    *((paper, True, False) for paper in LARGE_GRIDS),
    *((*form, True) for form in ROOMY_GRIDS),
]
WITH_ROOM = {
    (Paper.A4, False, False),
    (Paper.A4, True, False),
    (Paper.A4, False, True),
    (Paper.A4, True, True),
}


@pytest.fixture
def mark(services: Services, town: Town) -> PrintedLogo:
    prepared = prepare(made.logo(), "a.png", LOGO)
    with services.make_session.begin() as db:
        network = db.scalars(select(Network).filter_by(slug="bibliotheques")).one()
        pictures.set_logo(db, network, prepared, alt={"fr": "Les armes"})
        found = logo_of(db, network, "fr")
    assert found is not None and found.alt == "Les armes"
    return found


@pytest.mark.parametrize("form", FORMS)
def test_it_stands_beside_the_code_where_there_is_room(form: tuple[Paper, bool, bool]) -> None:
    paper, large, roomy = form
    places = grid(paper, large=large, roomy=roomy)
    room = logo_room(paper, places, large=large, roomy=roomy)
    assert (room is not None) == (form in WITH_ROOM)
    if room is None:
        return
    left, top, width, height = room
    ticket = make_ticket()
    marks = lay_out(
        ticket, Codes(draw(ticket.join), draw(ticket.redeem_url)), paper, places, large=large, roomy=roomy
    )
    for one in marks:
        if isinstance(one, TextBox) and one.is_code:
            # Its box is as wide as the ticket; the signs stand in the middle of it.
            continue
        assert one.y >= top + height - 0.01, one
    assert min(width, height) >= 4 and left >= 0.5 and top >= 0.5


def test_a_sheet_with_a_logo_is_read_as_one_without(mark: PrintedLogo, tmp_path: Path) -> None:
    plain = make_tickets(24)
    dressed = [replace(one, logo=mark) for one in plain]
    before, after = print_pdf(plain, paper=Paper.A4), print_pdf(dressed, paper=Paper.A4)
    assert squeezed(read_text(before)) == squeezed(read_text(after))
    assert read_facts(after, "-struct").count("Figure") == read_facts(before, "-struct").count("Figure") + 24
    assert b"<pdfuaid:part>1</pdfuaid:part>" in after
    # The picture is in the document once.
    assert len(after) - len(before) < 60_000
    (codes,) = read_codes(after, tmp_path)
    assert len(codes) == 48
    shown, bare = (preview_svg(tickets, paper=Paper.A4)[0] for tickets in (dressed, plain))
    assert shown.count("<image") == bare.count("<image") + 24


def test_the_job_holds_the_logo_once(mark: PrintedLogo) -> None:
    tickets = [replace(one, logo=mark) for one in make_tickets(1000)]
    job = _job(tickets, Paper.A4, (0.0, 0.0), 0, False, "", "pdf")
    assert str(write_job(job)).count("data:image/png") == 1


def test_the_command_prints_tickets_with_the_logo(
    app: Flask, services: Services, mark: PrintedLogo, tmp_path: Path
) -> None:
    run = app.test_cli_runner().invoke
    with services.make_session.begin() as db:
        add_first_plans(db)
    done = run(args=["vouchers", "sheet", "3", f"{tmp_path}/a.pdf", "--site", "pierre-bayle"])
    assert done.exit_code == 0, done.output
    assert read_facts((tmp_path / "a.pdf").read_bytes(), "-struct").count("Figure") == 9


def test_a_report_bears_logo_and_contact(app: Flask, mark: PrintedLogo, tmp_path: Path) -> None:
    run = app.test_cli_runner().invoke
    dates = ("--from", "2026-10-01", "--to", "2026-10-31", "--format", "pdf", "-o", f"{tmp_path}/a.pdf")
    done = run(args=["report", "usage", *dates])
    assert done.exit_code == 0, done.output
    pdf = (tmp_path / "a.pdf").read_bytes()
    listed = subprocess.run(
        [program("pdfimages"), "-list", "-"], input=pdf, capture_output=True, check=True
    ).stdout
    assert len(listed.splitlines()) > 2, "the cover has no picture"
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert re.search(r"wifi@example\.org", read_text(pdf))
