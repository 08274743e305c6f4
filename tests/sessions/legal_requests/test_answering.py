"""An answer leaves its lines in the audit log before it leaves: no line, no data."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from auth.audit import verification
from auth.audit.log import AuditEntry
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from config import Secret
from sessions.legal_requests import register
from sessions.legal_requests.answering import Package, answer
from sessions.legal_requests.errors import ClosedRequisition, UnreadableEntry
from sessions.legal_requests.models import Requisition, RequisitionAnswer
from sessions.legal_requests.note import FRENCH, read_note
from sessions.legal_requests.package import check_package
from sessions.legal_requests.signing import Signer
from sessions.port_blocks import PortBlock
from tests.actors import person
from tests.clock import NOON
from tests.sessions.legal_requests.rows import ASKED, PARIS, PUBLIC, online, registered
from tests.town import build_town

SIGNER = Signer(Secret("a" * 40))
LATER = NOON + timedelta(hours=3)
NOTE = read_note(FRENCH.read_bytes(), PARIS, operator="Le Havre")
ADA, BO = PortBlock(PUBLIC, 5120, 6127), PortBlock(PUBLIC, 6128, 7135)


def given(db: Session, entry: Requisition) -> Package:
    return answer(
        db, entry, signer=SIGNER, portal="portal.example.org", note=NOTE, actor=person("pat"), now=LATER
    )


def files(package: Package) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(package.content)) as archive:
        return {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}


def deeds(db: Session) -> list[str]:
    return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def test_the_package_holds_the_one_session_the_question_and_how_exact_it_is(db: Session) -> None:
    town = build_town(db)
    access = online(db, town.station, 1, ADA)
    other = online(db, town.station, 2, BO)
    package = given(db, registered(db))
    assert check_package(package.content, SIGNER.public_key()).is_good
    found = files(package)
    [row] = json.loads(found["reponse.json"])["stretches"]
    assert (row["session"], row["mac"], row["port_first"]) == (access.id, access.mac, 5120)
    assert row["begins_utc"] == "2026-11-24T11:00:00.000Z" and row["begins_local"].endswith("+01:00")
    assert other.mac not in "".join(found.values())
    manifest = json.loads(found["manifest.json"])
    assert manifest["answer"]["exactness"] == "one session"
    assert manifest["requisition"]["reference"] == "PV 2026/4711"
    assert "UNE session, et une seule" in found["LISEZMOI.txt"]
    assert found["reponse.csv"].count("\n") == 2


def test_every_step_is_in_the_trail_with_the_digest_and_nothing_of_what_was_asked(db: Session) -> None:
    town = build_town(db)
    online(db, town.station, 1, ADA)
    package = given(db, registered(db))
    assert deeds(db) == ["requisition registered", "requisition being answered", "requisition answered"]
    last = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
    assert last is not None and last.actor == "pat" and last.object == "requisition:1"
    assert last.detail["sha256"] == hashlib.sha256(package.content).hexdigest() == package.digest
    assert db.scalars(select(RequisitionAnswer)).one().digest == package.digest
    result = b"".join(entry.canonical for entry in db.scalars(select(AuditEntry)))
    for secret in (ASKED["authority"], ASKED["reference"], PUBLIC):
        assert secret.encode() not in result


def test_the_head_of_the_trail_that_it_names_is_the_line_that_announced_it(db: Session) -> None:
    build_town(db)
    manifest = json.loads(files(given(db, registered(db)))["manifest.json"])
    assert manifest["trail"]["entry"] == 2
    db.flush()
    assert verification.verify(db, []).is_whole


def test_without_a_line_in_the_trail_there_is_no_data(db: Session) -> None:
    town = build_town(db)
    online(db, town.station, 1, ADA)
    entry = registered(db)
    db.commit()
    db.execute(text("ALTER TABLE trail RENAME TO trail_that_is_away"))
    with pytest.raises(DatabaseError):
        given(db, entry)
    db.rollback()
    assert db.scalars(select(RequisitionAnswer)).all() == []


def test_nothing_leaves_by_a_closed_one(db: Session) -> None:
    build_town(db)
    entry = registered(db)
    register.close(db, entry, actor=person("pat"), now=LATER)
    with pytest.raises(ClosedRequisition):
        given(db, entry)
    with pytest.raises(ClosedRequisition):
        register.close(db, entry, actor=person("pat"), now=LATER)
    assert deeds(db) == ["requisition registered", "requisition closed"]


def test_several_candidates_are_said_to_be(db: Session) -> None:
    town = build_town(db)
    for number in (1, 2, 3):
        online(db, town.station, number, PortBlock(PUBLIC, 1, 65535))
    found = files(given(db, registered(db)))
    assert "3 sessions possibles" in found["LISEZMOI.txt"]
    assert json.loads(found["manifest.json"])["answer"]["sessions"] == 3


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"authority": " "}, "authority"),
        ({"signer": ""}, "signer"),
        ({"reference": "x" * 121}, "reference"),
        ({"basis": "CPP 1-1"}, "basis"),
        ({"basis": "autre"}, "basis_text"),
        (
            {"kind": "site", "value": "nowhere", "since": "2026-11-22T00:00Z", "until": "2026-11-23T00:00Z"},
            "value",
        ),
    ],
)
def test_an_entry_that_lacks_something_is_not_registered(
    db: Session, words: dict[str, str], field: str
) -> None:
    with pytest.raises(UnreadableEntry) as refused:
        registered(db, **words)
    assert refused.value.field == field
    assert db.scalars(select(Requisition)).all() == []


def test_the_list_of_bases_is_the_towns_to_edit(db: Session) -> None:
    registered(db)
    register.set_basis(db, name="CPP 77-1-1", text="", retired=True, actor=person("pat"), now=LATER)
    with pytest.raises(UnreadableEntry):
        registered(db)
    register.set_basis(db, name="CPP L3513-7", text="Code recodifié", actor=person("pat"), now=LATER)
    assert registered(db, basis="CPP L3513-7").basis.text == "Code recodifié"
    assert registered(db, basis="autre", basis_text="CSI L851-1").basis_text == "CSI L851-1"


def test_staff_of_one_network_see_what_was_asked_of_it_alone(db: Session) -> None:
    mine, all_of_them = registered(db, networks=frozenset({"wifilib"})), registered(db)
    of_one = Authority(frozenset({Role.PRIVACY}), frozenset({"wifilib"}))
    assert register.newest(db, of_one) == [mine]
    assert register.find(db, all_of_them.id, of_one) is None
    assert register.newest(db, Authority(frozenset({Role.PRIVACY}), ALL_NETWORKS)) == [all_of_them, mine]
