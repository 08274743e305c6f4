"""A requisition as the privacy officer answers it, and the register that nobody else sees."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from portal.services import Services
from sessions.legal_requests.models import Requisition, RequisitionAnswer
from sessions.legal_requests.package import check_package
from sessions.models import AccessSession
from sessions.port_blocks import PortBlock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk
from tests.sessions.legal_requests.rows import PUBLIC, add_first_bases, online
from tests.town import Town

FORM = {
    "authority": "Commissariat de police, Besançon",
    "signer": "Capitaine A. Martin",
    "reference": "PV 2026/4711",
    "basis": "CPP 60-1",
    "kind": "origin",
    "public_address": PUBLIC,
    "port": "5200",
    "at": "2026-11-24T12:01:00",
    "zone": "Europe/Paris",
    "tolerance": "0",
}


@pytest.fixture
def suspect(services: Services, town: Town) -> AccessSession:
    with services.make_session.begin() as db:
        add_first_bases(db)
        gateway = db.merge(town.station, load=False)
        online(db, gateway, 2, PortBlock(PUBLIC, 6128, 7135))
        return online(db, gateway, 1, PortBlock(PUBLIC, 5120, 6127))


@pytest.fixture
def pat(desk: Desk) -> Clerk:
    return desk.at_work("pat", Role.PRIVACY)


def deeds(db: Session) -> list[str]:
    db.rollback()
    wanted = select(AuditEntry.action).where(AuditEntry.object.like("requisition%"))
    return list(db.scalars(wanted.order_by(AuditEntry.number)))


def test_from_the_paper_to_the_signed_package(
    services: Services, suspect: AccessSession, pat: Clerk, db: Session
) -> None:
    pat.get("/staff/requisitions")
    pat.get("/staff/requisitions/new")
    pat.press("/staff/requisitions", **FORM)
    assert "PV 2026/4711" in pat.follow().text
    assert "Exactly one session." in pat.get("/staff/requisitions/1/package").text
    given = pat.press("/staff/requisitions/1/package")
    assert given.mimetype == "application/zip" and "requisition-1-" in given.headers["Content-Disposition"]
    assert "no-store" in given.headers["Cache-Control"]
    verdict = check_package(given.data, services.signer.public_key())
    assert verdict.is_good and verdict.manifest is not None
    assert verdict.manifest["answer"]["sessions"] == 1
    assert deeds(db) == [
        "requisitions listed",
        "requisition registered",
        "requisition opened",
        "requisition weighed",
        "requisition being answered",
        "requisition answered",
    ]
    page = pat.get("/staff/requisitions/1").text
    assert db.scalars(select(RequisitionAnswer.digest)).one() in page
    assert "gave the package of a requisition" in page
    pat.press("/staff/requisitions/1/close")
    assert pat.follow().status_code == 200
    assert "Make the package" not in pat.get("/staff/requisitions/1/package").text


def test_nothing_leaves_by_a_closed_one(suspect: AccessSession, pat: Clerk, db: Session) -> None:
    pat.get("/staff/requisitions/new")
    pat.press("/staff/requisitions", **FORM)
    pat.get("/staff/requisitions/1/package")
    form = pat.form("/staff/requisitions/1/package")
    pat.get("/staff/requisitions/1")
    pat.press("/staff/requisitions/1/close")
    assert pat.post("/staff/requisitions/1/package", **form).status_code == 409
    assert db.scalars(select(RequisitionAnswer)).all() == []


def test_what_cannot_be_read_is_named_and_what_was_typed_stays(suspect: AccessSession, pat: Clerk) -> None:
    pat.get("/staff/requisitions/new")
    page = pat.press("/staff/requisitions", **FORM | {"zone": ""})
    assert page.status_code == 400
    assert 'href="#zone"' in page.text and "PV 2026/4711" in page.text


def test_a_package_asks_once_more_who_is_there(suspect: AccessSession, pat: Clerk, db: Session) -> None:
    """An old sign-in is not enough for legal data."""
    pat.get("/staff/requisitions/new")
    pat.press("/staff/requisitions", **FORM)
    pat.get("/staff/requisitions/1/package")
    form = pat.form("/staff/requisitions/1/package")
    pat.clock.advance(minutes=11)
    assert "Is it still you?" in pat.post("/staff/requisitions/1/package", **form).text
    page = pat.get("/staff/requisitions/1/package")
    assert page.status_code == 303 and page.location.startswith("/staff/confirm")
    assert "requisition answered" not in deeds(db)
    pat.follow()
    pat.press("/staff/confirm", password=PASSWORD)
    assert "Exactly one session." in pat.follow().text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PRIVACY])
def test_the_register_is_secret(suspect: AccessSession, pat: Clerk, desk: Desk, role: Role) -> None:
    pat.get("/staff/requisitions/new")
    pat.press("/staff/requisitions", **FORM)
    other = desk.at_work("other", role)
    assert "/staff/requisitions" not in other.get("/staff/account").text
    for path in ("/staff/requisitions", "/staff/requisitions/1", "/staff/requisitions/1/package"):
        assert other.get(path).status_code == 403
    if role is Role.ADMIN:
        # They read the audit log, which says that there was one, and nothing of what it asks.
        trail = other.get("/staff/trail").text
        assert "requisition:1" in trail and "4711" not in trail and PUBLIC not in trail


def test_staff_of_one_network_register_for_that_one(
    services: Services, suspect: AccessSession, desk: Desk, db: Session
) -> None:
    lea = desk.at_work("lea", Role.PRIVACY, networks=("bibliotheques",))
    lea.get("/staff/requisitions/new")
    lea.press("/staff/requisitions", **FORM)
    assert db.scalars(select(Requisition)).one().networks == ["bibliotheques"]
    assert "No session." in lea.get("/staff/requisitions/1/package").text


def test_doubts_are_shown_before_anything_leaves(suspect: AccessSession, pat: Clerk) -> None:
    pat.get("/staff/requisitions/new")
    pat.press("/staff/requisitions", **FORM | {"at": "2026-11-24T11:59:30"})
    page = pat.get("/staff/requisitions/1/package").text
    assert "No session." in page and "wrong by a minute" in page
