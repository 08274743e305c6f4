"""The usage report in front of staff: their own networks, in words, in print and as open data."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from db.base import Base
from portal import statistics
from portal.printing import typesetter
from portal.services import Services
from sites.models import Gateway, Network, Site
from tests.clock import MovingClock
from tests.portal.pages.scene import open_window, running_portal
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.test_pages import DESKTOP, look
from tests.portal.staff.test_pages import Clerk as ClerkOnScreen
from tests.sessions.statistics.rows import add_refusal, add_session
from tests.town import Town, make_gateway

WEEK = "first=2026-10-05&last=2026-10-11"
NOON = datetime(2026, 10, 6, 10, 0, tzinfo=UTC)


def fill(db: Session, free: Gateway, library: Gateway) -> None:
    """On four days of a week: ten devices on the free network, six in the library."""
    for number in range(4):
        at = NOON + timedelta(days=number)
        for device in range(10):
            add_session(db, free, device, at=at, used=(1, 50_000_000), best=20_000)
            add_refusal(db, free, at=at)
        for device in range(20, 26):
            add_session(db, library, device, at=at, minutes=90)


@pytest.fixture
def clock() -> MovingClock:
    """A Thursday, a week later."""
    return MovingClock(datetime(2026, 10, 15, 10, 0, tzinfo=UTC))


@pytest.fixture
def used(services: Services, town: Town) -> Town:
    with services.make_session.begin() as db:
        fill(db, town.station, town.pierre_bayle)
    while statistics.make_next(services) is not None:
        pass
    return town


@pytest.fixture
def reader(desk: Desk, used: Town) -> Clerk:
    """Somebody of the town hall who reads reports, of all networks."""
    return desk.at_work("ines", Role.REPORT)


def test_the_page_opens_with_sentences_then_numbers_then_drawings(reader: Clerk) -> None:
    page = reader.get(f"/staff/reports?{WEEK}").text
    said = (
        "From 5 October 2026 to 11 October 2026, not complete (figures from 6 October 2026 to 11 October 2026: "
        "6 of 7 days), the wifi of Besançon was used for 64 sessions at 2 places, 56 hours"
    )
    assert page.index(said) < page.index('<dl class="key-figures">') < page.index("<svg xmlns")


def test_without_a_period_it_is_about_the_last_whole_month(reader: Clerk) -> None:
    page = reader.get("/staff/reports").text
    assert 'value="2026-09-01"' in page and 'value="2026-09-30"' in page
    assert "In September 2026: there are no figures yet." in page


def test_it_is_computed_once(reader: Clerk, services: Services) -> None:
    """The second time no day's documents are read, on the page, in print or as a table."""
    first = reader.get(f"/staff/reports?{WEEK}").text
    with statements_of(services) as statements:
        assert without_forms(reader.get(f"/staff/reports?{WEEK}").text) == without_forms(first)
        assert reader.get(f"/staff/reports/csv?{WEEK}").status_code == 200
        assert statements and not any("at_once" in statement for statement in statements)
        reader.get(f"/staff/reports?{WEEK}&network=wifilib")
        assert any("at_once" in statement for statement in statements)


