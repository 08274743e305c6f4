"""``flask report``: text, open data and print; figures made, and made again."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from PIL import Image
from sqlalchemy import delete, select, update

from auth.audit.log import AuditEntry
from portal.services import Services
from sessions.models import Lease
from sessions.statistics.models import DayFigures
from tests.clock import MovingClock
from tests.portal.printing.printed import render
from tests.sessions.statistics.rows import add_refusal, add_session
from tests.town import Town, make_gateway, make_site

WEEK = ("--from", "2026-10-05", "--to", "2026-10-11")
BEFORE = ("--from", "2026-09-28", "--to", "2026-09-30")


@pytest.fixture
def clock() -> MovingClock:
    """A Thursday, two weeks later."""
    return MovingClock(datetime(2026, 10, 15, 10, 0, tzinfo=UTC))


@pytest.fixture
def used(app: Flask, services: Services, town: Town) -> Town:
    """On four days of two weeks: twelve devices at the station, three in the library, some refused."""
    with services.make_session.begin() as db:
        for number in (0, 2, 7, 9):
            noon = datetime(2026, 9, 28, 10, 0, tzinfo=UTC) + timedelta(days=number)
            for device in range(12):
                add_session(db, town.station, device, at=noon, used=(1, 50_000_000), best=20_000)
            for device in range(20, 23):
                add_session(db, town.pierre_bayle, device, at=noon)
            for _ in range(2):
                add_refusal(db, town.station, at=noon)
    assert run(app, "make").output == "Made the figures of 15 days.\n"
    return town


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["report", *words])


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def read_print(file: Path) -> str:
    done = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True)
    return squeezed(done.stdout)


def test_the_report_is_told_in_either_language(app: Flask, used: Town) -> None:
    french = squeezed(run(app, "usage", *WEEK).output)
    english = squeezed(run(app, "usage", *WEEK, "--language", "en").output)
    assert (
        "Du 5 octobre 2026 au 11 octobre 2026, le wifi public de Besançon a servi à 30 connexions sur 2 lieux"
        in french
    )
    assert (
        "From 5 October 2026 to 11 October 2026, the wifi of Besançon was used for 30 sessions at 2 places"
        in english
    )
    assert (
        "±0 % par rapport au même nombre de jours de la période précédente (28 septembre 2026 – 4 octobre 2026)"
        in french
    )
    assert "20.0 Mbit/s" not in english and "100 % of them reached the 15 Mbit/s" in english
    assert (
        "Made with: flask --app wsgi report usage --from 2026-10-05 --to 2026-10-11 --language en" in english
    )


def test_the_definitions_stand_in_the_report(app: Flask, used: Town) -> None:
    text = squeezed(run(app, "usage", *WEEK, "--language", "en").output)
    for words in (
        "A session:",
        "Visit:",
        "Unique device:",
        "Availability:",
        "Definitions, version 2026-2",
        "100 % of the sessions came from a made-up address",
        "The key is destroyed when its month is closed",
    ):
        assert words in text


def test_the_command_that_stands_in_it_gives_the_same_again(app: Flask, used: Town) -> None:
    first = run(app, "usage", *WEEK).output
    command = re.search(r"flask --app wsgi (report usage .*)", first)
    assert command is not None
    assert app.test_cli_runner().invoke(args=command[1].split()).output == first


def test_small_counts_are_in_neither_text_nor_open_data(app: Flask, used: Town) -> None:
    """Three devices in the library: shown nowhere, and not to be had by subtraction."""
    text = run(app, "usage", *WEEK, "--language", "en").output
    rows = read(run(app, "usage", *WEEK, "--format", "csv").stdout_bytes)
    library = [
        row for row in rows if row["network"] == "bibliotheques" and row["measure"] == "unique_devices"
    ]
    assert [(row["value"], row["shown"]) for row in library] == [("<5", "small")] * 2
    sessions = {(row["network"], row["place"]): row["value"] for row in rows if row["measure"] == "sessions"}
    assert sessions["", ""] == "30"
    assert {value for (network, _), value in sessions.items() if network} == {"n/d"}
    assert re.search(r"Bibliothèques +n/d +n/d +n/d +<\s5 ", text)


def test_open_data_has_its_columns_units_definitions_and_licence(app: Flask, used: Town) -> None:
    content = run(app, "usage", *WEEK, "--format", "csv").stdout_bytes
    rows = read(content)
    assert list(rows[0]) == [
        *(
            "period_first",
            "period_last",
            "scope",
            "network",
            "place",
            "measure",
            "key",
            "value",
            "unit",
            "shown",
        ),
        *("definitions", "licence"),
    ]
    assert {row["definitions"] for row in rows} == {"2026-2"}
    assert {row["licence"] for row in rows} == {"Licence Ouverte / Open Licence 2.0 (Etalab)"}
    days = {row["key"]: row["value"] for row in rows if row["measure"] == "sessions_by_day"}
    assert len(days) == 7 and days["2026-10-05"] == "15" and days["2026-10-06"] == "0"
    assert [row["value"] for row in rows if row["measure"] == "refusals"] == ["<5"]


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"))))


@pytest.mark.parametrize(("language", "title"), [("fr", "Rapport d’usage"), ("en", "Usage report")])
def test_the_print_is_a_tagged_pdf_with_cover_charts_and_definitions(
    app: Flask, used: Town, tmp_path: Path, language: str, title: str
) -> None:
    file = tmp_path / "report.pdf"
    done = run(app, "usage", *WEEK, "--format", "pdf", "--language", language, "-o", str(file))
    assert done.exit_code == 0, done.output
    facts = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Tagged: +yes", facts)
    assert title in facts
    content = file.read_bytes()
    # PDF/UA-1, in the language it is written in.
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert f"<dc:language><rdf:Bag><rdf:li>{language}</rdf:li>".encode() in content
    text = squeezed(
        subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    )
    assert ("Synthèse" if language == "fr" else "Summary") in text
    assert "30" in text and "SHA-256" in text


def test_hostile_names_are_printed_as_they_are(
    app: Flask, used: Town, services: Services, tmp_path: Path
) -> None:
    """What stands in a record is never read as markup."""
    with services.make_session.begin() as db:
        station = db.merge(used.station)
        station.site.name = '#read("/etc/passwd") $x$ *b* <script>alert(1)</script> "'
        db.merge(used.free).name = "#panic() _i_ \\ </svg>"
    file = tmp_path / "report.pdf"
    done = run(app, "usage", *WEEK, "--format", "pdf", "-o", str(file))
    assert done.exit_code == 0, done.output
    text = squeezed(
        subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
    )
    assert "#panic() _i_ \\ </svg>" in text and "root:" not in text


def test_a_report_that_was_made_is_in_the_trail(app: Flask, used: Town, services: Services) -> None:
    run(app, "usage", *WEEK, "--network", "wifilib")
    with services.make_session() as db:
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
        assert entry is not None
        assert (entry.action, entry.network, entry.detail["from"]) == (
            "usage report made",
            "wifilib",
            "2026-10-05",
        )


def test_a_period_without_figures_says_so(app: Flask, used: Town) -> None:
    text = run(app, "usage", "--from", "2027-01-01", "--to", "2027-01-31", "--language", "en").output
    assert "In January 2027: there are no figures yet." in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-10-12", "--to", "2026-10-05"), "ends before it begins"),
        (
            (*WEEK, "--network", "nowhere"),
            "There is no network 'nowhere'. There are: bibliotheques, wifilib.",
        ),
        ((*WEEK, "-o", "/nowhere/at/all"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(app: Flask, used: Town, words: tuple[str, ...], said: str) -> None:
    done = run(app, "usage", *words)
    assert done.exit_code == 1 and said in done.output


def test_a_rebuild_says_that_the_figures_are_the_same(app: Flask, used: Town) -> None:
    done = run(app, "rebuild", *WEEK)
    assert done.exit_code == 0 and done.output.count("the same") == 7
    refused = run(app, "rebuild", *BEFORE)
    assert refused.exit_code == 1 and "its key was destroyed on 2026-10-15" in refused.output
    assert run(app, "rebuild", *BEFORE, "--without-devices").output.count("the same") == 3


def test_a_rebuild_finds_what_was_altered_and_what_was_erased(
    app: Flask, used: Town, services: Services
) -> None:
    with services.make_session.begin() as db:
        db.execute(update(DayFigures).where(DayFigures.day == date(2026, 10, 5)).values(visits=1))
    done = run(app, "rebuild", *WEEK)
    assert done.exit_code == 1 and "2026-10-05\tDIFFERENT" in done.output
    with services.make_session.begin() as db:
        db.execute(delete(Lease))
    done = run(app, "rebuild", *WEEK)
    assert (
        done.exit_code == 1
        and "2026-10-05: rows of the log behind these figures have been erased" in done.output
    )


@pytest.fixture
def steady(app: Flask, services: Services, town: Town, clock: MovingClock) -> Town:
    """Six devices every day from September on; on 28 November the figures reach to the 25th."""
    clock.now = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
    with services.make_session.begin() as db:
        for number in range(88):
            noon = datetime(2026, 9, 1, 10, 0, tzinfo=UTC) + timedelta(days=number)
            for device in range(6):
                add_session(db, town.station, device, at=noon, used=(1, 50_000_000))
    assert run(app, "make").exit_code == 0
    return town


def test_a_month_that_is_not_over_is_compared_with_as_many_days_of_the_month_before(
    app: Flask, steady: Town
) -> None:
    """What is the same every day is no fall, whatever the day the report is asked for."""
    words = ("usage", "--from", "2026-11-01", "--to", "2026-11-30")
    text = squeezed(run(app, *words, "--language", "en").output)
    assert (
        "In November 2026, not complete (figures from 1 November 2026 to 25 November 2026: 25 of 30 days so far), "
        "the wifi of Besançon was used for 150 sessions" in text
    )
    assert "±0 % against the same number of days before (1–25 October 2026)" in text
    assert "\u2212" not in text
    for caption in ("All networks and places together", "The networks", "Places of Wifilib"):
        assert f"{caption} · 25 of 30 days so far" in text
    french = squeezed(run(app, *words).output)
    assert "25 jours sur 30 à ce stade" in french and "\u2212" not in french


def test_months_of_unequal_lengths_are_compared_by_day(app: Flask, steady: Town) -> None:
    """October has a day more than September: that is no rise."""
    words = ("usage", "--from", "2026-10-01", "--to", "2026-10-31", "--language", "en")
    text = squeezed(run(app, *words).output)
    assert "That is ±0 % a day against September 2026." in text and "· compared by day" in text
    assert "+3 %" not in text


def test_a_page_in_french_calls_the_comparison_what_it_is(app: Flask, used: Town) -> None:
    assert "Évolution" in run(app, "usage", *WEEK).output


def test_no_page_of_the_print_is_a_third_empty(
    app: Flask, services: Services, town: Town, clock: MovingClock, tmp_path: Path
) -> None:
    """A town of fifty places, as large as a real one: every page but the cover and the last is filled."""
    clock.now = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
    with services.make_session.begin() as db:
        places = [
            make_gateway(f"gw-{number}", make_site(f"place-number-{number}", town.free), town.free)
            for number in range(48)
        ]
        db.add_all(places)
        db.flush()
        for place, gateway in enumerate(places):
            for device in range(6):
                at = datetime(2026, 10, 30, 8 + place % 9, 0, tzinfo=UTC)
                add_session(db, gateway, 100 * place + device, at=at, used=(1, 50_000_000), best=20_000)
        for device in range(12):
            add_session(db, town.station, device, at=datetime(2026, 10, 1, 10, 0, tzinfo=UTC))
    assert run(app, "make").exit_code == 0
    file = tmp_path / "report.pdf"
    run(app, "usage", "--from", "2026-10-01", "--to", "2026-10-31", "--format", "pdf", "-o", str(file))
    pages = [page.convert("L") for page in render(file.read_bytes(), tmp_path)]
    filled = [_filled(page) for page in pages[2:-1]]
    assert len(filled) >= 3 and min(filled) > 2 / 3, filled


def _filled(page: Image.Image) -> float:
    """How far down the text area of a page something stands; the page's number below it does not count."""
    width, height = page.size
    area = page.crop((0, 0, width, int(0.93 * height)))
    inked = area.point(lambda grey: 255 if grey < 160 else 0).getbbox()
    return inked[3] / area.size[1] if inked else 0.0
