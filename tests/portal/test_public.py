"""What is not public is on no guests' page, on no ticket, in no open data: every column of every row is looked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, before_render_template, template_rendered
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads.demo import load_announcements
from auth.vouchers.models import Batch
from db.base import Base
from portal.guest.profile_grants import ProfileGrant
from portal.printing.from_vouchers import slips
from portal.printing.papers import LARGE_GRIDS, Paper
from portal.printing.receipts import print_escpos
from portal.printing.sheets import print_pdf
from portal.public_values import public
from portal.services import Services
from sites.models import Site
from tests.clock import MovingClock
from tests.portal import columns
from tests.portal.conftest import ADA, ADA_PIN, PORTAL, Agent, Phone
from tests.portal.printing.printed import read_text, squeezed
from tests.portal.visitors import issue, tablet_beside, use
from tests.sessions.statistics.rows import add_session
from tests.town import Town

PAGES = Path(__file__).parents[2] / "templates/guests"
LONG_AGO = datetime(2026, 10, 6, 10, 0, tzinfo=UTC)


@pytest.fixture
def passes(services: Services, town: Town) -> list[Any]:
    """Three passes, messages, figures of a month; then every column of every row gets a text of its own."""
    issued = issue(services, 3)
    with services.make_session.begin() as db:
        load_announcements(db, now=services.clock())
        for device in range(12):
            add_session(db, town.station, device, at=LONG_AGO)
            add_session(db, town.pierre_bayle, device, at=LONG_AGO)
    with services.make_session.begin() as db:
        columns.mark_everything(db)
    services.places.forget()
    return list(issued.tickets)


@pytest.fixture
def found(db: Session, passes: list[Any]) -> Iterator[list[str]]:
    """What a test saw. After it: of all columns, only public ones are in it."""
    seen: list[str] = []
    yield seen
    text = squeezed("".join(seen)).lower()
    db.rollback()
    leaks = {
        name
        for name, texts in columns.markers(db).items()
        if name.partition(".")[2] not in columns.PUBLIC[name.partition(".")[0]]
        for one in texts - open_texts(db)
        if squeezed(one).lower() in text
    }
    assert seen
    assert leaks == set()


def open_texts(db: Session) -> set[str]:
    """What stands in a public column may be read, wherever else it stands too."""
    return {
        text
        for name, texts in columns.markers(db).items()
        if name.partition(".")[2] in columns.PUBLIC[name.partition(".")[0]]
        for text in texts
    }


def answer(db: Session, seen: list[str], *names: str) -> set[str]:
    """Of these columns, those that were seen."""
    db.rollback()
    text, marked = squeezed("".join(seen)).lower(), columns.markers(db)
    return {name for name in names if any(squeezed(one).lower() in text for one in marked[name])}


def test_every_column_is_declared_public_or_not() -> None:
    assert columns.undeclared() == set()


def test_a_row_of_which_nothing_is_public_goes_into_no_template() -> None:
    with pytest.raises(TypeError, match="Batch"):
        public(Batch())


def test_guests_pages(
    app: Flask, town: Town, clock: MovingClock, db: Session, passes: list[Any], found: list[str]
) -> None:
    """Every page there is, for a stranger, and with every way of being online."""
    templates: set[str] = set()
    rows: list[object] = []

    def note(_: Flask, template: Any, context: dict[str, Any], **__: Any) -> None:
        templates.add(template.name or "")
        rows.extend(value for value in context.values() if isinstance(value, Base))

    with template_rendered.connected_to(note, app), before_render_template.connected_to(note, app):
        for text in walk(app, town, clock, passes):
            found.append(text)
    assert rows == []
    assert templates >= {f"guests/{page.name}" for page in PAGES.glob("*.html")} - CARRIED
    names = ("sites.name", "sites.address", "networks.ssid", "advertisers.name", "creatives.texts")
    assert answer(db, found, *names) == set(names)


# Shown by gateways that learn of a lease through the guest's browser alone.
CARRIED = {
    *("guests/carry.html", "guests/through.html"),
    # For whom no guest is: tests/portal/test_device_owners.py.
    *("guests/device.html", "guests/no_device.html"),
}


def walk(app: Flask, town: Town, clock: MovingClock, passes: list[Any]) -> Iterator[str]:
    slugs = ("gare-viotte", "pierre-bayle")
    stranger = Phone(app, town.station, address="192.0.2.1")
    open_to_all = [
        "/",
        "/hotspots",
        "/hotspots/status",
        "/away",
        "/worker.js",
        "/hotspots.geojson",
        "/privacy",
        "/accessibilite",
        "/pass",
        "/status",
    ]
    open_to_all += ["/terms/wifilib", "/terms/bibliotheques", "/capport/gw-viotte", "/yours", "/nothing"]
    for path in (*open_to_all, *(f"/info/{slug}" for slug in slugs), f"/pass/{passes[0].code}"):
        yield stranger.get(path).text
    ada, agent = Phone(app, town.station), Agent(app, town.station)
    yield ada.land().text
    yield ada.press("/pause", follow=True).text  # before its time
    yield ada.land().text
    clock.advance(seconds=6)
    yield ada.press("/pause").text
    yield ada.get(ada.page.location).text  # the gateway has not confirmed yet
    agent.follow()
    yield from look_around(ada)
    clock.advance(minutes=27)
    yield ada.get("/pause").text
    yield ada.get("/capport/gw-viotte", Accept="application/captive+json").text
    clock.advance(minutes=10)
    yield ada.get("/status").text
    reader, bayle = Phone(app, town.pierre_bayle, address="10.68.0.5"), Agent(app, town.pierre_bayle)
    yield reader.land().text
    yield reader.press("/signin", login="29999999", secret="wrong").text
    yield reader.press("/signin", login=ADA, secret=ADA_PIN).text
    bayle.follow()
    yield from look_around(reader)
    yield reader.get("/profile").text
    with app.app_context():
        terms = ("2026-1", "en", "0" * 64)
        grant = ProfileGrant("gw-bayle", "0" * 32, ADA, "phone", "0" * 32, "password", terms, None).as_token()
    yield reader.get(f"/profile/ready?grant={grant}").text
    visitor = tablet_beside(reader)
    yield visitor.land().text
    yield visitor.get(f"/pass/7K2-M9Q?visit={visitor.form('/pass')['visit']}").text
    yield visitor.get(f"/resume/7K2M-9QXA?visit={visitor.form('/pass')['visit']}").text
    yield visitor.get(f"/pass?visit={visitor.form('/resume')['visit']}").text
    yield use(visitor, passes[1].code).text
    bayle.follow()
    yield from look_around(visitor)


def look_around(phone: Phone) -> Iterator[str]:
    for path in ("/status", "/yours", "/yours.json", "/hotspots", f"/info/{phone.gateway.site.slug}"):
        page = phone.get(path)
        assert page.status_code == 200, (path, page.text)
        yield page.text


@pytest.mark.parametrize("paper", [*Paper, "escpos", *(f"{paper} large" for paper in LARGE_GRIDS)])
def test_tickets(
    paper: str, services: Services, town: Town, db: Session, passes: list[Any], found: list[str]
) -> None:
    batch = db.scalars(select(Batch)).one()
    site = db.get_one(Site, town.pierre_bayle.site_id)
    tickets = slips(
        passes, batch=batch, network=site.networks[0], site=site, portal_url=PORTAL, languages=("fr", "en")
    )
    if paper == "escpos":
        found.append(print_escpos(tickets).decode("cp1252", errors="replace"))
    else:
        name, _, large = paper.partition(" ")
        found.append(read_text(print_pdf(tickets, paper=Paper(name), large=bool(large))))
    names = ("networks.ssid",)
    assert answer(db, found, *names) == set(names)


@pytest.mark.parametrize("form", ["text", "csv", "pdf"])
def test_the_usage_report(form: str, app: Flask, db: Session, found: list[str], tmp_path: Path) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["report", "make"]).exit_code == 0
    file = tmp_path / "report"
    done = run(
        args=[
            "report",
            "usage",
            "--from",
            "2026-10-01",
            "--to",
            "2026-10-31",
            "--format",
            form,
            "-o",
            str(file),
        ]
    )
    assert done.exit_code == 0, done.output
    found.append(read_text(file.read_bytes()) if form == "pdf" else file.read_text())
    names = ("sites.slug",) if form == "csv" else ("sites.name", "networks.name")
    assert answer(db, found, *names) == set(names)


def test_the_page_of_a_place_tells_nobody_whom_staff_call(app: Flask, services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        db.get_one(Site, town.station.site_id).contact = "Josiane, 06 00 00 00 00"
    page = Phone(app, town.station, address="192.0.2.1").get("/info/gare-viotte")
    assert page.status_code == 200 and not re.search("Josiane|06 00", page.text)