@contextmanager
def statements_of(services: Services) -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    found: list[str] = []

    def note(*told: Any) -> None:
        found.append(told[2])

    event.listen(services.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(services.engine, "before_cursor_execute", note)


def without_forms(page: str) -> str:
    return re.sub(r'name="form" value="[^"]+"', "", page)


def test_a_report_that_cannot_be_kept_is_shown_all_the_same(
    reader: Clerk, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    with services.make_session.begin() as db:
        db.execute(text("DROP TABLE computed_reports"))
        columns = ", ".join(f"'' AS {name}" for name in ("question", "basis", "numbers", "made_at"))
        db.execute(text(f"CREATE VIEW computed_reports AS SELECT {columns}"))
    try:
        assert "64 sessions at 2 places" in reader.get(f"/staff/reports?{WEEK}").text
    finally:
        with services.make_session.begin() as db:
            db.execute(text("DROP VIEW computed_reports"))
        Base.metadata.tables["computed_reports"].create(services.engine)
    assert "a computed report could not be kept" in caplog.text


def test_every_drawing_has_its_numbers_in_a_table(reader: Clerk) -> None:
    page = reader.get(f"/staff/reports?{WEEK}").text
    assert page.count('class="chart"') == page.count("The same in numbers") == 3
    assert page.count('role="img" aria-label="Bar chart: ') == 3
    assert '<th scope="row">Tue 6 Oct</th><td class=number>16</td>' in page


def test_a_network_can_be_looked_at_alone(reader: Clerk) -> None:
    page = reader.get(f"/staff/reports?{WEEK}&network=bibliotheques").text
    assert "24 sessions at 1 place" in page
    assert "Places of Wifilib" not in page
    assert reader.get(f"/staff/reports?{WEEK}&network=nowhere").status_code == 404


def test_who_works_for_one_network_reads_of_no_other(desk: Desk, used: Town) -> None:
    librarian = desk.at_work("lou", Role.REPORT, networks=("bibliotheques",))
    page = librarian.get(f"/staff/reports?{WEEK}").text
    assert "24 sessions at 1 place" in page and "Wifilib" not in page
    for path in ("/staff/reports?", "/staff/reports/csv?", "/staff/reports/pdf?"):
        assert librarian.get(f"{path}{WEEK}&network=wifilib").status_code == 404
    rows = librarian.get(f"/staff/reports/csv?{WEEK}").text
    assert "wifilib" not in rows and "wrong_credentials" not in rows


@pytest.mark.parametrize(
    "query",
    [
        "first=nonsense&last=2026-01-01",
        "first=2026-10-31&last=2026-10-01",
        "first=0001-01-01&last=9999-12-31",
    ],
)
def test_days_that_are_no_period_are_told_and_the_last_month_shown(reader: Clerk, query: str) -> None:
    answer = reader.get(f"/staff/reports?{query}")
    assert answer.status_code == 400
    assert "These days are no period." in answer.text and "In September 2026" in answer.text
    assert reader.get(f"/staff/reports/csv?{query}").status_code == 400


@pytest.mark.parametrize(
    ("form", "kind", "begins"), [("csv", "text/csv", b'"period'), ("pdf", "application/pdf", b"%PDF")]
)
def test_a_file_is_taken_away_and_the_trail_says_so(
    reader: Clerk, services: Services, form: str, kind: str, begins: bytes
) -> None:
    answer = reader.get(f"/staff/reports/{form}?{WEEK}&network=wifilib")
    assert answer.headers["Content-Type"].startswith(kind)
    assert f"wifi-wifilib-2026-10-05-2026-10-11.{form}" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(begins)
    with services.make_session() as db:
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
        assert entry is not None
        assert (entry.actor, entry.action, entry.network) == ("ines", "usage report made", "wifilib")
        assert entry.detail == {"from": "2026-10-05", "to": "2026-10-11", "form": form}


def test_a_press_that_is_busy_is_told(reader: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetter, "QUEUE_SECONDS", 0.01)
    with typesetter._press:
        answer = reader.get(f"/staff/reports/pdf?{WEEK}")
    assert answer.status_code == 503
    assert "The page and the table for a spreadsheet hold the same figures." in answer.text


def test_a_chosen_language_keeps_the_period(reader: Clerk) -> None:
    page = reader.get(f"/staff/reports?{WEEK}&network=wifilib").text
    [other] = re.findall(r'hreflang="fr" href="([^"]+)"', page)
    asked = parse_qs(urlsplit(html.unescape(other)).query)
    assert asked == {"first": ["2026-10-05"], "last": ["2026-10-11"], "network": ["wifilib"], "lang": ["fr"]}
    french = reader.get(f"/staff/reports?{WEEK}&lang=fr").text
    assert "le wifi public de Besançon a servi à 64 connexions" in french


@pytest.mark.browser
def test_the_page_with_figures_is_open_to_all(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """axe in both themes, 320 pixels, targets, no script: with drawings and tables."""

    def prepare(db: Session) -> None:
        networks = {network.slug: network for network in db.scalars(select(Network))}
        sites = {site.slug: site for site in db.scalars(select(Site))}
        free = make_gateway("gw-one", sites["gare-viotte"], networks["wifilib"])
        library = make_gateway("gw-two", sites["pierre-bayle"], networks["bibliotheques"])
        db.add_all([free, library])
        db.flush()
        fill(db, free, library)

    with running_portal(tmp_path_factory.mktemp("reports"), prepare=prepare) as portal:
        portal.clock.now = datetime(2026, 10, 15, 10, 0, tzinfo=UTC)
        while statistics.make_next(portal.services) is not None:
            pass
        with open_window(chromium, viewport=DESKTOP) as window:
            clerk = ClerkOnScreen(portal, window.new_page(), "fr", login="ines")
            clerk.hire(Role.REPORT)
            clerk.sign_in()
            clerk.goto(f"/staff/reports?{WEEK}")
            assert clerk.page.locator("svg.chart").count() == 3
            look(clerk, "report")
            with clerk.page.expect_navigation():
                clerk.page.locator('form[action*="/reports/sign"] button').click()
            assert clerk.page.locator("svg.chart").count() == 3
            look(clerk, "signed-report")
