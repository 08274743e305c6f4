"""``flask requisitions``: the register on the command line, and packages checked without the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from portal.services import Services
from sessions.port_blocks import PortBlock
from tests.portal.test_commands import run
from tests.sessions.legal_requests.rows import PUBLIC, add_first_bases, online
from tests.town import Town

WHO = ("--authority", "Commissariat", "--signer", "Cne Martin", "--reference", "PV 1", "--basis", "CPP 60-1")
ASKED = (*WHO, "--public-address", PUBLIC, "--port", "5200", "--at", "2026-11-24T12:01:00+01:00")


@pytest.fixture
def suspect(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        add_first_bases(db)
        online(db, db.merge(town.station, load=False), 1, PortBlock(PUBLIC, 5120, 6127))


@pytest.mark.usefixtures("suspect")
def test_a_requisition_is_answered_and_checked(app: Flask, db: Session, tmp_path: Path) -> None:
    package, key = tmp_path / "package.zip", tmp_path / "town.pem"
    assert run(app, "requisitions", "add", *ASKED).stdout.strip() == "1"
    answered = run(app, "requisitions", "answer", "1", "--to", str(package))
    assert answered.exit_code == 0 and "UNE session, et une seule" in answered.output
    assert package.stat().st_mode & 0o777 == 0o600
    shown = run(app, "requisitions", "key")
    key.write_text(shown.stdout)
    good = run(app, "requisitions", "verify", str(package), "--key", str(key))
    assert good.exit_code == 0 and "one session" in good.output
    package.write_bytes(package.read_bytes().replace(b"reponse.csv", b"reponse.xls"))
    bad = run(app, "requisitions", "verify", str(package), "--key", str(key))
    assert bad.exit_code == 1 and "First bad file: reponse.csv" in bad.output
    assert "answered\tCommissariat\tPV 1" in run(app, "requisitions", "list").output
    assert list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.number))) == [
        "requisition registered",
        "requisition being answered",
        "requisition answered",
        "requisitions listed",
    ]


@pytest.mark.usefixtures("suspect")
def test_checking_needs_no_database(app: Flask, services: Services, tmp_path: Path) -> None:
    package = tmp_path / "package.zip"
    run(app, "requisitions", "add", *ASKED)
    run(app, "requisitions", "answer", "1", "--to", str(package))
    object.__setattr__(services, "make_session", None)
    assert run(app, "requisitions", "verify", str(package)).exit_code == 0


@pytest.mark.usefixtures("suspect")
@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("add", *ASKED[:-1], "2026-11-24T12:01:00"), "zone is missing"),
        (("add", *ASKED, "--port", "70000"), "port is missing"),
        (("answer", "9"), "There is no requisition 9"),
        (("basis", "CSI"), "needs its text"),
    ],
)
def test_a_wrong_word_is_answered_with_what_to_do(app: Flask, words: tuple[str, ...], answer: str) -> None:
    done = run(app, "requisitions", *words)
    assert done.exit_code == 1 and answer in done.output


@pytest.mark.usefixtures("suspect")
def test_the_bases_are_edited_and_a_closed_one_gives_nothing(app: Flask, tmp_path: Path) -> None:
    assert run(app, "requisitions", "basis", "CSI L851-1", "Renseignement").exit_code == 0
    assert run(app, "requisitions", "basis", "CPP 60-2", "--retire").exit_code == 0
    listed = run(app, "requisitions", "bases").output
    assert "CSI L851-1\tRenseignement" in listed and "télématique (retired)" in listed
    run(app, "requisitions", "add", *ASKED)
    assert run(app, "requisitions", "close", "1").exit_code == 0
    refused = run(app, "requisitions", "answer", "1", "--to", str(tmp_path / "p.zip"))
    assert refused.exit_code == 1 and "closed" in refused.output
    assert not (tmp_path / "p.zip").exists()
    assert run(app, "requisitions", "close", "1").exit_code == 1
