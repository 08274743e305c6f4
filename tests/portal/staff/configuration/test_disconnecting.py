"""A change that would disconnect people says how many first: form, file, program and command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from portal.services import Services
from sessions.models import AccessSession, EndReason
from sites.import_export import history
from tests.portal.api.conftest import Program, give_token
from tests.portal.staff.configuration.forms import SITES_PAGE, hand_in, send, shown
from tests.portal.staff.conftest import Clerk, Desk
from tests.sessions.log.rows import add_session
from tests.town import Town

PAGE = f"{SITES_PAGE}/gare-viotte"
TABLE = b"slug,state\ngare-viotte,closed\n"


@pytest.fixture
def technician(desk: Desk, services: Services, town: Town) -> Clerk:
    """Nour of the network team; two phones are online at the station, one elsewhere."""
    with services.make_session.begin() as db:
        for number, gateway in enumerate((town.station, town.station, town.battant)):
            add_session(
                db, db.merge(gateway), services.clock(), mac=f"02:00:00:00:0c:0{number}", subject=f"s{number}"
            )
    return desk.at_work("nour", Role.NETWORK)


def online(db: Session) -> int:
    db.rollback()
    return db.scalar(select(func.count(AccessSession.id)).where(AccessSession.ended_at.is_(None))) or 0


def test_a_form_says_how_many_before_it_disconnects_them(technician: Clerk, db: Session) -> None:
    send(technician, PAGE, state="closed")
    assert technician.page.status_code == 409
    assert "Save and disconnect 2 devices" in technician.page.text
    assert online(db) == 3 and not history.of_record(db, "sites", "gare-viotte")
    technician.press(PAGE, **shown(technician.page.text), agreed="yes")
    assert technician.page.status_code == 303
    assert online(db) == 1
    ended = db.scalars(select(AccessSession.end_reason).where(AccessSession.ended_at.is_not(None))).all()
    assert ended == [EndReason.STAFF, EndReason.STAFF]


def test_a_file_says_so_in_its_preview(technician: Clerk, db: Session) -> None:
    hand_in(technician, TABLE)
    assert "Take them in and disconnect 2 devices" in technician.page.text
    content = technician.form(f"{SITES_PAGE}/-/take-in")
    content.pop("agreed")
    technician.post(f"{SITES_PAGE}/-/take-in", **content)
    assert "Take them in and disconnect 2 devices" in technician.page.text and online(db) == 3
    technician.press(f"{SITES_PAGE}/-/take-in")
    assert technician.page.status_code == 303 and online(db) == 1


def test_undoing_says_so_too(technician: Clerk, db: Session, services: Services) -> None:
    with services.make_session.begin() as writing:
        before, after = {"state": "closed"}, {"state": "live"}
        change = history.add(writing, "sites", "gare-viotte", before, after, by="nour", now=services.clock())
        writing.flush()
        number = change.id
    technician.get(PAGE)
    technician.press(f"{PAGE}/undo/{number}")
    assert technician.page.status_code == 409 and "disconnect 2 devices" in technician.page.text
    technician.press(PAGE, **shown(technician.page.text), agreed="yes")
    assert technician.page.status_code == 303 and online(db) == 1


def test_a_program_and_the_command_line_agree_by_a_word(
    technician: Clerk, app: Flask, db: Session, services: Services, tmp_path: Path
) -> None:
    file = tmp_path / "sites.csv"
    file.write_bytes(TABLE)
    words = ["sites", "import", str(file)]
    refused = app.test_cli_runner().invoke(args=words)
    assert refused.exit_code == 1 and "would disconnect 2 devices" in refused.output and online(db) == 3
    program = Program(app, give_token(services).token)
    cells = {"cells": {"state": "closed"}}
    assert program.ask("PUT", "/records/sites/gare-viotte", json=cells).status_code == 409
    assert online(db) == 3
    agreed = program.ask("PUT", "/records/sites/gare-viotte", json={**cells, "disconnect": True})
    assert agreed.status_code == 200 and online(db) == 1
    file.write_bytes(b"slug,state\nbattant,closed\n")
    assert app.test_cli_runner().invoke(args=[*words, "--disconnect"]).exit_code == 0
    assert online(db) == 0


def test_a_gateway_that_moves_takes_nobody_along(technician: Clerk, db: Session, town: Town) -> None:
    page = f"/staff/records/gateways/{town.station.identity}"
    send(technician, page, site=town.battant.site.slug, client_prefixes="10.99.0.0/24")
    assert technician.page.status_code == 409, technician.page.text
    assert "Save and disconnect 2 devices" in technician.page.text and online(db) == 3
    technician.press(page, **shown(technician.page.text), agreed="yes")
    assert technician.page.status_code == 303 and online(db) == 1


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("/staff/records/networks/wifilib", {"lease_seconds": "600", "renewal_seconds": "300"}),
        ("/staff/records/networks/wifilib", {"signin_methods": "pass", "ads": []}),
        (PAGE, {"opening_hours": "Mo-Su off"}),
        (PAGE, {"lease_seconds": "600"}),
    ],
)
def test_whoever_is_online_keeps_the_end_that_was_shown(
    technician: Clerk, db: Session, page: str, fields: dict[str, object]
) -> None:
    """Shorter stays, hours and fewer ways in are for those who come next: nobody is cut, and nothing is asked."""
    before = db.execute(select(AccessSession.id, AccessSession.until).order_by(AccessSession.id)).all()
    send(technician, page, **fields)
    assert technician.page.status_code == 303, technician.page.text
    db.rollback()
    assert (
        db.execute(select(AccessSession.id, AccessSession.until).order_by(AccessSession.id)).all() == before
    )
    assert online(db) == 3
