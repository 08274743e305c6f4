"""A report that is signed off: a copy that stays, by name and date, on the page, in print and as files."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DatabaseError

from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from portal import statistics
from portal.services import Services
from sessions.statistics import building, signed
from sessions.statistics.models import DayFigures
from sessions.statistics.signed import SignedReport
from tests.clock import MovingClock
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.staff.test_reports import fill
from tests.sessions.statistics.rows import add_session
from tests.town import Town

DAYS = {"first": "2026-10-06", "last": "2026-10-11"}
WEEK = "first=2026-10-06&last=2026-10-11"
PAGE = "/staff/reports/signed/1"


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock(datetime(2026, 10, 15, 10, 0, tzinfo=UTC))


@pytest.fixture
def reader(desk: Desk, services: Services, town: Town) -> Clerk:
    with services.make_session.begin() as db:
        fill(db, town.station, town.pierre_bayle)
    while statistics.make_next(services) is not None:
        pass
    return desk.at_work("ines", Role.REPORT)


def sign(clerk: Clerk, **fields: str) -> str:
    """Press the button; where it leads."""
    clerk.get("/staff/account")
    form = clerk.form("/staff/account/signout")
    answer = clerk.post("/staff/reports/sign", **{**form, **DAYS, **fields})
    return answer.location or str(answer.status_code)


def entries(services: Services) -> list[str]:
    with services.make_session() as db:
        return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def test_it_is_signed_by_name_and_date_and_shown_so(reader: Clerk, services: Services) -> None:
    assert sign(reader) == PAGE
    page = reader.get(PAGE).text
    assert "Version 1, signed off by Ines on 15 October 2026." in page
    assert "Checked just now: the numbers are those that were signed." in page
    assert "64 sessions at 2 places" in page
    assert "Version 1, signed off by Ines" in reader.get(f"/staff/reports?{WEEK}").text
    assert "6–11 October 2026" in reader.get("/staff/reports/signed").text
    assert entries(services).count("report signed") == 1


def test_signing_the_same_numbers_again_leads_to_the_same_version(
    reader: Clerk, desk: Desk, services: Services, clock: MovingClock
) -> None:
    """By a second press, by a colleague, and on a later day."""
    assert sign(reader) == sign(reader) == PAGE
    clock.now += timedelta(days=3)
    while statistics.make_next(services) is not None:
        pass
    assert sign(desk.at_work("mae", Role.REPORT)) == PAGE
    assert entries(services).count("report signed") == 1


def test_later_figures_are_another_version_and_the_first_stays(
    reader: Clerk, services: Services, town: Town
) -> None:
    sign(reader)
    before = reader.get(f"{PAGE}/csv").data
    with services.make_session.begin() as db:
        for device in range(50, 56):
            add_session(db, town.station, device, at=datetime(2026, 10, 6, 12, 0, tzinfo=UTC))
        building.replace(db, building.rebuild(db, date(2026, 10, 6)))
    page = reader.get(f"/staff/reports?{WEEK}").text
    assert "70 sessions" in page and "The figures have changed since." in page
    assert reader.get(f"{PAGE}/csv").data == before
    assert "64 sessions" in reader.get(PAGE).text
    assert sign(reader) == "/staff/reports/signed/2"


def test_a_report_that_is_not_finished_is_not_signed(reader: Clerk, services: Services) -> None:
    assert "Sign this report off" not in reader.get("/staff/reports?first=2026-10-06&last=2026-10-31").text
    assert sign(reader, last="2026-10-31") == "409"
    assert "report signed" not in entries(services)


def test_print_and_table_hold_the_same_figures(reader: Clerk, tmp_path: Path) -> None:
    sign(reader)
    rows = list(csv.DictReader(io.StringIO(reader.get(f"{PAGE}/csv").text)))
    assert [row["value"] for row in rows if row["measure"] == "sessions" and row["scope"] == "all"] == ["64"]
    file = tmp_path / "signed.pdf"
    file.write_bytes(reader.get(f"{PAGE}/pdf").data)
    printed = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True)
    text_of_print = " ".join(printed.stdout.split())
    assert "64 sessions at 2 places" in text_of_print
    assert "Version 1, signed off by Ines on 15 October 2026." in text_of_print


def test_anybody_can_check_the_files_with_openssl(reader: Clerk, tmp_path: Path) -> None:
    sign(reader)
    with zipfile.ZipFile(io.BytesIO(reader.get(f"{PAGE}/zip").data)) as archive:
        archive.extractall(tmp_path)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public-key.pem", "-rawin"]
    command += ["-in", "statement.json", "-sigfile", "statement.sig"]
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 0
    statement = json.loads((tmp_path / "statement.json").read_bytes())
    assert (statement["signed_by"], statement["login"], statement["networks"]) == ("Ines", "ines", [])
    sums = subprocess.run(
        ["sha256sum", tmp_path / "numbers.json"], capture_output=True, text=True, check=True
    )
    assert sums.stdout.split()[0] == statement["numbers_sha256"]
    (tmp_path / "statement.json").write_bytes(json.dumps(statement | {"signed_by": "Mae"}).encode())
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode != 0


def test_the_database_refuses_to_change_or_delete_it(reader: Clerk, services: Services) -> None:
    sign(reader)
    for statement in ("UPDATE signed_reports SET signed_by = 'Mae'", "DELETE FROM signed_reports"):
        with pytest.raises(DatabaseError, match="append-only"), services.make_session.begin() as db:
            db.execute(text(statement))


def test_a_copy_that_was_altered_all_the_same_is_told(app: Flask, reader: Clerk, services: Services) -> None:
    sign(reader)
    done = app.test_cli_runner().invoke(args=["report", "verify"])
    assert done.exit_code == 0 and "2026-10-11\tInes\tas signed" in done.output
    with services.make_session.begin() as db:
        db.execute(text("DROP TRIGGER signed_reports_no_update"))
        row = db.get_one(SignedReport, 1)
        db.execute(
            update(SignedReport).values(numbers=row.numbers.replace(b'"sessions":64', b'"sessions":94'))
        )
    page = reader.get(PAGE).text
    assert "94 sessions" in page and "These numbers are not those that were signed." in page
    done = app.test_cli_runner().invoke(args=["report", "verify"])
    assert done.exit_code == 1 and "2026-10-11\tInes\tALTERED" in done.output


@pytest.mark.parametrize("column", ["signed_by", "first", "numbers_digest"])
def test_every_part_of_it_is_under_the_signature(reader: Clerk, services: Services, column: str) -> None:
    sign(reader)
    with services.make_session() as db:
        version = db.get_one(SignedReport, 1)
        assert signed.is_unchanged(version, services.signer)
        setattr(version, column, date(2026, 10, 5) if column == "first" else "another")
        assert not signed.is_unchanged(version, services.signer)
        db.rollback()


def test_who_works_for_one_network_sees_versions_about_it_alone(reader: Clerk, desk: Desk) -> None:
    sign(reader)
    librarian = desk.at_work("lou", Role.REPORT, networks=("bibliotheques",))
    assert librarian.get(PAGE).status_code == 404
    assert "None yet." in librarian.get("/staff/reports/signed").text
    assert sign(librarian) == "/staff/reports/signed/2"
    assert "24 sessions at 1 place" in librarian.get("/staff/reports/signed/2").text
    assert reader.get("/staff/reports/signed/2").status_code == 200


def test_a_file_that_is_taken_away_is_on_record(reader: Clerk, services: Services) -> None:
    sign(reader)
    reader.get(f"{PAGE}/zip")
    with services.make_session() as db:
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
        assert entry is not None
        assert (entry.action, entry.object) == ("usage report made", "report:1")
        assert db.query(DayFigures).count()
