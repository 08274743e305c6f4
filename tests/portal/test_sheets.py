"""Passes issued and printed in one step, from the command line to the guest's page."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.vouchers import plans, redeeming
from auth.vouchers.codes import read
from auth.vouchers.models import Batch, Plan, PlanKind, Voucher
from portal.printing.from_vouchers import say_end
from portal.services import Services
from tests.portal.languages import LANGUAGES
from tests.portal.printing.printed import read_codes, read_text
from tests.town import Town


@pytest.fixture
def _first_plans(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        plans.add_first_plans(db)


desk = pytest.mark.usefixtures("_first_plans")


def run(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["vouchers", "sheet", *map(str, words)])


@desk
def test_every_printed_pass_is_one_that_was_issued(
    app: Flask, services: Services, db: Session, tmp_path: Path
) -> None:
    file = tmp_path / "samedi.pdf"
    done = run(app, 3, file, "--site", "pierre-bayle", "--event", "Samedi", "--paper", "l7163")
    assert done.exit_code == 0, done.output
    assert "3 passes" in done.output
    seen = {code.text for page in read_codes(file.read_bytes(), tmp_path) for code in page}
    printed = sorted(text for text in seen if text.startswith("HTTPS://PORTAL.EXAMPLE.ORG/PASS/"))
    assert len(printed) == 3 and "WIFI:T:nopass;S:BIBLIOTHEQUES;;" in seen
    found = [redeeming.find(db, keys=services.voucher_keys, code=read(address)) for address in printed]
    assert {voucher.number for voucher in found if voucher} == {1, 2, 3}
    text = read_text(file.read_bytes())
    assert all(f"n° {voucher.mark}" in text for voucher in found if voucher)
    assert "Samedi" in text and "jusqu’à minuit" in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert db.scalars(select(AuditEntry.action)).all() == ["passes issued"]


@desk
def test_a_receipt_printer_gets_its_bytes(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "passes.bin"
    assert run(app, 2, file, "--site", "pierre-bayle", "--paper", "escpos", "--plan", "2h").exit_code == 0
    assert file.read_bytes().count(b"\x1dVB\x00") == 2
    assert b"valable 2 h d\xe8s la premi\xe8re connexion" in file.read_bytes()


@desk
def test_the_printed_address_opens_the_page_of_the_pass(app: Flask, tmp_path: Path) -> None:
    """As a camera gives it: in capitals."""
    file = tmp_path / "one.pdf"
    run(app, 1, file, "--site", "pierre-bayle", "--paper", "receipt")
    (page,) = read_codes(file.read_bytes(), tmp_path)
    address = next(code.text for code in page if code.text.startswith("HTTPS"))
    answer = app.test_client().get(urlsplit(address).path, base_url="https://portal.example.org")
    assert answer.status_code == 200


@desk
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--site", "nowhere"), "no site 'nowhere'"),
        (("--site", "battant"), "none"),
        (("--site", "pierre-bayle", "--network", "wifilib"), "none"),
        (("--site", "pierre-bayle", "--plan", "gold"), "no plan 'gold'"),
        (("--site", "pierre-bayle", "--paper", "l7160", "--large"), "too small for large print"),
        (("--site", "pierre-bayle", "--first-free", "24"), "0 to 23"),
    ],
)
def test_nothing_is_issued_where_nothing_is_printed(
    app: Flask, db: Session, tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    file = tmp_path / "sheet.pdf"
    done = run(app, 2, file, *words)
    assert done.exit_code == 1 and reason in done.output
    assert not file.exists()
    assert db.scalar(select(func.count()).select_from(Voucher)) == 0


@desk
def test_a_file_that_is_there_is_not_overwritten(app: Flask, db: Session, tmp_path: Path) -> None:
    file = tmp_path / "sheet.pdf"
    file.write_bytes(b"earlier passes")
    done = run(app, 2, file, "--site", "pierre-bayle")
    assert done.exit_code == 1 and "is there already" in done.output
    assert file.read_bytes() == b"earlier passes"
    assert db.scalar(select(func.count()).select_from(Batch)) == 0


@desk
def test_a_sheet_of_passes_that_were_not_kept_is_taken_away(
    app: Flask, services: Services, tmp_path: Path
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("the disk of the database is full")

    file = tmp_path / "sheet.pdf"
    event.listen(services.make_session, "before_commit", fail)
    try:
        done = run(app, 2, file, "--site", "pierre-bayle")
    finally:
        event.remove(services.make_session, "before_commit", fail)
    assert "disk" in str(done.exception)
    assert not file.exists()


@desk
def test_a_plan_that_does_not_hold_there_is_refused(
    app: Flask, services: Services, db: Session, tmp_path: Path
) -> None:
    with services.make_session.begin() as changing:
        plans.by_slug(changing, "day").sites = ["elsewhere"]
    done = run(app, 2, tmp_path / "sheet.pdf", "--site", "pierre-bayle")
    assert done.exit_code == 1 and "do not hold there" in done.output


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plan_says_its_end(language: str) -> None:
    for slug, kind, length, *_ in plans.FIRST_PLANS:
        plan = Plan(slug=slug, kind=kind, length_minutes=length)
        said = say_end(Batch(plan=plan), language, "Europe/Paris")
        assert "%" not in said and ("24" in said or slug != "24h") and ("2" in said or slug != "2h")


@pytest.mark.parametrize(
    ("ends_at", "last"),
    [
        # Summer time in Besançon: two hours later than UTC.
        (datetime(2026, 7, 14, 21, 30, tzinfo=UTC), "mardi 14 juillet 23:30"),
        # A midnight ends the day before; another year is named.
        (datetime(2026, 11, 29, 23, 0, tzinfo=UTC), "dimanche 29 novembre 23:59"),
        (datetime(2027, 3, 31, 22, 0, tzinfo=UTC), "mercredi 31 mars 2027 23:59"),
    ],
)
def test_the_calendar_end_is_said_by_the_clock_of_the_site(ends_at: datetime, last: str) -> None:
    batch = Batch(
        plan=Plan(kind=PlanKind.UNTIL_MIDNIGHT, length_minutes=0),
        ends_at=ends_at,
        issued_at=datetime(2026, 7, 1, tzinfo=UTC),
    )
    said = {language: say_end(batch, language, "Europe/Paris") for language in LANGUAGES}
    assert said["fr"] == f"valable un jour, jusqu’à minuit, utilisable jusqu’à {last}"
    assert said["en"].startswith("good for one day, until midnight, to be used until ")
