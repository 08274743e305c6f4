"""The audit log as it is read: in the reader's language, found by words, taken away as a file that is on record."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.actions import SIGNED_OUT, ObjectKind
from auth.audit.actor import command_line
from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from portal.services import Services
from portal.staff.privacy.audit_objects import object_in_words
from tests.portal.staff.configuration.forms import SITES_PAGE, send
from tests.portal.staff.conftest import Clerk, Desk


@pytest.fixture
def reader(desk: Desk) -> Clerk:
    """Whoever reads it, after a place was changed."""
    send(
        desk.at_work("nour", Role.NETWORK),
        f"{SITES_PAGE}/gare-viotte",
        contact="Nour",
        state_until="2027-01-01T08:00",
    )
    return desk.at_work("lou", Role.PRIVACY)


def test_what_it_was_done_to_is_told_in_french(reader: Clerk) -> None:
    page = reader.get("/staff/trail?lang=fr&actor=nour&deed=record+changed").text
    assert ">lieu gare-viotte</a>" in page and "colonnes\u00a0: Jusqu’à, Contact sur place" in page
    assert not re.search(r"<td[^>]*>[^<]*(?:state_until|site:)", page)


def test_each_kind_of_object_has_words(reader: Clerk) -> None:
    with reader.app.test_request_context("/staff/trail?lang=fr"):
        told = {kind: object_in_words(f"{kind}:7") for kind in ObjectKind}
    assert [kind for kind, words in told.items() if ":" in words or "_" in words] == []


@pytest.mark.parametrize(
    "object", ["site:gare-viotte", "gare-viotte", "lieu gare-viotte", "Lieu  gare-viotte"]
)
def test_it_is_found_by_its_name_and_by_words(reader: Clerk, object: str) -> None:
    page = reader.get(f"/staff/trail?lang=fr&object={object.replace(' ', '+')}")
    assert ">lieu gare-viotte</a>" in page.text


def test_it_is_taken_away_as_a_file_and_that_is_on_record(reader: Clerk, db: Session) -> None:
    answer = reader.get("/staff/trail.csv?lang=fr&actor=nour&deed=record+changed")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert [row["Sur quoi"] for row in rows] == ["lieu gare-viotte"] and rows[0]["Qui"] == "nour"
    assert "Contact sur place" in rows[0]["Détails"]
    db.rollback()
    (entry,) = db.scalars(select(AuditEntry).where(AuditEntry.action == "trail exported")).all()
    assert (entry.actor, entry.detail["rows"], entry.object) == ("lou", 1, "trail")
    assert entry.detail["asked"] == "actor=nour&deed=record changed"


def test_a_clerk_takes_nothing_away(desk: Desk) -> None:
    assert desk.at_work("zoe", Role.DESK).get("/staff/trail.csv").status_code == 403


def test_what_was_done_on_the_machine_is_found_by_the_reader_s_words(
    reader: Clerk, services: Services
) -> None:
    for operator in ("", "odile"):
        with services.make_session.begin() as db:
            log.append(db, SIGNED_OUT, "staff:9", actor=command_line(operator), now=services.clock())
    page = reader.get("/staff/trail?lang=fr&actor=ligne+de+commande").text
    assert ">ligne de commande</a>" in page and 'value="ligne de commande"' in page
    found = reader.get("/staff/trail?lang=fr&actor=odile+(ligne+de+commande)").text
    assert ">odile (ligne de commande)</a>" in found
