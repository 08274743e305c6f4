"""The demo town, set up from an empty database by pages alone in a browser without script; and from its files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page

from auth.fixed_devices.records import FIXED_DEVICES
from auth.staff.roles import Role
from db.base import Base
from sites.demo.town import FILES
from sites.import_export import NETWORKS, SITES, Records, export_records
from sites.import_export.records import current_cells
from tests.portal.pages.scene import Portal, open_window, running_portal
from tests.portal.staff.window import DESKTOP, Clerk

pytestmark = pytest.mark.browser
KINDS: Mapping[str, Records] = {"networks": NETWORKS, "sites": SITES, "devices": FIXED_DEVICES}
PARIS = ZoneInfo("Europe/Paris")


def rows(kind: str) -> list[dict[str, str]]:
    """The rows of a file of the demo town, without the notes on top."""
    lines = (FILES / f"{kind}.csv").read_text("utf-8").splitlines(keepends=True)
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@pytest.fixture
def office(chromium: Browser, tmp_path: Path) -> Iterator[Clerk]:
    """Noor, of the network team, on her first day: there is nothing yet."""
    with running_portal(tmp_path, town=False) as portal, open_window(chromium, viewport=DESKTOP) as window:
        clerk = Clerk(portal, window.new_page(), "fr", login="noor", home_site="")
        clerk.hire(Role.NETWORK)
        clerk.sign_in()
        yield clerk


def type_in(page: Page, cells: Mapping[str, str]) -> None:
    """Fill the form of a record as a person would, column by column."""
    for column, text in cells.items():
        field = page.locator(f'main [id="{column}"]')
        match field.evaluate("one => one.type || one.tagName"):
            case "checkbox":
                field.set_checked(text in ("true", "yes", "oui", "1"))
            case "fieldset":
                for value in text.split():
                    field.locator(f'input[value="{value}"]').check()
            case "select-one":
                field.select_option(text)
            case "datetime-local":
                field.fill(datetime.fromisoformat(text).astimezone(PARIS).strftime("%Y-%m-%dT%H:%M"))
            case _:
                field.fill(text)


def open_other_languages(page: Page) -> None:
    for folded in page.locator("form.middling details").all():
        if folded.get_attribute("open") is None:
            folded.locator("summary").click()


def add(clerk: Clerk, kind: str, cells: Mapping[str, str]) -> None:
    clerk.goto(f"/staff/records/{kind}/-/new")
    open_other_languages(clerk.page)
    type_in(clerk.page, {column: text for column, text in cells.items() if text})
    with clerk.page.expect_navigation():
        clerk.page.click("form.middling .go")
    assert clerk.page.url.partition("?")[0].endswith(f"/records/{kind}/{cells['slug']}"), (
        clerk.page.inner_text("main")
    )


def shortened(kind: str, most: int | None, folder: Path) -> Path:
    """The file of the demo town, or one of its first rows."""
    if most is None:
        return FILES / f"{kind}.csv"
    short = folder / f"{kind}.csv"
    with short.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows(kind)[0]))
        writer.writeheader()
        writer.writerows(rows(kind)[:most])
    return short


def exports(portal: Portal) -> list[bytes]:
    with portal.services.make_session() as db:
        return [export_records(db, records) for records in KINDS.values()]


# Every place of the demo town takes most of a minute: a few of all kinds are typed each time.
@pytest.mark.parametrize("most", [6, pytest.param(None, marks=pytest.mark.release)])
def test_the_town_is_set_up_by_pages_and_again_from_files(
    office: Clerk, tmp_path: Path, most: int | None
) -> None:
    portal, page = office.portal, office.page
    for kind in KINDS:
        for cells in rows(kind)[:most]:
            add(office, kind, cells)
    by_pages = exports(portal)
    with portal.services.make_session.begin() as db:
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in ("record_changes", "fixed_devices", "site_networks", "sites", "networks"):
                db.execute(table.delete())
    for kind in KINDS:
        office.goto(f"/staff/records/{kind}/-/file")
        page.set_input_files("#file", shortened(kind, most, tmp_path))
        for button in ("form.narrow .go", 'form[action*="/take-in"] .go'):
            with page.expect_navigation():
                page.click(button, timeout=5000)
    with portal.services.make_session() as db:
        assert {kind: len(current_cells(db, records)) for kind, records in KINDS.items()} == {
            kind: len(rows(kind)[:most]) for kind in KINDS
        }
    assert exports(portal) == by_pages
