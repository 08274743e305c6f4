"""The experiment before staff: agreed on a page, measured by the report, amended in the open, reviewed, printed."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from portal import statistics
from portal.cli.sweep import _Figures
from portal.services import Services
from sessions.statistics.models import ComputedReport
from tests.clock import MovingClock
from tests.portal.pages.scene import open_window, running_portal
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.test_pages import look
from tests.portal.staff.test_reports import fill
from tests.portal.staff.window import DESKTOP
from tests.portal.staff.window import Clerk as ClerkOnScreen
from tests.portal.staff.world import make_experiment
from tests.town import Town

FORM = {
    "name": "Wifi pour tous",
    "aim": "Who is it for?\nIs it quick enough?",
    "first": "2026-10-06",
    "last": "2028-10-05",
    "network": "",
    "at-sessions_a_day": "5,5",
    "at-availability": "99.5",
    "at-refusals": "10",
}
PAGE = "/staff/experiments/1"


@pytest.fixture
def clock() -> MovingClock:
    """The first of October, before anything has begun."""
    return MovingClock(datetime(2026, 10, 1, 10, 0, tzinfo=UTC))


@pytest.fixture
def reader(desk: Desk, town: Town) -> Clerk:
    return desk.at_work("ines", Role.REPORT)


def send(clerk: Clerk, path: str, **fields: str) -> str:
    """Send a form; where it leads, or what was refused."""
    clerk.get("/staff/account")
    answer = clerk.post(path, **clerk.form("/staff/account/signout"), **fields)
    return answer.location or answer.text


def live_through(services: Services, town: Town, clock: MovingClock, clerk: Clerk) -> Clerk:
    """Nine days later, with figures of the first seven."""
    with services.make_session.begin() as db:
        fill(db, town.station, town.pierre_bayle)
    clock.now += timedelta(days=14)
    while statistics.make_next(services) is not None:
        pass
    return clerk


def written(clerk: Clerk) -> None:
    assert send(clerk, "/staff/experiments/new", **FORM) == PAGE


def test_it_is_agreed_before_it_begins_and_can_still_be_changed(reader: Clerk) -> None:
    written(reader)
    page = reader.get(PAGE).text
    assert "Written down by Ines on 1 October 2026, before it began." in page
    assert "begins on 6 October 2026" in page and "5.5 or more" in page and "10.0 at most" in page
    assert 'value="5.5"' in reader.get(f"{PAGE}/edit").text
    assert send(reader, f"{PAGE}/edit", **{**FORM, "at-availability": "98"}) == PAGE
    assert "98.00\u00a0% or more" in reader.get(PAGE).text


def test_it_is_measured_by_the_figures_of_the_report(
    reader: Clerk, desk: Desk, services: Services, town: Town, clock: MovingClock
) -> None:
    written(reader)
    live_through(services, town, clock, reader)
    reader = desk.at_work("mae", Role.REPORT)
    page = " ".join(reader.get(PAGE).text.split())
    # 64 sessions and 40 refusals on seven days, as the report says.
    assert "64 sessions" in reader.get("/staff/reports?first=2026-10-06&last=2026-10-12").text
    row = page[page.index("Sessions a day</th>") :].partition("</tr>")[0]
    assert all(cell in row for cell in ("5.5 or more", "9.1", "reached so far"))
    row = page[page.index("Refusals for a hundred sessions</th>") :].partition("</tr>")[0]
    assert "62.5" in row and "not reached so far" in row
    assert "Year 1 (7 of 365 days so far)" in page and "Year 2" not in page
    assert "7 of 731 days so far" in page and "runs until 5 October 2028" in page


def test_the_sweep_has_its_figures_ready_before_anybody_asks(
    app: Flask, reader: Clerk, desk: Desk, services: Services, town: Town, clock: MovingClock
) -> None:
    written(reader)
    live_through(services, town, clock, reader)

    def kept() -> dict[str, datetime]:
        with services.make_session() as db:
            return {row.question: row.made_at for row in db.scalars(select(ComputedReport))}

    assert kept() == {}
    done = app.test_cli_runner().invoke(args=["sweep"])
    assert done.exit_code == 0, done.output
    # On the whole, and on its first year.
    ready = kept()
    assert len(ready) == 2
    clock.advance(minutes=5)
    page = desk.at_work("mae", Role.REPORT).get(PAGE).text
    assert "7 of 731 days so far" in page and kept() == ready
    # The sweep that goes on for ever: anew when another day is there, and not before.
    figures = _Figures()
    figures.make(services)
    assert kept() == ready
    clock.advance(days=1)
    figures.make(services)
    assert kept() == ready
    figures.make(services)
    assert kept().keys() == ready.keys() and set(kept().values()) == {clock()}


def test_once_it_runs_a_threshold_changes_in_the_open_alone(
    reader: Clerk, desk: Desk, services: Services, town: Town, clock: MovingClock
) -> None:
    written(reader)
    live_through(services, town, clock, reader)
    reader = desk.at_work("mae", Role.REPORT)
    assert reader.get(f"{PAGE}/edit").status_code == 409
    assert "This experiment has begun." in send(
        reader, f"{PAGE}/edit", **{**FORM, "first": "2026-12-01", "at-availability": "10"}
    )
    amended = {"measure": "availability", "threshold": "98", "reason": "Works in rue Battant."}
    refused = send(reader, f"{PAGE}/amend", **{**amended, "reason": " "})
    assert "Say why the threshold is changed." in refused and 'value="98"' in refused
    assert send(reader, f"{PAGE}/amend", **amended) == PAGE
    page = reader.get(PAGE).text
    assert "98.00\u00a0% or more (agreed before: 99.50\u00a0% or more)" in page
    assert "Works in rue Battant." in page and "Mae" in page


def test_a_review_is_noted_with_name_day_and_the_figures_then(
    reader: Clerk, desk: Desk, services: Services, town: Town, clock: MovingClock, tmp_path: Path
) -> None:
    written(reader)
    live_through(services, town, clock, reader)
    reader = desk.at_work("mae", Role.REPORT)
    assert "Give the day of the review" in send(reader, f"{PAGE}/review", held_on="2026-10-16", note="Good.")
    note = "The council agrees.\n<script>alert(1)</script> #panic()"
    assert send(reader, f"{PAGE}/review", held_on="2026-10-14", note=note) == PAGE
    page = reader.get(PAGE).text
    assert "Review of 14 October 2026, noted by Mae." in page
    assert "The figures then: Sessions a day: 9.1 ·" in page and "<script>alert" not in page
    file = tmp_path / "experiment.pdf"
    file.write_bytes(reader.get(f"{PAGE}/pdf").data)
    printed = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True)
    text = " ".join(printed.stdout.split())
    for said in ("Review of 14 October 2026, noted by Mae.", "#panic()", "reached so far", "9.1"):
        assert said in text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Give the experiment a name."),
        ({"first": "nonsense"}, "Give the first day."),
        ({"last": "2036-01-01"}, "three years later at most"),
        ({"at-availability": "much"}, "Give the threshold as a number"),
        ({"at-availability": "nan"}, "Give the threshold as a number"),
        ({"at-availability": "-1"}, "Give the threshold as a number"),
        (
            dict.fromkeys(("at-sessions_a_day", "at-availability", "at-refusals"), ""),
            "one indicator at least",
        ),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    reader: Clerk, fields: dict[str, str], said: str
) -> None:
    answer = send(reader, "/staff/experiments/new", **{**FORM, **fields})
    assert said in answer and "Is it quick enough?" in answer
    assert "/staff/experiments/1" not in reader.get("/staff/experiments").text


def test_who_works_for_one_network_writes_and_sees_what_is_about_it(reader: Clerk, desk: Desk) -> None:
    written(reader)
    librarian = desk.at_work("lou", Role.REPORT, networks=("bibliotheques",))
    for path in (PAGE, f"{PAGE}/pdf", f"{PAGE}/edit"):
        assert librarian.get(path).status_code == 404
    assert "There is no such page" in send(
        librarian, "/staff/experiments/new", **{**FORM, "network": "wifilib"}
    )
    assert send(librarian, "/staff/experiments/new", **FORM) == "/staff/experiments/2"
    assert "Bibliothèques" in librarian.get("/staff/experiments/2").text


@pytest.mark.browser
def test_the_pages_are_open_to_all(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    """axe in both themes, 320 pixels, targets, no script: list, form, refusal, and one that runs."""

    def prepare(db: Session) -> None:
        make_experiment(db, "bibliotheques", datetime(2026, 11, 24, 11, 0, tzinfo=UTC), begun=True)

    with (
        running_portal(tmp_path_factory.mktemp("experiments"), prepare=prepare) as portal,
        open_window(chromium, viewport=DESKTOP) as window,
    ):
        clerk = ClerkOnScreen(portal, window.new_page(), "fr", login="ines")
        clerk.hire(Role.REPORT)
        clerk.sign_in()
        for path, name in (("", "experiments"), ("/new", "experiment-new"), ("/1", "experiment")):
            clerk.goto(f"/staff/experiments{path}")
            look(clerk, name)
        clerk.goto("/staff/experiments/new")
        clerk.page.fill("#name", "Wifi")
        clerk.enter("#name")
        assert clerk.page.locator("#aim[aria-invalid]").count() == 1
        look(clerk, "experiment-refused")
