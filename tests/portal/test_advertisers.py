"""What an advertiser is told: figures and bills by command, and its own page under a link, which shows nothing else."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from werkzeug.test import TestResponse

from ads.ledger import served
from ads.models import Advertiser
from portal.services import Services
from sessions.statistics.models import FigureDay
from tests.ads.campaigns import accept, make_advertiser, make_draft, run_campaign
from tests.clock import NOON, MovingClock
from tests.portal.printing.printed import read_text
from tests.town import Town

HOST = "https://portal.example.org"


@pytest.fixture
def sold(services: Services, town: Town) -> None:
    """A bakery with one campaign of 40 messages accepted at the station and two in Battant, and a rival with one."""
    with services.make_session.begin() as db:
        bread = run_campaign(db, "bread", price_cents=1250)
        make_draft(db, "secret-plan")
        rival = run_campaign(db, "rival", advertiser=make_advertiser(db, "rival", name="Rival"))
        for number in range(42):
            accept(db, town.station if number < 40 else town.battant, bread.creatives[0].id, number)
        left = [
            served.of(town.station, f"l{number}", bread.creatives[0].id, shown_at=NOON)
            for number in range(30)
        ]
        served.write(db, left, now=NOON)
        for number in range(100, 110):
            accept(db, town.station, rival.creatives[0].id, number)
        made = {"version": "1", "made_at": NOON, "devices": 0, "devices_by_network": {}}
        db.add(FigureDay(day=date(2026, 11, 30), **made))


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["campaigns", *words])


def open_page(app: Flask, address: str, **options: Any) -> TestResponse:
    return app.test_client().get(address.removeprefix(HOST), base_url=HOST, **options)


def test_figures_are_told_as_text_as_a_table_and_in_print(app: Flask, sold: None, tmp_path: Path) -> None:
    told = run(app, "figures", "bread").output
    assert "Gare Viotte" in told
    assert "0,53\u00a0€" in told
    table, paper = tmp_path / "figures.csv", tmp_path / "figures.pdf"
    assert run(app, "figures", "bread", "--csv", str(table), "--pdf", str(paper)).exit_code == 0
    figures, meanings = table.read_bytes().decode().split("\r\n\r\n")
    rows = {(row["by"], row["part"]): row for row in csv.DictReader(io.StringIO(figures))}
    whole = rows["all", ""]
    assert (whole["served"], whole["viewed"], whole["accepted"]) == ("72", "42", "42")
    assert whole["cost_eur"] == "0.53"
    # What is small is hidden, and what would tell it.
    assert (rows["place", "Battant"]["accepted"], rows["place", "Gare Viotte"]["accepted"]) == ("<5", "n/d")
    assert '"served"' in meanings
    assert paper.read_bytes().startswith(b"%PDF")
    assert run(app, "figures", "nothing").exit_code == 1


def test_a_bill_is_issued_once_and_checked_against_the_ledger(
    app: Flask, sold: None, tmp_path: Path, services: Services
) -> None:
    table, paper = tmp_path / "bill.csv", tmp_path / "bill.pdf"
    first = run(app, "bill", "bakery", "2026-11", "--csv", str(table), "--pdf", str(paper), "--check")
    assert first.exit_code == 0, first.output
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [(row["bill"], row["accepted"], row["amount_eur"]) for row in rows] == [
        ("2026-0001", "42", "0.53")
    ] * 2
    before = table.read_bytes()
    with services.make_session.begin() as db:
        db.get_one(Advertiser, 1).name = "Another"
    assert run(app, "bill", "bakery", "2026-11", "--csv", str(table)).exit_code == 0
    assert table.read_bytes() == before
    assert "2026-0001" in read_text(paper.read_bytes())
    assert "Bakery Ada" in read_text(paper.read_bytes())
    assert "not final" in run(app, "bill", "bakery", "2026-12").output


def test_a_link_shows_its_own_figures_until_it_is_revoked(app: Flask, sold: None, clock: MovingClock) -> None:
    address = run(app, "link", "bakery", "--days", "30").stdout.strip()
    page = open_page(app, address)
    assert page.status_code == 200
    assert "Bakery Ada" in page.text
    assert "Bread" in page.text
    for others in ("Rival", "rival", "Secret-Plan", "secret-plan", "SIREN"):
        assert others not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "<script" not in page.text
    style = page.text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in page.headers["Content-Security-Policy"]
    table = open_page(app, f"{address}/figures.csv")
    assert table.text.startswith('"campaign"')
    assert "rival" not in table.text
    assert app.test_client().post(address.removeprefix(HOST), base_url=HOST).status_code == 405
    assert run(app, "link", "bakery", "--revoke").output == "1 link revoked.\n"
    assert open_page(app, address).status_code == 404
    fresh = run(app, "link", "bakery", "--days", "30").stdout.strip()
    clock.advance(days=31)
    assert open_page(app, fresh).status_code == 404


def test_whoever_guesses_is_soon_not_heard(app: Flask, sold: None, clock: MovingClock) -> None:
    address = run(app, "link", "bakery").stdout.strip()
    guesser = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    answers = {open_page(app, f"/figures/guess{number}", **guesser).status_code for number in range(10)}
    assert answers == {404}
    assert open_page(app, address, **guesser).status_code == 429
    assert open_page(app, address).status_code == 200
    clock.advance(seconds=timedelta(minutes=16).total_seconds())
    assert open_page(app, address, **guesser).status_code == 200
