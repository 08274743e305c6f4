"""The demo town's staff can sign in at once; nobody else's database ever hears of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from auth.audit import search
from auth.audit.search import Query
from auth.staff.models import Staff
from auth.staff.roles import Role
from lab import staff
from lab.hotspot import now, prepare_portal
from portal.app import create_app
from portal.services import Services
from tests.clock import MovingClock
from tests.portal.staff.conftest import Clerk

TOP = Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def services(folder: Path) -> Iterator[Services]:
    """Of a lab that has just begun, its staff hired. Each test signs in somebody else."""
    services = prepare_portal(folder, URL)
    staff.hire(services, at=now())
    yield services
    services.engine.dispose()


@pytest.fixture(scope="module")
def app(services: Services) -> Flask:
    return create_app(services)


def show_codes(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab.staff", "--folder", str(folder)],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("role", list(Role))
def test_the_greeting_and_a_code_are_enough_to_sign_in(services: Services, app: Flask, role: Role) -> None:
    answer = staff.greeting(URL)
    assert role.value in answer and staff.PASSWORD in answer and f"{URL}/staff" in answer
    clerk = Clerk(app, MovingClock(now()), role.value, base_url=URL)
    clerk.get("/staff/signin")
    clerk.press("/staff/signin", login=role.value, password=staff.PASSWORD)
    code = staff.codes(services, at=now())[role.value]
    assert clerk.press("/staff/signin/code", code=code).status_code == 303
    assert clerk.get("/staff/account").status_code == 200


def test_the_codes_that_are_shown_are_those_of_the_minute(services: Services, folder: Path) -> None:
    before = now()
    shown = show_codes(folder)
    lines = dict(line.split(None, 1) for line in shown.stdout.splitlines())
    assert list(lines) == [role.value for role in Role]
    near = [staff.codes(services, at=before + timedelta(seconds=30 * step))["desk"] for step in range(4)]
    assert lines["desk"].replace(" ", "") in near
    assert staff.PASSWORD in shown.stderr


def test_starting_again_changes_nobody(tmp_path: Path) -> None:
    services = prepare_portal(tmp_path, URL)
    staff.hire(services, at=now())
    with services.make_session.begin() as db:
        before = db.execute(select(Staff.login, Staff.totp_seed).order_by(Staff.login)).all()
        db.delete(db.scalars(select(Staff).where(Staff.login == "ads")).one())
    staff.hire(services, at=now())
    with services.make_session() as db:
        after = db.execute(select(Staff.login, Staff.totp_seed).order_by(Staff.login)).all()
        made = [entry for entry in search.read(db, Query()) if entry.action == "account made"]
    assert [login for login, _ in before] == [login for login, _ in after]
    assert {one for one in before if one.login != "ads"} == {one for one in after if one.login != "ads"}
    assert len(made) == len(Role) + 1
    services.engine.dispose()


def test_they_are_made_in_the_labs_own_database_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real.sqlite3"
    monkeypatch.setenv("AROBASE_DATABASE_URL", f"sqlite:///{real}")
    monkeypatch.setenv("AROBASE_SECRET_KEY", "r" * 48)
    services = prepare_portal(tmp_path / "lab", URL)
    staff.hire(services, at=now())
    with services.make_session() as db:
        assert db.scalar(select(func.count(Staff.id))) == len(Role)
    services.engine.dispose()
    assert not real.exists()


def test_where_no_demo_town_runs_it_says_how_to_have_one(tmp_path: Path) -> None:
    shown = show_codes(tmp_path)
    assert shown.returncode == 3 and "make run" in shown.stderr and not shown.stdout
    assert list(tmp_path.iterdir()) == []
