"""Day passes on the command line."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.vouchers import codes, plans, rate_limits
from auth.vouchers.models import Batch, Plan, PlanKind
from portal.services import Services
from sessions.models import EndReason
from tests.clock import MovingClock
from tests.portal.conftest import Agent, Phone
from tests.portal.visitors import sessions, use, vouchers
from tests.town import Town

pytestmark = pytest.mark.usefixtures("_first_plans")


@pytest.fixture
def _first_plans(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        plans.add_first_plans(db)


def run(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["vouchers", *map(str, words)])


def issue(app: Flask, *words: object) -> list[str]:
    """Issue passes; their codes."""
    done = run(app, "issue", *words)
    assert done.exit_code == 0, done.output
    return re.findall(r"\t(\w{3}-\w{3}-\w{3})$", done.stdout, re.MULTILINE)


def deeds(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def test_passes_are_issued_and_work(app: Flask, reader: Phone, db: Session) -> None:
    made = issue(app, "--count", 3, "--event", "Samedi", "--site", "pierre-bayle")
    assert len(made) == 3
    assert all(codes.is_valid(code.replace("-", "")) for code in made)
    assert use(reader, made[1]).status_code == 303
    assert deeds(db) == ["passes issued"]


def test_the_last_day_ends_by_the_clocks_of_the_site(app: Flask, db: Session) -> None:
    issue(app, "--last-day", "2026-12-01", "--site", "pierre-bayle")
    [ends_at] = db.scalars(select(Batch.ends_at))
    assert ends_at is not None
    assert ends_at.isoformat() == "2026-12-01T23:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--plan", "week"], "no plan 'week'"),
        (["--count", 0], "from 1 to 10000"),
        (["--count", 10_001], "from 1 to 10000"),
        (["--site", "nowhere"], "no site 'nowhere'"),
        (["--last-day", "2020-01-01"], "could be used until"),
    ],
)
def test_what_cannot_be_issued_is_told_and_nothing_is(
    app: Flask, db: Session, words: list[object], reason: str
) -> None:
    done = run(app, "issue", *words)
    assert done.exit_code == 1
    assert reason in done.output
    assert vouchers(db) == []
    assert deeds(db) == []


def test_an_imprudent_batch_is_refused_with_the_arithmetic(
    app: Flask, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "guesses_per_day", lambda: 100_000_000_000)
    done = run(app, "issue")
    assert done.exit_code == 1
    for figure in ("0 codes alive and 1 more", "852,891,037,441", "100000000000", "0.1172", "0.02"):
        assert figure in done.output
    assert vouchers(db) == []


def test_batches_are_listed_with_their_books(app: Flask, reader: Phone) -> None:
    made = issue(app, "--count", 2, "--note", "lost cards")
    use(reader, made[0])
    listed = run(app, "list").output
    assert "printed 2 used 1 void 0 expired 0 left 1" in listed
    assert "lost cards" in listed
    assert "1 batch." in listed


@pytest.mark.parametrize("name", ["batch", "mark", "code"])
def test_a_pass_is_revoked_by_batch_mark_or_code_and_its_session_ends(
    app: Flask, reader: Phone, bayle: Agent, db: Session, name: str
) -> None:
    [code] = issue(app)
    use(reader, code)
    bayle.follow()
    assert bayle.macs == {reader.mac}
    done = run(app, "revoke", {"batch": "1", "mark": "1-1", "code": code.lower()}[name])
    assert "Revoked 1 pass, ended 1 session." in done.output
    bayle.follow()
    assert bayle.macs == set()
    assert [access.end_reason for access in sessions(db)] == [EndReason.STAFF]
    assert "cancelled" in use(reader, code).text
    assert deeds(db) == ["passes issued", "batch revoked" if name == "batch" else "pass revoked"]


def test_a_revocation_is_undone_within_a_minute(
    app: Flask, reader: Phone, clock: MovingClock, db: Session
) -> None:
    [code] = issue(app)
    run(app, "revoke", "1")
    clock.advance(seconds=59)
    assert "Restored 1 pass." in run(app, "revoke", "1", "--undo").output
    assert use(reader, code).status_code == 303
    assert deeds(db)[-1] == "revocation undone"
    run(app, "revoke", "1")
    clock.advance(seconds=60)
    assert "Restored 0 passes." in run(app, "revoke", "1", "--undo").output


@pytest.mark.parametrize("word", ["99", "9-9", "7K2-M9Q-XAH", "nonsense", "²"])
def test_revoking_what_nobody_has_is_told(app: Flask, word: str) -> None:
    done = run(app, "revoke", word)
    assert done.exit_code == 1
    assert "no batch's number" in done.output


def test_a_ticket_is_replaced_and_the_old_one_is_cut_off(app: Flask, reader: Phone, bayle: Agent) -> None:
    [code] = issue(app)
    use(reader, code)
    bayle.follow()
    done = run(app, "replace", "1-1")
    mark, _, fresh = done.stdout.strip().partition("\t")
    assert mark == "1-2"
    bayle.follow()
    assert bayle.macs == set()
    assert "cancelled" in use(reader, code).text
    assert use(reader, fresh).status_code == 303
    assert "nothing left to replace" in run(app, "replace", "1-1").output
    assert "no pass has the mark" in run(app, "replace", "7-7").output.lower()


def test_what_is_left_over_is_written_off(app: Flask, reader: Phone, db: Session) -> None:
    made = issue(app, "--count", 3)
    use(reader, made[0])
    assert "Wrote off 2 passes." in run(app, "void", "1").output
    assert "Wrote off 0 passes." in run(app, "void", "1").output
    assert {voucher.void_reason for voucher in vouchers(db)} == {None, "unused"}
    assert deeds(db) == ["passes issued", "unused passes voided"]


def test_a_batch_is_suspended_and_resumed(app: Flask, reader: Phone) -> None:
    [code] = issue(app)
    assert "is suspended." in run(app, "suspend", 1).output
    assert "as it was" in run(app, "suspend", 1).output
    assert "on hold" in use(reader, code).text
    assert "is open." in run(app, "resume", 1).output
    assert use(reader, code).status_code == 303
    assert run(app, "suspend", 9).exit_code == 1


def test_the_books_come_as_csv_that_adds_up(app: Flask, reader: Phone, clock: MovingClock) -> None:
    made = issue(app, "--count", 5)
    use(reader, made[0])
    run(app, "void", "1-5")
    clock.advance(days=2)
    [row] = csv.DictReader(io.StringIO(run(app, "books").stdout))
    assert row == {"batch": "1", "printed": "5", "used": "1", "void": "1", "expired": "0", "left": "3"}
    days = list(csv.DictReader(io.StringIO(run(app, "books", 1).stdout)))
    assert [day["day"] for day in days] == ["2026-11-24", "2026-11-25", "2026-11-26"]
    for day in days:
        assert int(day["printed"]) == sum(int(day[name]) for name in ("used", "void", "expired", "left"))
    assert run(app, "books", 9).exit_code == 1


def test_a_plan_is_made_changed_and_listed(app: Flask, db: Session) -> None:
    words = ["plan", "fair", "--kind", "fixed_minutes", "--name", "fr=Salon", "--name", "en=Fair"]
    assert "The plan fair is made." in run(app, *words, "--minutes", 240).output
    assert (
        "The plan fair is changed." in run(app, *words, "--minutes", 300, "--network", "bibliotheques").output
    )
    plan = db.scalars(select(Plan).where(Plan.slug == "fair")).one()
    assert (plan.kind, plan.length_minutes) == (PlanKind.FIXED_MINUTES, 300)
    assert (plan.names, plan.networks) == ({"fr": "Salon", "en": "Fair"}, ["bibliotheques"])
    assert "bibliotheques" in run(app, "plans").output
    done = run(app, *words, "--minutes", 0)
    assert done.exit_code == 1
    assert "makes no sense" in done.output


def test_codes_are_in_no_file_and_no_log(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [code] = issue(app)
    assert code not in caplog.text
    assert code not in run(app, "list").output


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["issue", "--plan", "weekend"], "vouchers plans"),
        (["issue", "--last-day", "2020-01-01"], "Choose a later day"),
        (["issue", "--last-day", "9999-12-31"], "beyond the calendar"),
        (["revoke", "99"], "vouchers list"),
        (["void", "--reason", "broken", "1"], "'spoiled', 'lost', 'unused'"),
        (["plan", "one week", "--kind", "until_midnight", "--name", "fr=Semaine"], "small letters"),
        (["plan", "week", "--kind", "until_midnight", "--name", "Semaine"], "fr=Semaine"),
        (
            ["plan", "week", "--kind", "until_midnight", "--name", "fr=S", "--network", "nope"],
            "No such network: nope.",
        ),
        (["plan", "week", "--kind", "until_midnight", "--name", "fr=S", "--site", "nope"], "No such site"),
    ],
)
def test_what_a_newcomer_gets_wrong_is_told_with_what_to_do(
    app: Flask, db: Session, words: list[str], advice: str
) -> None:
    done = run(app, *words)
    assert done.exit_code in (1, 2) and isinstance(done.exception, SystemExit)
    assert advice in done.output
    assert deeds(db) == []


def test_a_spoiled_pass_is_written_off_with_its_reason(app: Flask, db: Session) -> None:
    issue(app)
    assert run(app, "void", "1-1", "--reason", "spoiled").exit_code == 0
    assert [voucher.void_reason for voucher in vouchers(db)] == ["spoiled"]
